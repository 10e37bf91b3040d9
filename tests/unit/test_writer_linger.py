"""The writer begins when the jobs that come together have come, and never waits for long."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from backend.store.engine import Database
from backend.store.linger import CROWD, Linger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from backend.store.types import Tx


class Jobs:
    """Counts jobs as the writer does, and notes how many waited when it was released."""

    def __init__(self) -> None:
        self.arrived = 0
        self.waiting = 0
        self.released: list[int] = []
        self.linger = Linger(self._release, lambda: self.arrived, lambda: self.waiting)
        self.done = asyncio.Event()

    def hand_in(self) -> None:
        self.arrived += 1
        self.waiting += 1
        self.linger.expect(asyncio.get_running_loop())

    def _release(self) -> None:
        self.released.append(self.waiting)
        self.linger.last_group, self.waiting = self.waiting, 0
        self.done.set()


async def test_jobs_of_one_turn_and_of_those_right_after_it_are_released_together() -> None:
    jobs = Jobs()
    for _ in range(4):
        jobs.hand_in()
        jobs.hand_in()
        await asyncio.sleep(0)
    await jobs.done.wait()

    assert jobs.released == [8]


async def test_a_stream_that_never_pauses_is_released_all_the_same() -> None:
    jobs = Jobs()
    for _ in range(100):
        jobs.hand_in()
        jobs.hand_in()
        await asyncio.sleep(0)

    assert 2 < jobs.released[0] <= 24


async def test_after_a_crowd_the_rest_of_it_is_waited_for() -> None:
    jobs = Jobs()
    jobs.linger.last_group = CROWD
    jobs.hand_in()
    for _ in range(5):
        await asyncio.sleep(0)
    early = list(jobs.released)
    for _ in range(CROWD - 1):
        jobs.hand_in()
    await asyncio.wait_for(jobs.done.wait(), 5)

    assert (early, jobs.released) == ([], [CROWD])


async def test_after_a_crowd_one_that_comes_alone_is_not_kept_waiting() -> None:
    jobs = Jobs()
    jobs.linger.last_group = 1000
    jobs.hand_in()
    await asyncio.wait_for(jobs.done.wait(), 5)

    assert jobs.released == [1]


@asynccontextmanager
async def database(url: str) -> AsyncIterator[Database]:
    db = Database(url)
    try:
        yield db
    finally:
        db.close()


async def test_callers_that_come_together_share_one_commit(sqlite_url: str) -> None:
    groups = []

    def note(_tx: Tx, items: Sequence[int]) -> list[int]:
        groups.append(len(items))
        return list(items)

    async with database(sqlite_url) as db:
        told = await asyncio.gather(*(db.write_gathered(note, n) for n in range(40)))

    assert (told, groups) == (list(range(40)), [40])


async def test_what_waits_when_the_database_closes_is_done(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    waiting = asyncio.ensure_future(db.write(lambda tx: tx.exec_driver_sql("SELECT 1").scalar()))
    await asyncio.sleep(0)
    db.close()

    assert await waiting == 1
