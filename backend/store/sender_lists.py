"""The lists of senders: at most one entry per tenant, list and pattern; a new one takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, or_, select

from backend.model.screening import ListEntry, ListKind
from backend.store.schema_screening import sender_lists as t

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Row

    from backend.store.types import Tx


def put(tx: Tx, entry: ListEntry) -> ListEntry | None:
    """Write an entry and give the one of the same pattern that it replaced, if there was one."""
    same = (
        t.c.tenant_id == entry.tenant_id,
        t.c.kind == entry.kind.value,
        t.c.pattern == entry.pattern,
    )
    row = tx.execute(select(t).where(*same)).one_or_none()
    tx.execute(delete(t).where(*same))
    tx.execute(
        insert(t).values(
            id=entry.id,
            tenant_id=entry.tenant_id,
            kind=entry.kind.value,
            pattern=entry.pattern,
            note=entry.note,
            created_by=entry.created_by,
            created_at=entry.created_at,
            expires_at=entry.expires_at,
        )
    )
    return None if row is None else _entry(row)


def get(tx: Tx, entry_id: str) -> ListEntry | None:
    """Read an entry by its id."""
    row = tx.execute(select(t).where(t.c.id == entry_id)).one_or_none()
    return None if row is None else _entry(row)


def find(tx: Tx, kind: ListKind, pattern: str, tenant_id: str) -> ListEntry | None:
    """Read the entry of a pattern; tenant "" stands for the list of every tenant."""
    row = tx.execute(
        select(t).where(t.c.kind == kind.value, t.c.pattern == pattern, t.c.tenant_id == tenant_id)
    ).one_or_none()
    return None if row is None else _entry(row)


def remove(tx: Tx, entry_id: str) -> None:
    """Take an entry off its list."""
    tx.execute(delete(t).where(t.c.id == entry_id))


def matching(
    tx: Tx, tenant_id: str, patterns: Collection[str], now: datetime
) -> tuple[ListEntry, ...]:
    """Give the live entries of a tenant, and of every tenant, that are among ``patterns``."""
    of = {"patterns": list(patterns), "of_tenant": tenant_id, "at": now}
    return tuple(_entry(row) for row in tx.execute(_MATCHING, of))


_MATCHING = select(t).where(
    t.c.pattern.in_(bindparam("patterns", expanding=True)),
    t.c.tenant_id.in_(["", bindparam("of_tenant")]),
    # with the kinds named, the unique index answers; without, every common entry is looked at
    t.c.kind.in_([kind.value for kind in ListKind]),
    or_(t.c.expires_at.is_(None), t.c.expires_at > bindparam("at")),
)


def entries(tx: Tx, kind: ListKind, tenant_id: str | None = None) -> list[ListEntry]:
    """Give a list by pattern, expired entries too; without a tenant the entries of all."""
    rows = select(t).where(t.c.kind == kind.value).order_by(t.c.pattern, t.c.tenant_id)
    if tenant_id is not None:
        rows = rows.where(t.c.tenant_id == tenant_id)
    return [_entry(row) for row in tx.execute(rows)]


def _entry(row: Row[Any]) -> ListEntry:
    return ListEntry(
        id=row.id,
        tenant_id=row.tenant_id,
        kind=ListKind(row.kind),
        pattern=row.pattern,
        note=row.note,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
