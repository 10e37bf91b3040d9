"""The work queue as SQL: enqueue, claim, heartbeat, finish, retry, bury.

A claim raises the row's fence; whoever writes a result must still hold that fence, so a worker
that slept past its lease changes nothing (LeaseLostError). Claiming is BEGIN IMMEDIATE on SQLite
and FOR UPDATE SKIP LOCKED on PostgreSQL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, insert, or_, select, update

from backend.errors import LeaseLostError
from backend.model.work import WorkItem, WorkKind
from backend.store.schema import work_items as t

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement

    from backend.store.types import Tx


def enqueue(tx: Tx, kind: WorkKind, ref: str, *, run_at: datetime, now: datetime) -> None:
    """Add work about ``ref``; if it is queued already it is made due at ``run_at`` and revived."""
    same = and_(t.c.kind == kind.value, t.c.ref == ref)
    revived = tx.execute(
        update(t).where(same).values(run_at=run_at, dead=False, error="", attempts=0)
    )
    if revived.rowcount == 0:
        tx.execute(
            insert(t).values(
                id=f"{kind.value}:{ref}",
                kind=kind.value,
                ref=ref,
                run_at=run_at,
                created_at=now,
                attempts=0,
                fence=0,
                dead=False,
                error="",
            )
        )


def claim(
    tx: Tx, kinds: Collection[WorkKind], owner: str, *, now: datetime, lease: timedelta, limit: int
) -> list[WorkItem]:
    """Take up to ``limit`` due items nobody holds, oldest first, and lease them to ``owner``."""
    free = or_(t.c.lease_until.is_(None), t.c.lease_until < now)
    due = (
        select(t)
        .where(t.c.dead.is_(False), t.c.run_at <= now, t.c.kind.in_([k.value for k in kinds]), free)
        .order_by(t.c.run_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = tx.execute(due).all()
    if not rows:
        return []
    tx.execute(
        update(t)
        .where(t.c.id.in_([row.id for row in rows]))
        .values(
            lease_owner=owner,
            lease_until=now + lease,
            fence=t.c.fence + 1,
            attempts=t.c.attempts + 1,
        )
    )
    return [
        WorkItem(
            id=row.id,
            kind=WorkKind(row.kind),
            ref=row.ref,
            run_at=row.run_at,
            attempts=row.attempts + 1,
            fence=row.fence + 1,
        )
        for row in rows
    ]


def heartbeat(tx: Tx, owner: str, *, now: datetime, lease: timedelta) -> int:
    """Extend every lease of ``owner``; give how many it still holds."""
    return tx.execute(
        update(t).where(t.c.lease_owner == owner).values(lease_until=now + lease)
    ).rowcount


def confirm(tx: Tx, item: WorkItem) -> None:
    """Make sure an item is still ours before an effect outside; raises LeaseLostError."""
    held = tx.execute(select(t.c.id).where(_held(item)).with_for_update()).one_or_none()
    _ours(0 if held is None else 1, item)


def finish(tx: Tx, item: WorkItem) -> None:
    """Remove a done item; raises LeaseLostError when it is no longer ours."""
    _ours(tx.execute(delete(t).where(_held(item))).rowcount, item)


def retry(tx: Tx, item: WorkItem, run_at: datetime, error: str) -> None:
    """Put an item back for later; raises LeaseLostError when it is no longer ours."""
    changed = tx.execute(
        update(t)
        .where(_held(item))
        .values(run_at=run_at, lease_owner=None, lease_until=None, error=error[:500])
    )
    _ours(changed.rowcount, item)


def bury(tx: Tx, item: WorkItem, error: str) -> None:
    """Keep an item that cannot be done, out of the way, with its error."""
    changed = tx.execute(
        update(t)
        .where(_held(item))
        .values(dead=True, lease_owner=None, lease_until=None, error=error[:500])
    )
    _ours(changed.rowcount, item)


def release(tx: Tx, owner: str) -> int:
    """Free every lease of an owner known to be gone; give how many."""
    return tx.execute(
        update(t).where(t.c.lease_owner == owner).values(lease_owner=None, lease_until=None)
    ).rowcount


def _held(item: WorkItem) -> ColumnElement[bool]:
    return and_(t.c.id == item.id, t.c.fence == item.fence, t.c.lease_owner.is_not(None))


def _ours(changed: int, item: WorkItem) -> None:
    if changed != 1:
        raise LeaseLostError(f"{item.kind} {item.ref} now belongs to another worker")
