"""The work queue as SQL: enqueue, claim, heartbeat, finish, retry, bury.

A claim raises the row's fence; whoever writes a result must still hold that fence, so a worker
that slept past its lease changes nothing (LeaseLostError). Claiming is BEGIN IMMEDIATE on SQLite
and FOR UPDATE SKIP LOCKED on PostgreSQL. Work asked for again while it is being done is not lost:
its run_at then differs from the claimed one, so finishing puts it back instead of removing it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, case, delete, false, func, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.errors import LeaseLostError
from backend.model.work import WorkItem, WorkKind
from backend.store.bulk import Bulk
from backend.store.schema import work_items as t

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Insert, Table

    from backend.store.types import Tx

ERROR_LENGTH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCounts:
    """How much work of one kind there is; ``oldest_due`` is the run_at waited for longest."""

    kind: WorkKind
    due: int
    scheduled: int
    leased: int
    dead: int
    oldest_due: datetime | None


def enqueue(tx: Tx, kind: WorkKind, ref: str, *, run_at: datetime, now: datetime) -> None:
    """Add work about ``ref``; if it is queued already it is made due at ``run_at`` and revived."""
    tx.execute(_ENQUEUE[tx.dialect.name], _row(kind, ref, run_at, now))


def enqueue_all(tx: Tx, kind: WorkKind, refs: Mapping[str, datetime]) -> None:
    """Add work about several things, each new and due at the moment it is mapped to."""
    _ENQUEUE_ALL.run(tx, [_row(kind, ref, at, at) for ref, at in refs.items()])


def claim(
    tx: Tx, kinds: Collection[WorkKind], owner: str, *, now: datetime, lease: timedelta, limit: int
) -> list[WorkItem]:
    """Take up to ``limit`` due items nobody holds, oldest first, and lease them to ``owner``."""
    due = (
        select(t)
        .where(_due(kinds, now))
        .order_by(t.c.run_at, t.c.id)
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
            again=False,
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


def is_due(tx: Tx, kinds: Collection[WorkKind], now: datetime) -> bool:
    """Tell whether a claim at ``now`` would find something; needs no write lock."""
    return tx.execute(select(t.c.id).where(_due(kinds, now)).limit(1)).first() is not None


def due_kinds(tx: Tx, kinds: Collection[WorkKind], now: datetime) -> frozenset[WorkKind]:
    """Give the kinds of which a claim at ``now`` would find something; needs no write lock."""
    return frozenset(kind for kind in kinds if is_due(tx, [kind], now))


def heartbeat(
    tx: Tx, items: Collection[WorkItem], *, now: datetime, lease: timedelta
) -> list[WorkItem]:
    """Extend the leases of ``items`` and give those that belong to another worker by now.

    One that is gone altogether is done: its worker has not heard of that yet.
    """
    lost = []
    for item in items:
        held = tx.execute(update(t).where(_held(item)).values(lease_until=now + lease))
        if held.rowcount == 0 and tx.execute(_THERE, {"of_id": item.id}).first() is not None:
            lost.append(item)
    return lost


def confirm(tx: Tx, item: WorkItem) -> None:
    """Make sure an item is still ours before an effect outside; raises LeaseLostError."""
    held = tx.execute(select(t.c.id).where(_held(item)).with_for_update()).one_or_none()
    _ours(0 if held is None else 1, item)


def in_hand(tx: Tx, kind: WorkKind, ref: str) -> bool:
    """Tell whether a worker holds the work about ``ref``, and keep that so in this transaction."""
    query = select(t.c.lease_owner).where(t.c.kind == kind.value, t.c.ref == ref)
    return tx.execute(query.with_for_update()).scalar() is not None


def finish(tx: Tx, item: WorkItem) -> None:
    """Remove a done item; raises LeaseLostError when it is no longer ours."""
    done = tx.execute(delete(t).where(_held(item), t.c.again.is_(False)))
    if done.rowcount == 0:  # asked for again meanwhile, or lost
        _ours(
            tx.execute(
                update(t).where(_held(item)).values(lease_owner=None, lease_until=None, again=False)
            ).rowcount,
            item,
        )


def held(tx: Tx, items: Collection[WorkItem]) -> frozenset[str]:
    """Give the ids of those items that are still ours, and keep them so in this transaction.

    Of an item that is asked for under two fences neither counts as ours.
    """
    fences: defaultdict[str, set[int]] = defaultdict(set)
    for item in items:
        fences[item.id].add(item.fence)
    rows = tx.execute(_HELD, {"ids": list(fences)})
    return frozenset(row.id for row in rows if fences[row.id] == {row.fence})


def finish_held(tx: Tx, items: Collection[WorkItem]) -> None:
    """Remove done items that ``held`` has just found ours; what was asked for again is put back."""
    ids = [item.id for item in items]
    done = tx.execute(_DONE, {"ids": ids}).rowcount
    if done != len(ids):
        tx.execute(_AGAIN, {"ids": ids})


def retry(tx: Tx, item: WorkItem, run_at: datetime, error: str) -> None:
    """Put an item back for later; raises LeaseLostError when it is no longer ours."""
    _give_back(tx, item, run_at=_unless_again(run_at), error=error[:ERROR_LENGTH])


def put_back(tx: Tx, item: WorkItem, error: str, *, run_at: datetime | None = None) -> None:
    """Give an item back as it was claimed: due as before, and this claim does not count as a try.

    With ``run_at`` it goes behind what is due by then. Raises LeaseLostError.
    """
    tries = case((t.c.again, 0), else_=t.c.attempts - 1)
    behind = _unless_again(item.run_at if run_at is None else run_at)
    _give_back(tx, item, run_at=behind, attempts=tries, error=error[:ERROR_LENGTH])


def due_refs(tx: Tx, kind: WorkKind, now: datetime, limit: int) -> list[str]:
    """Give what the oldest due items of a kind that nobody holds are about."""
    due = select(t.c.ref).where(_due([kind], now), t.c.lease_owner.is_(None))
    return list(tx.execute(due.order_by(t.c.run_at, t.c.id).limit(limit)).scalars())


def put_off(tx: Tx, kind: WorkKind, refs: Mapping[str, datetime]) -> None:
    """Make items that nobody holds due later, each at the moment its ref is mapped to."""
    rows = [{"of_id": f"{kind.value}:{ref}", "later": at} for ref, at in refs.items()]
    if rows:
        tx.execute(_PUT_OFF, rows)


def proceed(tx: Tx, item: WorkItem, run_at: datetime, error: str = "") -> None:
    """Put an item back after an orderly turn, whatever came of it: its tries begin anew.

    Raises LeaseLostError when it is no longer ours.
    """
    _give_back(tx, item, run_at=_unless_again(run_at), attempts=0, error=error[:ERROR_LENGTH])


def bury(tx: Tx, item: WorkItem, error: str) -> None:
    """Keep an item that cannot be done, out of the way, with its error.

    One that was asked for again meanwhile gets that chance. Raises LeaseLostError.
    """
    dead = case((t.c.again, false()), else_=True)
    _give_back(tx, item, dead=dead, error=error[:ERROR_LENGTH])


def forget_dead(tx: Tx, before: datetime) -> int:
    """Drop the items buried since before a moment; give how many."""
    old = (t.c.dead.is_(True), t.c.run_at < before, t.c.lease_owner.is_(None))
    return tx.execute(delete(t).where(*old)).rowcount


def owners(tx: Tx) -> list[str]:
    """Give everyone who holds a lease at present."""
    held = select(t.c.lease_owner).where(t.c.lease_owner.is_not(None)).distinct()
    return [str(owner) for owner in tx.execute(held).scalars()]


def release(tx: Tx, owner: str) -> int:
    """Free every lease of an owner known to be gone; give how many."""
    return tx.execute(
        update(t).where(t.c.lease_owner == owner).values(lease_owner=None, lease_until=None)
    ).rowcount


def counts(tx: Tx, now: datetime) -> list[QueueCounts]:
    """Count the items of every kind, kinds without any included."""
    leased = and_(t.c.dead.is_(False), t.c.lease_until >= now)
    waiting = and_(t.c.dead.is_(False), or_(t.c.lease_until.is_(None), t.c.lease_until < now))
    due = and_(waiting, t.c.run_at <= now)
    query = select(
        t.c.kind,
        func.count(case((due, 1))),
        func.count(case((and_(waiting, t.c.run_at > now), 1))),
        func.count(case((leased, 1))),
        func.count(case((t.c.dead.is_(True), 1))),
        func.min(case((due, t.c.run_at))),
    ).group_by(t.c.kind)
    found = {row[0]: row for row in tx.execute(query)}
    none = (None, 0, 0, 0, 0, None)
    return [
        QueueCounts(
            kind=kind,
            due=row[1],
            scheduled=row[2],
            leased=row[3],
            dead=row[4],
            oldest_due=row[5],
        )
        for kind in WorkKind
        for row in [found.get(kind.value, none)]
    ]


def _row(kind: WorkKind, ref: str, run_at: datetime, now: datetime) -> dict[str, object]:
    return {
        "id": f"{kind.value}:{ref}",
        "kind": kind.value,
        "ref": ref,
        "run_at": run_at,
        "created_at": now,
        "again_at": run_at,
    }


def _enqueueing(insert: Callable[[Table], postgresql.Insert | sqlite.Insert]) -> Insert:
    """Build the upsert once: building it takes longer than running it."""
    row = insert(t).values(
        id=bindparam("id"),
        kind=bindparam("kind"),
        ref=bindparam("ref"),
        run_at=bindparam("run_at"),
        created_at=bindparam("created_at"),
        attempts=0,
        fence=0,
        dead=False,
        again=False,
        error="",
    )
    revived = {
        "run_at": bindparam("again_at", type_=t.c.run_at.type),
        # whoever holds the item must not end it: it was asked for once more meanwhile
        "again": t.c.lease_owner.is_not(None),
        "dead": False,
        "error": "",
        "attempts": 0,
    }
    return row.on_conflict_do_update(index_elements=[t.c.id], set_=revived)


_PUT_OFF = (
    update(t)
    .where(t.c.id == bindparam("of_id"), t.c.lease_owner.is_(None))
    .values(run_at=bindparam("later", type_=t.c.run_at.type))
)
_THERE = select(t.c.id).where(t.c.id == bindparam("of_id"))
_IDS = t.c.id.in_(bindparam("ids", expanding=True))
_HELD = (
    select(t.c.id, t.c.fence)
    .where(_IDS, t.c.lease_owner.is_not(None))
    .order_by(t.c.id)
    .with_for_update()
)
_DONE = delete(t).where(_IDS, t.c.again.is_(False))
_AGAIN = update(t).where(_IDS).values(lease_owner=None, lease_until=None, again=False)

_ENQUEUE = {
    "postgresql": _enqueueing(postgresql.insert),
    "sqlite": _enqueueing(sqlite.insert),
}
_ENQUEUE_ALL = Bulk(_ENQUEUE, ["id", "kind", "ref", "run_at", "created_at", "again_at"])


def _due(kinds: Collection[WorkKind], now: datetime) -> ColumnElement[bool]:
    return and_(
        t.c.kind.in_([kind.value for kind in kinds]),
        t.c.dead.is_(False),
        t.c.run_at <= now,
        or_(t.c.lease_until.is_(None), t.c.lease_until < now),
    )


def _held(item: WorkItem) -> ColumnElement[bool]:
    return and_(t.c.id == item.id, t.c.fence == item.fence, t.c.lease_owner.is_not(None))


def _give_back(tx: Tx, item: WorkItem, **values: object) -> None:
    """End the lease of an item; raises LeaseLostError when it is no longer ours."""
    free = {"again": False, "lease_owner": None, "lease_until": None}
    _ours(tx.execute(update(t).where(_held(item)).values(values | free)).rowcount, item)


def _unless_again(run_at: datetime) -> ColumnElement[datetime]:
    """Give the moment an item is due again; one asked for meanwhile stays due as it was asked."""
    return case((t.c.again, t.c.run_at), else_=literal(run_at, t.c.run_at.type))


def lease_lost(item: WorkItem) -> LeaseLostError:
    """Say that an item is no longer ours."""
    return LeaseLostError(f"{item.kind} {item.ref} now belongs to another worker")


def _ours(changed: int, item: WorkItem) -> None:
    if changed != 1:
        raise lease_lost(item)
