"""The worker: what becomes of work whose handler ends well, badly, late or never."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import structlog
from sqlalchemy import select

from backend.clock import SystemClock
from backend.errors import (
    LeaseLostError,
    PermanentError,
    ThrottledError,
    TransientError,
)
from backend.model.work import WorkItem, WorkKind
from backend.queue import items
from backend.queue.owner import process_owner
from backend.queue.worker import Worker, WorkerSettings
from backend.store.schema import work_items as t
from tests.waiting import until, until_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from sqlalchemy import Row

    from backend.ports import Clock
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import SettableClock

FAST = WorkerSettings(concurrency=4, poll_seconds=0.02, lease_seconds=30, drain_seconds=5)
SEND = WorkKind.SEND


def rows(tx: Tx) -> list[Row[tuple[object, ...]]]:
    """Give every row of the queue."""
    return list(tx.execute(select(t).order_by(t.c.id)).all())


async def put(db: Database, clock: Clock, *refs: str, kind: WorkKind = SEND) -> None:
    """Queue work that is due now."""
    for ref in refs:
        await db.write(items.enqueue, kind, ref, run_at=clock.now(), now=clock.now())


@asynccontextmanager
async def working(
    db: Database,
    clock: Clock,
    *handlers: Callable[[WorkItem], Awaitable[None]],
    settings: WorkerSettings = FAST,
) -> AsyncIterator[Worker]:
    """Run a worker with one handler per kind, and drain it at the end."""
    by_kind = dict(zip((SEND, WorkKind.PUBLISH), handlers, strict=False))
    worker = Worker(db, clock, by_kind, owner=process_owner(), settings=settings)
    running = asyncio.ensure_future(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await running


def failing_with(error: BaseException) -> Callable[[WorkItem], Awaitable[None]]:
    """Make a handler that raises."""

    async def handle(_: WorkItem) -> None:
        raise error

    return handle


async def settled(db: Database) -> Row[tuple[object, ...]]:
    """Wait until the one item has been put back or buried, and give its row."""

    async def is_settled() -> bool:
        (row,) = await db.read(rows)
        return row.attempts > 0 and row.lease_owner is None

    await until_async(is_settled)
    (row,) = await db.read(rows)
    return row


async def test_due_work_is_handled_and_finished(any_db: Database, clock: SettableClock) -> None:
    done: list[str] = []

    async def handle(item: WorkItem) -> None:
        await any_db.write(items.finish, item)
        done.append(item.ref)

    await put(any_db, clock, *(f"m{n}" for n in range(20)))
    async with working(any_db, clock, handle):
        await until(lambda: len(done) == 20)

    assert sorted(done) == sorted(f"m{n}" for n in range(20))
    assert await any_db.read(rows) == []


async def test_new_work_is_found_by_polling(db: Database, clock: SettableClock) -> None:
    done = asyncio.Event()

    async def handle(item: WorkItem) -> None:
        await db.write(items.finish, item)
        done.set()

    async with working(db, clock, handle) as worker:
        await until(lambda: not worker.running)
        await put(db, clock, "m")
        async with asyncio.timeout(10):
            await done.wait()

    assert await db.read(rows) == []


async def test_a_nudge_finds_work_at_once(db: Database, clock: SettableClock) -> None:
    done = asyncio.Event()

    async def handle(item: WorkItem) -> None:
        await db.write(items.finish, item)
        done.set()

    settings = replace(FAST, poll_seconds=3600.0)
    async with working(db, clock, handle, settings=settings) as worker:
        await asyncio.sleep(0.05)  # let it fall asleep; the test holds without
        await put(db, clock, "m")
        worker.nudge()
        async with asyncio.timeout(10):
            await done.wait()

    assert await db.read(rows) == []


async def test_no_more_runs_at_once_than_allowed(db: Database, clock: SettableClock) -> None:
    now, most, done = 0, 0, 0

    async def handle(item: WorkItem) -> None:
        nonlocal now, most, done
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.002)
        await db.write(items.finish, item)
        now -= 1
        done += 1

    await put(db, clock, *(f"m{n}" for n in range(40)))
    async with working(db, clock, handle):
        await until(lambda: done == 40)

    assert most == 4


async def test_a_slow_kind_does_not_hold_up_another(db: Database, clock: SettableClock) -> None:
    release = asyncio.Event()
    done = asyncio.Event()

    async def hang(item: WorkItem) -> None:
        await release.wait()
        await db.write(items.finish, item)

    async def publish(item: WorkItem) -> None:
        await db.write(items.finish, item)
        done.set()

    await put(db, clock, *(f"m{n}" for n in range(10)))
    async with working(db, clock, hang, publish) as worker:
        await until(lambda: len(worker.running) == 3)
        await put(db, clock, "event", kind=WorkKind.PUBLISH)
        async with asyncio.timeout(10):
            await done.wait()
        waiting = [row.kind for row in await db.read(rows)]
        release.set()

    assert waiting == ["send"] * 10


async def test_a_transient_error_waits_and_tries_again(
    any_db: Database, clock: SettableClock
) -> None:
    await put(any_db, clock, "m")
    async with working(any_db, clock, failing_with(TransientError("away"))):
        row = await settled(any_db)

    assert (row.error, row.dead) == ("away", False)
    assert timedelta(seconds=1) <= row.run_at - clock.now() <= timedelta(seconds=2)


async def test_the_wait_the_other_side_asked_for_is_kept(
    db: Database, clock: SettableClock
) -> None:
    await put(db, clock, "m")
    async with working(db, clock, failing_with(ThrottledError("slow", retry_after=300))):
        row = await settled(db)

    assert timedelta(seconds=300) <= row.run_at - clock.now() <= timedelta(seconds=330)


async def test_a_permanent_error_buries(any_db: Database, clock: SettableClock) -> None:
    await put(any_db, clock, "m")
    async with working(any_db, clock, failing_with(PermanentError("refused"))):
        row = await settled(any_db)

    assert (row.error, row.dead) == ("refused", True)


async def test_an_unforeseen_error_is_logged_with_its_traceback_and_tried_again(
    db: Database, clock: SettableClock
) -> None:
    await put(db, clock, "m")
    with structlog.testing.capture_logs() as logs:
        async with working(db, clock, failing_with(ZeroDivisionError("oh"))):
            row = await settled(db)

    (crash,) = [entry for entry in logs if entry["event"] == "handler crashed"]
    assert (row.error, row.dead) == ("oh", False)
    assert crash["exc_info"].__traceback__ is not None


async def test_an_unforeseen_error_buries_after_so_many_tries(
    db: Database, clock: SettableClock
) -> None:
    async def is_dead() -> bool:
        clock.advance(timedelta(hours=1))
        (row,) = await db.read(rows)
        return bool(row.dead)

    await put(db, clock, "m")
    settings = replace(FAST, lease_seconds=36_000_000)
    with structlog.testing.capture_logs():
        async with working(db, clock, failing_with(KeyError("x")), settings=settings):
            await until_async(is_dead)

    (row,) = await db.read(rows)
    assert (row.attempts, row.error) == (5, "KeyError: 'x'")


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyError("x")])
async def test_a_handler_that_fails_costs_no_slot(
    db: Database, clock: SettableClock, error: BaseException
) -> None:
    done = 0

    async def handle(item: WorkItem) -> None:
        nonlocal done
        if item.ref.startswith("bad"):
            raise error
        await db.write(items.finish, item)
        done += 1

    await put(db, clock, *(f"bad{n}" for n in range(8)), *(f"good{n}" for n in range(8)))
    with structlog.testing.capture_logs():
        async with working(db, clock, handle):
            await until(lambda: done == 8)

    assert all(row.ref.startswith("bad") for row in await db.read(rows))


async def test_a_handler_that_hangs_is_cancelled_recorded_and_its_work_given_back(
    db: Database, clock: SettableClock
) -> None:
    ended: list[str] = []

    async def hang(item: WorkItem) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(item.ref)

    await put(db, clock, "m")
    settings = replace(FAST, handler_seconds=0.05)
    with structlog.testing.capture_logs() as logs:
        async with working(db, clock, hang, settings=settings):
            row = await settled(db)

    assert ended == ["m"]
    assert (row.error, row.dead) == ("the handler was cancelled after 0.05 seconds", False)
    assert row.run_at > clock.now()
    assert any(entry["event"] == "handler crashed" for entry in logs)


async def test_a_timeout_within_a_handler_is_an_error_like_any_other(
    db: Database, clock: SettableClock
) -> None:
    await put(db, clock, "m")
    with structlog.testing.capture_logs():
        async with working(db, clock, failing_with(TimeoutError("its own"))):
            row = await settled(db)

    assert row.error == "its own"


async def test_a_lost_lease_is_only_logged(db: Database, clock: SettableClock) -> None:
    await put(db, clock, "m")
    with structlog.testing.capture_logs() as logs:
        async with working(db, clock, failing_with(LeaseLostError("taken"))) as worker:
            await until(lambda: any(entry["event"] == "result void" for entry in logs))
            await until(lambda: not worker.running)

    (row,) = await db.read(rows)
    assert row.lease_owner is not None


async def test_stalled_work_is_taken_over_after_the_lease(
    any_db: Database, clock: SettableClock
) -> None:
    done = asyncio.Event()

    async def handle(item: WorkItem) -> None:
        await any_db.write(items.finish, item)
        done.set()

    await put(any_db, clock, "m")
    lease = timedelta(seconds=30)
    await any_db.write(items.claim, [SEND], "elsewhere:1:1", now=clock.now(), lease=lease, limit=1)
    async with working(any_db, clock, handle) as worker:
        worker.nudge()
        await asyncio.sleep(0.05)
        assert not done.is_set()
        clock.advance(31)
        async with asyncio.timeout(10):
            await done.wait()


async def test_the_work_of_a_killed_process_is_taken_over_at_once(
    any_db: Database, clock: SettableClock
) -> None:
    code = "from backend.queue.owner import process_owner; print(process_owner())"
    owner = subprocess.run(  # noqa: ASYNC221  # nothing else runs in this test yet
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    done = asyncio.Event()

    async def handle(item: WorkItem) -> None:
        await any_db.write(items.finish, item)
        done.set()

    await put(any_db, clock, "m")
    lease = timedelta(hours=1)
    await any_db.write(items.claim, [SEND], owner, now=clock.now(), lease=lease, limit=1)
    async with working(any_db, clock, handle), asyncio.timeout(10):
        await done.wait()

    assert await any_db.read(rows) == []


async def test_long_work_keeps_its_lease_by_heartbeat(db: Database) -> None:
    clock = SystemClock()
    release = asyncio.Event()
    runs = 0

    async def handle(item: WorkItem) -> None:
        nonlocal runs
        runs += 1
        await release.wait()
        await db.write(items.finish, item)

    await put(db, clock, "m")
    settings = replace(FAST, lease_seconds=0.3)
    until_then = clock.monotonic() + 1.0  # several leases
    async with working(db, clock, handle, settings=settings) as worker:
        await until(lambda: clock.monotonic() > until_then)
        release.set()
        await until(lambda: not worker.running)

    assert (runs, await db.read(rows)) == (1, [])


async def test_a_clock_that_jumps_ahead_does_not_run_work_twice(
    db: Database, clock: SettableClock
) -> None:
    release = asyncio.Event()
    runs: list[str] = []

    async def handle(item: WorkItem) -> None:
        runs.append(item.ref)
        if item.ref == "long":
            await release.wait()
        await db.write(items.finish, item)

    await put(db, clock, "long")
    async with working(db, clock, handle) as worker:
        await until(lambda: runs == ["long"])
        clock.advance(timedelta(hours=1))
        await put(db, clock, "other")
        await until(lambda: "other" in runs)
        release.set()
        await until(lambda: not worker.running)

    assert (runs, await db.read(rows)) == (["long", "other"], [])


async def test_stopping_lets_running_work_end_and_claims_no_more(
    db: Database, clock: SettableClock
) -> None:
    begun, release = asyncio.Event(), asyncio.Event()
    done: list[str] = []

    async def handle(item: WorkItem) -> None:
        begun.set()
        await release.wait()
        await db.write(items.finish, item)
        done.append(item.ref)

    await put(db, clock, "first")
    async with working(db, clock, handle) as worker:
        await begun.wait()
        worker.stop()
        await put(db, clock, "second")
        worker.nudge()
        release.set()

    assert done == ["first"]
    assert [row.ref for row in await db.read(rows)] == ["second"]


async def test_a_drain_does_not_wait_for_ever(db: Database, clock: SettableClock) -> None:
    begun = asyncio.Event()

    async def hang(_: WorkItem) -> None:
        begun.set()
        await asyncio.Event().wait()

    await put(db, clock, "m")
    settings = replace(FAST, drain_seconds=0.05)
    async with asyncio.timeout(10), working(db, clock, hang, settings=settings):
        await begun.wait()

    (row,) = await db.read(rows)
    assert row.lease_owner is not None  # whether it took effect is unknown: the lease must run out


async def test_a_database_that_is_locked_is_waited_for(db: Database, clock: SettableClock) -> None:
    done = asyncio.Event()

    async def handle(item: WorkItem) -> None:
        await db.write(items.finish, item)
        done.set()

    def wait_briefly() -> None:
        with db._writer_engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            assert raw is not None
            raw.cursor().execute("PRAGMA busy_timeout=20")

    await put(db, clock, "m")
    await db._writer.submit_alone(wait_briefly)
    path = db.url.removeprefix("sqlite:///")
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        structlog.testing.capture_logs() as logs,
    ):
        other.execute("BEGIN IMMEDIATE")
        async with working(db, clock, handle), asyncio.timeout(10):
            await until(lambda: any(entry["event"] == "no work claimed" for entry in logs))
            other.execute("ROLLBACK")
            await done.wait()

    assert await db.read(rows) == []
