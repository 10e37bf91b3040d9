"""The queue as rows: claims, fences, leases, and work asked for again, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.errors import LeaseLostError
from backend.model.work import WorkItem, WorkKind
from backend.queue import items
from backend.store.engine import Database, open_database

if TYPE_CHECKING:
    from backend.store.types import Tx
    from tests.settable import SettableClock

LEASE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)
ALL = list(WorkKind)


async def put(db: Database, clock: SettableClock, ref: str, kind: WorkKind = WorkKind.SEND) -> None:
    """Queue work that is due now."""
    await db.write(items.enqueue, kind, ref, run_at=clock.now(), now=clock.now())


async def claim(
    db: Database, clock: SettableClock, *, owner: str = "a", limit: int = 10
) -> list[WorkItem]:
    """Claim whatever is due."""
    return await db.write(items.claim, ALL, owner, now=clock.now(), lease=LEASE, limit=limit)


async def claim_one(db: Database, clock: SettableClock, owner: str = "a") -> WorkItem:
    """Claim the one item that is due."""
    (item,) = await claim(db, clock, owner=owner)
    return item


async def test_work_is_claimed_oldest_first(any_db: Database, clock: SettableClock) -> None:
    for ref in ("first", "second", "third"):
        await put(any_db, clock, ref)
        clock.advance(1)

    claimed = await claim(any_db, clock, limit=2)

    assert [item.ref for item in claimed] == ["first", "second"]


async def test_work_is_not_claimed_before_its_time(any_db: Database, clock: SettableClock) -> None:
    later = clock.now() + SECOND
    await any_db.write(items.enqueue, WorkKind.SEND, "m", run_at=later, now=clock.now())

    assert await claim(any_db, clock) == []
    clock.set(later)
    assert [item.ref for item in await claim(any_db, clock)] == ["m"]


async def test_a_claim_takes_only_the_kinds_it_asks_for(
    any_db: Database, clock: SettableClock
) -> None:
    await put(any_db, clock, "m", WorkKind.SEND)
    await put(any_db, clock, "m", WorkKind.PUBLISH)

    claimed = await any_db.write(
        items.claim, [WorkKind.PUBLISH], "a", now=clock.now(), lease=LEASE, limit=9
    )

    assert [item.id for item in claimed] == ["publish:m"]


async def test_leased_work_is_claimed_again_only_after_the_lease(
    any_db: Database, clock: SettableClock
) -> None:
    await put(any_db, clock, "m")
    first = await claim_one(any_db, clock)
    clock.advance(LEASE)
    assert await claim(any_db, clock, owner="b") == []

    clock.advance(SECOND)
    second = await claim_one(any_db, clock, owner="b")

    assert (second.fence, second.attempts) == (first.fence + 1, 2)


async def test_a_heartbeat_keeps_the_lease(any_db: Database, clock: SettableClock) -> None:
    await put(any_db, clock, "m")
    item = await claim_one(any_db, clock)
    clock.advance(LEASE)
    lost = await any_db.write(items.heartbeat, [item], now=clock.now(), lease=LEASE)
    clock.advance(LEASE)

    assert (lost, await claim(any_db, clock, owner="b")) == ([], [])


async def test_a_heartbeat_names_what_was_lost(any_db: Database, clock: SettableClock) -> None:
    await put(any_db, clock, "m")
    item = await claim_one(any_db, clock)
    clock.advance(LEASE + SECOND)
    await claim_one(any_db, clock, owner="b")

    assert await any_db.write(items.heartbeat, [item], now=clock.now(), lease=LEASE) == [item]


async def test_a_late_worker_changes_nothing(any_db: Database, clock: SettableClock) -> None:
    await put(any_db, clock, "m")
    late = await claim_one(any_db, clock)
    clock.advance(LEASE + SECOND)
    ours = await claim_one(any_db, clock, owner="b")

    with pytest.raises(LeaseLostError):
        await any_db.write(items.finish, late)
    with pytest.raises(LeaseLostError):
        await any_db.write(items.retry, late, clock.now(), "late")
    with pytest.raises(LeaseLostError):
        await any_db.write(items.bury, late, "late")
    await any_db.write(items.finish, ours)


async def test_a_lost_lease_undoes_the_results_written_with_it(
    any_db: Database, clock: SettableClock
) -> None:
    await put(any_db, clock, "m")
    late = await claim_one(any_db, clock)
    clock.advance(LEASE + SECOND)
    await claim_one(any_db, clock, owner="b")

    def finish_with_result(tx: Tx) -> None:
        items.enqueue(tx, WorkKind.PUBLISH, "result", run_at=clock.now(), now=clock.now())
        items.finish(tx, late)

    with pytest.raises(LeaseLostError):
        await any_db.write(finish_with_result)
    assert await claim(any_db, clock) == []


async def test_finished_work_is_gone(any_db: Database, clock: SettableClock) -> None:
    await put(any_db, clock, "m")
    await any_db.write(items.finish, await claim_one(any_db, clock))
    clock.advance(LEASE + SECOND)

    assert await claim(any_db, clock) == []
    assert sum(count.due for count in await any_db.read(items.counts, clock.now())) == 0


async def test_retried_work_comes_back_when_told(any_db: Database, clock: SettableClock) -> None:
    await put(any_db, clock, "m")
    item = await claim_one(any_db, clock)
    await any_db.write(items.retry, item, clock.now() + SECOND, "busy")
    assert await claim(any_db, clock) == []

    clock.advance(SECOND)

    assert (await claim_one(any_db, clock)).attempts == 2


async def test_buried_work_stays_until_asked_for_again(
    any_db: Database, clock: SettableClock
) -> None:
    await put(any_db, clock, "m")
    await any_db.write(items.bury, await claim_one(any_db, clock), "refused")
    clock.advance(timedelta(days=1))
    assert await claim(any_db, clock) == []

    await put(any_db, clock, "m")

    assert (await claim_one(any_db, clock)).attempts == 1


async def test_work_asked_for_twice_is_done_once(any_db: Database, clock: SettableClock) -> None:
    await put(any_db, clock, "m")
    await put(any_db, clock, "m")

    assert len(await claim(any_db, clock)) == 1


@pytest.mark.parametrize("later", [timedelta(0), SECOND])
async def test_work_asked_for_while_it_is_done_is_done_again(
    any_db: Database, clock: SettableClock, later: timedelta
) -> None:
    await put(any_db, clock, "m")
    item = await claim_one(any_db, clock)
    clock.advance(later)
    await put(any_db, clock, "m")
    assert await claim(any_db, clock, owner="b") == []
    await any_db.write(items.finish, item)

    assert (await claim_one(any_db, clock)).ref == "m"


async def test_work_asked_for_while_it_is_retried_does_not_wait(
    any_db: Database, clock: SettableClock
) -> None:
    await put(any_db, clock, "m")
    item = await claim_one(any_db, clock)
    await put(any_db, clock, "m")
    await any_db.write(items.retry, item, clock.now() + timedelta(hours=1), "busy")

    assert (await claim_one(any_db, clock)).ref == "m"


async def test_work_asked_for_while_it_is_buried_lives(
    any_db: Database, clock: SettableClock
) -> None:
    await put(any_db, clock, "m")
    item = await claim_one(any_db, clock)
    await put(any_db, clock, "m")
    await any_db.write(items.bury, item, "refused")

    assert (await claim_one(any_db, clock)).ref == "m"


async def test_the_work_of_a_dead_owner_is_free_at_once(
    any_db: Database, clock: SettableClock
) -> None:
    await put(any_db, clock, "m")
    await claim_one(any_db, clock, owner="dead")
    assert await any_db.read(items.owners) == ["dead"]

    assert await any_db.write(items.release, "dead") == 1
    assert (await claim_one(any_db, clock, owner="b")).ref == "m"


async def test_counts_tell_due_scheduled_leased_and_dead(
    any_db: Database, clock: SettableClock
) -> None:
    for ref in ("1", "2", "3", "4"):
        await put(any_db, clock, ref)
    oldest = clock.now()
    leased, dead, *_ = await claim(any_db, clock, limit=2)
    await any_db.write(items.bury, dead, "refused")
    later = clock.now() + SECOND
    await any_db.write(items.enqueue, WorkKind.SEND, "5", run_at=later, now=clock.now())

    found = {count.kind: count for count in await any_db.read(items.counts, clock.now())}

    assert found[WorkKind.SEND] == items.QueueCounts(
        kind=leased.kind, due=2, scheduled=1, leased=1, dead=1, oldest_due=oldest
    )
    assert found[WorkKind.PUBLISH].oldest_due is None


async def test_whether_work_is_due_is_told_without_a_claim(
    any_db: Database, clock: SettableClock
) -> None:
    before = await any_db.read(items.is_due, ALL, clock.now())
    await put(any_db, clock, "m")

    assert (before, await any_db.read(items.is_due, ALL, clock.now())) == (False, True)


async def test_no_work_is_claimed_twice_by_many_processes(
    any_url: str, clock: SettableClock
) -> None:
    databases = [open_database(any_url) for _ in range(4)]
    await asyncio.gather(*(put(databases[0], clock, f"m{n}") for n in range(200)))

    async def claim_all(owner: int) -> list[str]:
        mine: list[str] = []
        while found := await claim(databases[owner], clock, owner=str(owner), limit=7):
            mine += [item.ref for item in found]
        return mine

    shares = await asyncio.gather(*map(claim_all, range(4)))
    claimed = [ref for share in shares for ref in share]
    for database in databases:
        database.close()

    assert sorted(claimed) == sorted({f"m{n}" for n in range(200)})


async def test_many_processes_may_ask_for_the_same_work_at_once(
    any_url: str, clock: SettableClock
) -> None:
    databases = [open_database(any_url) for _ in range(3)]
    await asyncio.gather(*(put(db, clock, f"m{n}") for n in range(20) for db in databases))

    claimed = await claim(databases[0], clock, limit=100)
    for database in databases:
        database.close()

    assert len(claimed) == 20
