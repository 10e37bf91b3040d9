"""Usage per tenant, day and kind, kept in the transaction that caused it, and what Books took.

A day is that of the event in UTC, not of its arrival: what comes late lands on its own day.
"""

from __future__ import annotations

from datetime import UTC, date
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.stats import Counter
from backend.model.usage import UsageDay, UsageKind, UsagePost
from backend.store.schema_webhooks import usage_days as t
from backend.store.schema_webhooks import usage_posts as posts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Executable, Row, Table

    from backend.model.usage import UsageQuery
    from backend.store.types import Tx

BILLED = {
    Counter.SENT: UsageKind.SENT,
    Counter.DELIVERED: UsageKind.DELIVERED,
    Counter.RECEIVED: UsageKind.INBOUND,
    Counter.FORWARDED_PSA: UsageKind.FORWARDED,
    Counter.FORWARDED_CRM: UsageKind.FORWARDED,
    Counter.FORWARDED_PORTAL: UsageKind.FORWARDED,
}
"""The counters that are billed; store/counters.py counts these here as well."""


def count(tx: Tx, tenant_id: str, kind: UsageKind, at: datetime, n: int = 1) -> None:
    """Add ``n`` to the day, in UTC, of ``at``."""
    day = at.astimezone(UTC).date().isoformat()
    row = {"tenant_id": tenant_id, "day": day, "kind": kind.value, "n": n}
    tx.execute(_COUNT[tx.dialect.name], row)


def days(tx: Tx, query: UsageQuery) -> list[UsageDay]:
    """Give the days on which something was counted, by day and tenant."""
    rows = select(t).where(t.c.day >= query.since.isoformat(), t.c.day < query.until.isoformat())
    if query.tenant_id is not None:
        rows = rows.where(t.c.tenant_id == query.tenant_id)
    counts: dict[tuple[str, str], dict[UsageKind, int]] = {}
    for row in tx.execute(rows.order_by(t.c.day, t.c.tenant_id, t.c.kind)):
        counts.setdefault((row.tenant_id, row.day), {})[UsageKind(row.kind)] = row.n
    taken = {(post.tenant_id, post.day): post for post in newest_posts(tx, query) if post.taken_at}
    found = []
    for (tenant_id, day), counted in counts.items():
        post = taken.get((tenant_id, date.fromisoformat(day)))
        found.append(
            UsageDay(
                tenant_id=tenant_id,
                day=date.fromisoformat(day),
                counts=counted,
                revision=post.revision if post else 0,
                posted=post is not None and post.counts == plain(counted),
            )
        )
    return found


def newest_posts(tx: Tx, query: UsageQuery) -> list[UsagePost]:
    """Give the newest statement to Books of each day and tenant, taken or not."""
    newest = (
        select(posts.c.tenant_id, posts.c.day, func.max(posts.c.revision).label("revision"))
        .where(posts.c.day >= query.since.isoformat(), posts.c.day < query.until.isoformat())
        .group_by(posts.c.tenant_id, posts.c.day)
        .subquery()
    )
    same = and_(
        posts.c.tenant_id == newest.c.tenant_id,
        posts.c.day == newest.c.day,
        posts.c.revision == newest.c.revision,
    )
    rows = select(posts).join(newest, same).order_by(posts.c.day, posts.c.tenant_id)
    if query.tenant_id is not None:
        rows = rows.where(posts.c.tenant_id == query.tenant_id)
    return [_post(row) for row in tx.execute(rows)]


def add_post(tx: Tx, post: UsagePost) -> None:
    """Write a statement before it is posted."""
    tx.execute(
        insert(posts).values(
            tenant_id=post.tenant_id,
            day=post.day.isoformat(),
            revision=post.revision,
            counts=dict(post.counts),
            made_at=post.made_at,
            error="",
        )
    )


def settle_post(tx: Tx, post: UsagePost, *, taken_at: datetime | None, error: str = "") -> None:
    """Write whether Books took a statement."""
    mine = (
        posts.c.tenant_id == post.tenant_id,
        posts.c.day == post.day.isoformat(),
        posts.c.revision == post.revision,
    )
    tx.execute(update(posts).where(*mine).values(taken_at=taken_at, error=error[:500]))


def plain(counts: Mapping[UsageKind, int]) -> dict[str, int]:
    """Give counts as JSON keeps them, kinds without any left out."""
    return {kind.value: n for kind, n in sorted(counts.items()) if n}


def _counting(into: Callable[[Table], postgresql.Insert | sqlite.Insert]) -> Executable:
    """Build the upsert once: building it takes longer than running it."""
    row = into(t).values({column.name: bindparam(column.name) for column in t.c})
    more = {"n": t.c.n + row.excluded.n}
    return row.on_conflict_do_update(index_elements=list(t.primary_key), set_=more)


_COUNT = {"postgresql": _counting(postgresql.insert), "sqlite": _counting(sqlite.insert)}


def _post(row: Row[Any]) -> UsagePost:
    return UsagePost(
        tenant_id=row.tenant_id,
        day=date.fromisoformat(row.day),
        revision=row.revision,
        counts=row.counts,
        made_at=row.made_at,
        taken_at=row.taken_at,
        error=row.error,
    )
