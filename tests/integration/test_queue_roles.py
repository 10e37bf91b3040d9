"""Roles: one holder at a time, handed on when it stops, dies or is cut off."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.clock import SystemClock
from backend.queue import roles
from backend.queue.roles import RoleKeeper
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from backend.store.engine import Database
    from tests.settable import SettableClock

LEASE = timedelta(seconds=30)
SHORT = timedelta(seconds=0.3)


@asynccontextmanager
async def running(work: Awaitable[None]) -> AsyncIterator[asyncio.Future[None]]:
    """Run something beside the test and cancel it at the end."""
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


class Loop:
    """A loop that tells whether it runs."""

    def __init__(self) -> None:
        self.runs = 0
        self.active = False

    async def run(self) -> None:
        """Run until cancelled."""
        self.runs += 1
        self.active = True
        try:
            await asyncio.Event().wait()
        finally:
            self.active = False


async def test_a_role_has_one_holder(any_db: Database, clock: SettableClock) -> None:
    first = await any_db.write(roles.acquire, "sweeper", "a", now=clock.now(), lease=LEASE)
    second = await any_db.write(roles.acquire, "sweeper", "b", now=clock.now(), lease=LEASE)

    assert first is not None
    assert (first.owner, second) == ("a", None)


async def test_a_role_that_ran_out_changes_hands(any_db: Database, clock: SettableClock) -> None:
    old = await any_db.write(roles.acquire, "sweeper", "a", now=clock.now(), lease=LEASE)
    clock.advance(31)
    new = await any_db.write(roles.acquire, "sweeper", "b", now=clock.now(), lease=LEASE)

    assert old is not None
    assert new is not None
    assert (new.owner, new.fence) == ("b", old.fence + 1)
    assert not await any_db.write(roles.renew, old, now=clock.now(), lease=LEASE)
    assert await any_db.write(roles.renew, new, now=clock.now(), lease=LEASE)


async def test_a_role_given_up_is_free_at_once(any_db: Database, clock: SettableClock) -> None:
    await any_db.write(roles.acquire, "sweeper", "a", now=clock.now(), lease=LEASE)
    await any_db.write(roles.give_up, "sweeper", "a", now=clock.now())

    taken = await any_db.write(roles.acquire, "sweeper", "b", now=clock.now(), lease=LEASE)

    assert taken is not None


async def test_only_the_holder_can_give_a_role_up(any_db: Database, clock: SettableClock) -> None:
    await any_db.write(roles.acquire, "sweeper", "a", now=clock.now(), lease=LEASE)
    await any_db.write(roles.give_up, "sweeper", "b", now=clock.now())

    assert not await any_db.write(roles.acquire, "sweeper", "b", now=clock.now(), lease=LEASE)


async def test_a_loop_runs_in_one_process_only(any_db: Database) -> None:
    here, there = Loop(), Loop()
    first = RoleKeeper(any_db, SystemClock(), owner="one:1:1", lease=SHORT)
    second = RoleKeeper(any_db, SystemClock(), owner="two:1:1", lease=SHORT)

    async with running(first.run_as("sweeper", here.run)):
        await until(lambda: here.active)
        async with running(second.run_as("sweeper", there.run)):
            await asyncio.sleep(SHORT.total_seconds() * 2)  # long enough to lose it unrenewed
            assert (here.runs, there.runs) == (1, 0)
            assert first.held == {"sweeper"}


async def test_a_holder_that_stops_hands_on(any_db: Database) -> None:
    here, there = Loop(), Loop()
    first = RoleKeeper(any_db, SystemClock(), owner="one:1:1", lease=SHORT)
    second = RoleKeeper(any_db, SystemClock(), owner="two:1:1", lease=SHORT)

    async with (
        running(second.run_as("other", there.run)),
        running(first.run_as("sweeper", here.run)),
    ):
        await until(lambda: here.active and there.active)
    async with running(second.run_as("sweeper", there.run)):
        await until(lambda: there.runs == 2)

    assert not here.active


async def test_the_role_of_a_killed_process_is_taken_at_once(
    any_db: Database, clock: SettableClock
) -> None:
    code = "from backend.queue.owner import process_owner; print(process_owner())"
    dead = subprocess.run(  # noqa: ASYNC221  # nothing else runs in this test yet
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    await any_db.write(roles.acquire, "sweeper", dead, now=clock.now(), lease=LEASE)
    loop = Loop()

    keeper = RoleKeeper(any_db, clock, owner="me:1:1", lease=LEASE)
    async with running(keeper.run_as("sweeper", loop.run)):
        await until(lambda: loop.active)
        holding = await any_db.read(roles.holder, "sweeper")

    assert holding is not None
    assert holding.owner == "me:1:1"


async def test_a_holder_that_lost_the_role_stops_its_loop(any_db: Database) -> None:
    loop = Loop()
    clock = SystemClock()
    keeper = RoleKeeper(any_db, clock, owner="me:1:1", lease=SHORT)
    async with running(keeper.run_as("sweeper", loop.run)):
        await until(lambda: loop.active)
        later = clock.now() + timedelta(hours=1)
        await any_db.write(roles.acquire, "sweeper", "thief:1:1", now=later, lease=LEASE)
        await until(lambda: not loop.active)

    assert loop.runs == 1


async def test_a_holder_cut_off_from_the_database_stops_before_its_lease_ends(
    db: Database,
) -> None:
    loop = Loop()
    clock = SystemClock()
    keeper = RoleKeeper(db, clock, owner="me:1:1", lease=timedelta(seconds=1.5))
    path = db.url.removeprefix("sqlite:///")
    async with running(keeper.run_as("sweeper", loop.run)):
        await until(lambda: loop.active)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await until(lambda: not loop.active)
            holding = await db.read(roles.holder, "sweeper")
            other.execute("ROLLBACK")

            assert holding is not None
            assert clock.now() < holding.lease_until


async def test_a_loop_that_returns_ends_the_keeping(db: Database, clock: SettableClock) -> None:
    async def once() -> None:
        """Do nothing and return."""

    keeper = RoleKeeper(db, clock, owner="me:1:1", lease=LEASE)
    async with asyncio.timeout(10):
        await keeper.run_as("sweeper", once)

    taken = await db.write(roles.acquire, "sweeper", "b", now=clock.now(), lease=LEASE)
    assert taken is not None


async def test_what_a_loop_raises_is_passed_on_and_the_role_given_up(
    db: Database, clock: SettableClock
) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    keeper = RoleKeeper(db, clock, owner="me:1:1", lease=LEASE)
    with pytest.raises(ZeroDivisionError):
        await keeper.run_as("sweeper", fail)

    taken = await db.write(roles.acquire, "sweeper", "b", now=clock.now(), lease=LEASE)
    assert taken is not None
