"""The imported files, and taking off again what one of them has brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from backend.model.suppression import ImportState, SuppressionImport
from backend.store import ses_suppressions
from backend.store.schema_suppressions import ses_suppressions as there
from backend.store.schema_suppressions import suppression_imports as t
from backend.store.schema_suppressions import suppressions

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Row

    from backend.store.types import Tx


def put(tx: Tx, done: SuppressionImport) -> None:
    """Write the state of an import, anew or over what was written of it before."""
    values = {
        "tenant_id": done.tenant_id,
        "source": done.source,
        "actor": done.actor,
        "state": done.state.value,
        "lines": done.lines,
        "added": done.added,
        "duplicates": done.duplicates,
        "faults": done.faults,
        "started_at": done.started_at,
        "finished_at": done.finished_at,
        "undone_at": done.undone_at,
    }
    if tx.execute(update(t).where(t.c.id == done.id).values(**values)).rowcount == 0:
        tx.execute(insert(t).values(id=done.id, **values))


def get(tx: Tx, import_id: str) -> SuppressionImport | None:
    """Read one import."""
    row = tx.execute(select(t).where(t.c.id == import_id)).one_or_none()
    return None if row is None else _import(row)


def newest(tx: Tx, limit: int, tenant_id: str | None = None) -> list[SuppressionImport]:
    """Give the latest imports, of one tenant's list or of all, newest first."""
    rows = select(t).order_by(t.c.id.desc()).limit(limit)
    if tenant_id is not None:
        rows = rows.where(t.c.tenant_id == tenant_id)
    return [_import(row) for row in tx.execute(rows)]


def take_off(tx: Tx, import_id: str, at: datetime, size: int) -> int:
    """Remove at most ``size`` of the entries an import has brought; tell how many it were.

    Those SES holds too are remembered as removed on purpose, so that the next sync frees them.
    """
    some = select(suppressions.c.id, suppressions.c.address).where(
        suppressions.c.import_id == import_id
    )
    rows = tx.execute(some.limit(size)).all()
    if not rows:
        return 0
    addresses = [row.address for row in rows]
    held = select(there.c.address).where(there.c.address.in_(addresses))
    ses_suppressions.removed(tx, tx.execute(held).scalars().all(), at)
    ids = [row.id for row in rows]
    return tx.execute(delete(suppressions).where(suppressions.c.id.in_(ids))).rowcount


def _import(row: Row[Any]) -> SuppressionImport:
    return SuppressionImport(
        id=row.id,
        tenant_id=row.tenant_id,
        source=row.source,
        actor=row.actor,
        state=ImportState(row.state),
        started_at=row.started_at,
        lines=row.lines,
        added=row.added,
        duplicates=row.duplicates,
        faults=row.faults,
        finished_at=row.finished_at,
        undone_at=row.undone_at,
    )
