"""Mail per sender and per conversation and minute: what the rate breakers look at.

A breaker has no state of its own: it is open while the count over its window exceeds its limit,
and it is reset by forgetting the count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.screening import OpenBreaker, RateScope
from backend.store.bulk import Bulk
from backend.store.schema_screening import breaker_counts as t

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta

    from sqlalchemy import Insert, Table

    from backend.store.types import Tx


def count(tx: Tx, counted: Iterable[tuple[str, RateScope, str, datetime]]) -> None:
    """Count messages, each for a tenant, a scope and a key of it in the minute of a moment."""
    rows = [
        {
            "tenant_id": tenant_id,
            "scope": scope.value,
            "key": key,
            "minute": at.replace(second=0, microsecond=0),
            "n": 1,
        }
        for tenant_id, scope, key, at in sorted(counted)  # all in one order: no deadlock
    ]
    _COUNT.run(tx, rows)


def within(tx: Tx, tenant_id: str, scope: RateScope, key: str, since: datetime) -> int:
    """Give how much was counted from ``since`` on, to the minute."""
    of = {"of_tenant": tenant_id, "of_scope": scope.value, "of_key": key, "after": since}
    return int(tx.execute(_WITHIN, of).scalar_one())


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


def _counting(into: Callable[[Table], postgresql.Insert | sqlite.Insert]) -> Insert:
    """Build the upsert once: building it takes longer than running it."""
    more = {"n": t.c.n + 1}
    return into(t).on_conflict_do_update(index_elements=list(t.primary_key), set_=more)


_COUNT = Bulk(
    {"postgresql": _counting(postgresql.insert), "sqlite": _counting(sqlite.insert)},
    [column.key for column in t.columns],
)
_WITHIN = select(func.coalesce(func.sum(t.c.n), 0)).where(
    t.c.tenant_id == bindparam("of_tenant"),
    t.c.scope == bindparam("of_scope"),
    t.c.key == bindparam("of_key"),
    t.c.minute > bindparam("after"),
)
