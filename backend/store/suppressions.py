"""The suppression list: at most one entry per tenant and address, the older one wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.suppression import Suppression, SuppressionReason
from backend.store.schema import suppressions as t

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from sqlalchemy import ColumnElement, Row

    from backend.model.views import SuppressionQuery
    from backend.store.types import Tx


def find(tx: Tx, tenant_id: str, addresses: Collection[str]) -> dict[str, Suppression]:
    """Give the entries that hold any of these lower case addresses, by address."""
    rows = tx.execute(select(t).where(t.c.tenant_id == tenant_id, t.c.address.in_(list(addresses))))
    return {row.address: _suppression(row) for row in rows}


def get(tx: Tx, suppression_id: str) -> Suppression | None:
    """Read an entry."""
    row = tx.execute(select(t).where(t.c.id == suppression_id)).one_or_none()
    return None if row is None else _suppression(row)


def insert(tx: Tx, suppression: Suppression) -> bool:
    """Put an entry on the list; False when the address is on it, then the older entry stays."""
    into = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    row = into(t).values(
        id=suppression.id,
        tenant_id=suppression.tenant_id,
        address=suppression.address,
        reason=suppression.reason.value,
        detail=suppression.detail,
        source_email_id=suppression.source_email_id,
        created_by=suppression.created_by,
        created_at=suppression.created_at,
    )
    fresh = row.on_conflict_do_nothing(index_elements=[t.c.tenant_id, t.c.address])
    return tx.execute(fresh.returning(t.c.id)).one_or_none() is not None


def remove(tx: Tx, suppression_id: str) -> Suppression | None:
    """Take an entry off the list and give it; None when it is not there."""
    entry = get(tx, suppression_id)
    if entry is not None:
        tx.execute(delete(t).where(t.c.id == suppression_id))
    return entry


def count(tx: Tx, query: SuppressionQuery) -> int:
    """Count the entries a query means."""
    return tx.execute(select(func.count()).select_from(t).where(*_meant(query))).scalar_one()


def page(tx: Tx, query: SuppressionQuery, start: int, size: int) -> list[Suppression]:
    """Give at most ``size`` entries from position ``start``, newest first."""
    rows = select(t).where(*_meant(query)).order_by(t.c.created_at.desc(), t.c.id.desc())
    return [_suppression(row) for row in tx.execute(rows.offset(start).limit(size))]


def _meant(query: SuppressionQuery) -> list[ColumnElement[bool]]:
    meant: list[ColumnElement[bool]] = []
    if query.tenant_id is not None:
        meant.append(t.c.tenant_id == query.tenant_id)
    if text := query.text.strip().lower():
        meant.append(t.c.address.contains(text, autoescape=True))
    return meant


def _suppression(row: Row[Any]) -> Suppression:
    return Suppression(
        id=row.id,
        tenant_id=row.tenant_id,
        address=row.address,
        reason=SuppressionReason(row.reason),
        created_at=row.created_at,
        detail=row.detail,
        source_email_id=row.source_email_id,
        created_by=row.created_by,
    )
