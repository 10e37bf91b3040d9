"""Mail per sender and per conversation and minute: what the rate breakers look at.

A breaker has no state of its own: it is open while the count over its window exceeds its limit,
and it is reset by forgetting the count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.screening import OpenBreaker, RateScope
from backend.store.schema_screening import breaker_counts as t

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from backend.store.types import Tx


def count(tx: Tx, tenant_id: str, scope: RateScope, key: str, at: datetime) -> None:
    """Count one message in the minute of ``at``."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    row = insert(t).values(
        tenant_id=tenant_id,
        scope=scope.value,
        key=key,
        minute=at.replace(second=0, microsecond=0),
        n=1,
    )
    keys = [t.c.tenant_id, t.c.scope, t.c.key, t.c.minute]
    tx.execute(row.on_conflict_do_update(index_elements=keys, set_={"n": t.c.n + 1}))


def within(tx: Tx, tenant_id: str, scope: RateScope, key: str, since: datetime) -> int:
    """Give how much was counted from ``since`` on, to the minute."""
    n = select(func.coalesce(func.sum(t.c.n), 0)).where(
        t.c.tenant_id == tenant_id,
        t.c.scope == scope.value,
        t.c.key == key,
        t.c.minute > since,
    )
    return int(tx.execute(n).scalar_one())


def over(tx: Tx, scope: RateScope, limit: int, since: datetime) -> list[OpenBreaker]:
    """Give what reached ``limit`` from ``since`` on, the most first."""
    n, last = func.sum(t.c.n), func.max(t.c.minute)
    rows = (
        select(t.c.tenant_id, t.c.key, n.label("n"), last.label("last"))
        .where(t.c.scope == scope.value, t.c.minute > since)
        .group_by(t.c.tenant_id, t.c.key)
        .having(n >= limit)
        .order_by(n.desc(), t.c.key)
    )
    return [
        OpenBreaker(
            tenant_id=row.tenant_id, scope=scope, key=row.key, count=int(row.n), last_at=row.last
        )
        for row in tx.execute(rows)
    ]


def reset(tx: Tx, tenant_id: str, scope: RateScope, key: str) -> int:
    """Forget what was counted and give how much that was."""
    mine = (t.c.tenant_id == tenant_id, t.c.scope == scope.value, t.c.key == key)
    n = tx.execute(select(func.coalesce(func.sum(t.c.n), 0)).where(*mine)).scalar_one()
    tx.execute(delete(t).where(*mine))
    return int(n)


def sweep(tx: Tx, now: datetime, keep: timedelta) -> int:
    """Drop every count older than ``keep`` and give how many rows went."""
    return tx.execute(delete(t).where(t.c.minute < now - keep)).rowcount
