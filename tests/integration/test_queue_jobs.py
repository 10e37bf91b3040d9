"""Bulk jobs: chunks are atomic, crashes and stops lose nothing, everything is reported."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from backend.errors import LeaseLostError, NotFoundError, RefusedError, ServiceUnavailableError
from backend.model.jobs import JobKind, JobLine, JobState, JobWish, LineOutcome
from backend.model.work import WorkItem, WorkKind
from backend.queue import items
from backend.queue.jobs import TRIES, Chunk, JobRunner
from backend.queue.jobs_desk import JobDesk
from backend.store import audit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backend.model.jobs import Job
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock

OUTCOMES = list(LineOutcome)
LEASE = timedelta(seconds=30)


@dataclass(slots=True)
class Counting:
    """A step that counts from 0 to ``params["to"]``, three items a chunk, and remembers nothing."""

    clock: SettableClock
    before_look: Callable[[int], None] = field(default=lambda _place: None)
    in_write: Callable[[int], None] = field(default=lambda _place: None)

    async def count(self, job: Job) -> int | None:
        return int(str(job.params["to"]))

    async def look(self, job: Job) -> Chunk | None:
        place, end = int(job.cursor or 0), int(str(job.params["to"]))
        self.before_look(place)
        if place >= end:
            return None
        upto = min(place + 3, end)
        return Chunk(cursor=str(upto), apply=partial(self._apply, range(place, upto)))

    def _apply(self, places: Sequence[int], tx: Tx) -> list[JobLine]:
        self.clock.advance(1)  # two chunks fill a slice
        self.in_write(places[0])
        return [
            JobLine(ref=f"n{n}", outcome=OUTCOMES[n % 4], before={"n": n}, after={"n": n + 1})
            for n in places
        ]


@dataclass(slots=True)
class Bench:
    db: Database
    clock: SettableClock
    step: Counting
    desk: JobDesk
    runner: JobRunner
    nudges: list[int]

    async def start(self, to: int) -> Job:
        wish = JobWish(kind=JobKind.REPROCESS, params={"to": to}, tenant_id="acme")
        return await self.desk.start(wish, actor="ann")

    async def claim(self, owner: str = "a") -> WorkItem | None:
        claimed = await self.db.write(
            items.claim, [WorkKind.JOB], owner, now=self.clock.now(), lease=LEASE, limit=1
        )
        return claimed[0] if claimed else None

    async def work(self) -> int:
        """Handle the job's item until there is none; give how many slices it took."""
        slices = 0
        while (item := await self.claim()) is not None:
            await self.runner.handle(item)
            slices += 1
        return slices


@pytest.fixture
def bench(db: Database, clock: SettableClock, ids: CountingIds) -> Bench:
    return built(db, clock, ids)


@pytest.fixture
def any_bench(any_db: Database, clock: SettableClock, ids: CountingIds) -> Bench:
    return built(any_db, clock, ids)


def built(any_db: Database, clock: SettableClock, ids: CountingIds) -> Bench:
    nudges: list[int] = []
    step = Counting(clock)
    desk = JobDesk(any_db, clock, ids, lambda: nudges.append(1))
    runner = JobRunner(any_db, clock, {JobKind.REPROCESS: step})
    return Bench(any_db, clock, step, desk, runner, nudges)


async def test_a_job_is_done_in_slices_and_reports_every_item(any_bench: Bench) -> None:
    bench = any_bench
    begun = await bench.start(10)
    slices = await bench.work()

    job = await bench.desk.get(begun.id)
    assert (job.state, job.total, job.done, job.cursor) == (JobState.DONE, 10, 10, "10")
    assert (job.changed, job.unchanged, job.refused, job.failed) == (3, 3, 2, 2)
    assert None not in (job.started_at, job.finished_at)
    assert slices == 3
    page = await bench.desk.report(job.id, 4, 3)
    assert [line.ref for line in page] == ["n4", "n5", "n6"]
    assert (page[0].before, page[0].after) == ({"n": 4}, {"n": 5})
    refused = await bench.desk.report(job.id, 0, 9, LineOutcome.REFUSED)
    assert [line.ref for line in refused] == ["n2", "n6"]
    assert await bench.desk.count_lines(job.id) == 10
    assert [one.id for one in await bench.desk.list([JobState.DONE])] == [job.id]
    assert await bench.desk.list([JobState.FAILED]) == []
    (entry,) = await bench.db.read(audit.newest, 5)
    assert (entry.actor, entry.action, entry.subject) == ("ann", "job.started", job.id)
    assert bench.nudges == [1]


async def test_a_crash_in_a_chunk_leaves_nothing_of_it_and_the_job_goes_on(bench: Bench) -> None:
    begun = await bench.start(7)

    def crash(place: int) -> None:
        if place == 3:
            raise RuntimeError("power cut")

    bench.step.in_write = crash
    item = await bench.claim()
    assert item is not None
    with pytest.raises(RuntimeError):
        await bench.runner.handle(item)
    half = await bench.desk.get(begun.id)
    assert (half.state, half.done, half.cursor) == (JobState.RUNNING, 3, "3")

    bench.step.in_write = lambda _place: None
    bench.clock.advance(LEASE * 2)  # the dead worker's lease runs out
    await bench.work()
    job = await bench.desk.get(begun.id)
    refs = [line.ref for line in await bench.desk.report(job.id, 0, 99)]
    assert (job.state, refs) == (JobState.DONE, [f"n{n}" for n in range(7)])


async def test_a_worker_that_slept_past_its_lease_writes_nothing(any_bench: Bench) -> None:
    bench = any_bench
    begun = await bench.start(9)
    slept = await bench.claim("a")
    assert slept is not None
    bench.clock.advance(LEASE * 2)
    other = await bench.claim("b")
    assert other is not None

    with pytest.raises(LeaseLostError):
        await bench.runner.handle(slept)
    await bench.runner.handle(other)
    with pytest.raises(LeaseLostError):
        await bench.runner.handle(slept)
    await bench.work()

    assert (await bench.desk.get(begun.id)).done == 9
    assert await bench.desk.count_lines(begun.id) == 9


async def test_a_job_stops_between_chunks_and_keeps_what_it_did(bench: Bench) -> None:
    begun = await bench.start(30)
    item = await bench.claim()
    assert item is not None
    await bench.runner.handle(item)

    stopping = await bench.desk.cancel(begun.id, actor="bob")
    assert (stopping.state, stopping.cancelling) == (JobState.RUNNING, True)
    await bench.work()
    job = await bench.desk.get(begun.id)
    assert (job.state, job.done) == (JobState.CANCELLED, 6)
    assert await bench.desk.count_lines(job.id) == 6
    again = await bench.desk.cancel(begun.id, actor="bob")
    assert again == job
    entries = await bench.db.read(audit.newest, 9)
    assert [entry.action for entry in entries] == ["job.cancelled", "job.started"]


async def test_a_job_nobody_has_begun_is_stopped_at_once(bench: Bench) -> None:
    begun = await bench.start(30)
    assert (await bench.desk.cancel(begun.id, actor="bob")).state is JobState.CANCELLED
    await bench.work()
    job = await bench.desk.get(begun.id)
    assert (job.state, job.done, job.started_at) == (JobState.CANCELLED, 0, None)
    with pytest.raises(NotFoundError, match="job_none"):
        await bench.desk.cancel("job_none", actor="bob")


async def test_what_cannot_go_on_fails_the_job_and_what_may_later_waits(bench: Bench) -> None:
    def away(_place: int) -> None:
        raise ServiceUnavailableError("S3 is away")

    begun = await bench.start(3)
    bench.step.before_look = away
    item = await bench.claim()
    assert item is not None
    with pytest.raises(ServiceUnavailableError):
        await bench.runner.handle(item)
    assert (await bench.desk.get(begun.id)).state is JobState.RUNNING

    def refused(_place: int) -> None:
        raise RefusedError("no such rule any more")

    bench.step.before_look = refused
    bench.clock.advance(LEASE * 2)
    await bench.work()
    job = await bench.desk.get(begun.id)
    assert (job.state, job.error) == (JobState.FAILED, "no such rule any more")


async def test_a_bug_is_tried_a_few_times_and_then_fails_the_job(bench: Bench) -> None:
    def bug(_place: int) -> None:
        raise ZeroDivisionError("oh")

    begun = await bench.start(3)
    bench.step.before_look = bug
    for _ in range(TRIES - 1):
        item = await bench.claim()
        assert item is not None
        with pytest.raises(ZeroDivisionError):
            await bench.runner.handle(item)
        await bench.db.write(items.retry, item, bench.clock.now(), "oh")
    await bench.work()
    job = await bench.desk.get(begun.id)
    assert job.state is JobState.FAILED
    assert job.error == "ZeroDivisionError: oh; the traceback is in the log"
