"""The supervisor: crashed loops run again, and all end in the order they were added."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import structlog

from backend.queue.supervisor import Supervisor, all_to_end, first_to_end
from tests.waiting import until

if TYPE_CHECKING:
    from tests.settable import SettableClock


@pytest.fixture
def supervisor(clock: SettableClock) -> Supervisor:
    """A supervisor that hardly pauses."""
    return Supervisor(clock, first_pause=0.001, drain=0.2)


async def for_ever() -> None:
    """Run until cancelled."""
    await asyncio.Event().wait()


async def test_a_crashed_loop_runs_again_and_its_traceback_is_logged(
    supervisor: Supervisor,
) -> None:
    runs = 0

    async def crash_twice() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise ZeroDivisionError(runs)
        await for_ever()

    supervisor.add("sweeper", crash_twice)
    with structlog.testing.capture_logs() as logs:
        await supervisor.start()
        await until(lambda: runs == 3)
        (state,) = supervisor.states()
        await supervisor.stop()

    assert (state.running, state.crashes, state.error) == (True, 2, "ZeroDivisionError: 2")
    assert all(entry["exc_info"].__traceback__ for entry in logs)


async def test_the_pause_grows_with_each_crash_in_a_row(clock: SettableClock) -> None:
    supervisor = Supervisor(clock, first_pause=1)
    supervisor.add("sweeper", for_ever)
    (loop,) = supervisor._loops
    pauses = []
    for loop.in_a_row in (1, 2, 3, 10, 1000):
        pauses.append(supervisor._pause(loop))

    assert pauses == [1, 2, 4, 30, 30]


async def test_a_loop_that_ran_well_for_long_starts_over(
    supervisor: Supervisor, clock: SettableClock
) -> None:
    runs = 0

    async def run_long_then_crash() -> None:
        nonlocal runs
        runs += 1
        if runs > 3:
            await for_ever()
        clock.advance(100)
        raise ZeroDivisionError

    supervisor.add("sweeper", run_long_then_crash)
    await supervisor.start()
    await until(lambda: runs == 4)
    await supervisor.stop()

    assert supervisor._loops[0].in_a_row == 1


async def test_a_cancellation_that_leaks_from_below_is_a_crash(supervisor: Supervisor) -> None:
    runs = 0

    async def leak() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise asyncio.CancelledError
        await for_ever()

    supervisor.add("poller", leak)
    await supervisor.start()
    await until(lambda: runs == 2)
    (state,) = supervisor.states()
    await supervisor.stop()

    assert (state.running, state.crashes) == (True, 1)


async def test_a_loop_that_returns_is_not_run_again(supervisor: Supervisor) -> None:
    runs = 0

    async def once() -> None:
        nonlocal runs
        runs += 1

    supervisor.add("once", once)
    await supervisor.start()
    await until(lambda: not supervisor.states()[0].running)
    await supervisor.stop()

    assert runs == 1


async def test_one_crash_leaves_the_others_alone(supervisor: Supervisor) -> None:
    async def crash() -> None:
        raise ZeroDivisionError

    supervisor.add("good", for_ever)
    supervisor.add("bad", crash)
    await supervisor.start()
    await until(lambda: supervisor.states()[1].crashes > 3)
    good = supervisor.states()[0]
    await supervisor.stop()

    assert (good.running, good.crashes) == (True, 0)


async def test_loops_end_in_the_order_added_each_drained_before_the_next(
    supervisor: Supervisor,
) -> None:
    ended: list[str] = []
    asked = asyncio.Event()

    async def drain() -> None:
        await asked.wait()
        await asyncio.sleep(0.02)
        ended.append("worker")

    async def until_cancelled() -> None:
        try:
            await for_ever()
        finally:
            ended.append("poller")

    supervisor.add("worker", drain, ask_to_stop=asked.set)
    supervisor.add("poller", until_cancelled)
    await supervisor.start()
    await asyncio.sleep(0)
    await supervisor.stop()

    assert ended == ["worker", "poller"]


async def test_a_loop_that_does_not_drain_is_cancelled(supervisor: Supervisor) -> None:
    def ignore() -> None:
        """Do not stop."""

    supervisor.add("worker", for_ever, ask_to_stop=ignore)
    await supervisor.start()
    async with asyncio.timeout(10):
        await supervisor.stop()

    assert not supervisor.states()[0].running


async def test_a_loop_that_waits_to_run_again_ends_at_once(clock: SettableClock) -> None:
    async def crash() -> None:
        raise ZeroDivisionError

    supervisor = Supervisor(clock, first_pause=3600)
    supervisor.add("bad", crash, ask_to_stop=lambda: None)
    await supervisor.start()
    await until(lambda: supervisor.states()[0].crashes == 1)
    async with asyncio.timeout(10):
        await supervisor.stop()

    assert not supervisor.states()[0].running


async def test_a_loop_may_join_later(supervisor: Supervisor) -> None:
    await supervisor.start()
    supervisor.add("late", for_ever)
    running = supervisor.states()[0].running
    await supervisor.stop()

    assert running


async def test_a_supervisor_may_be_stopped_by_another_task(supervisor: Supervisor) -> None:
    supervisor.add("loop", for_ever)
    await asyncio.ensure_future(supervisor.start())
    await asyncio.ensure_future(supervisor.stop())

    assert not supervisor.states()[0].running


async def test_stopping_what_never_started_does_nothing(supervisor: Supervisor) -> None:
    supervisor.add("loop", for_ever)
    await supervisor.stop()

    assert not supervisor.states()[0].running


async def test_the_first_to_end_ends_the_others() -> None:
    cancelled = False

    async def other() -> None:
        nonlocal cancelled
        try:
            await for_ever()
        finally:
            cancelled = True

    async def first() -> None:
        await asyncio.sleep(0)

    async with asyncio.timeout(10):
        await first_to_end(other, first)

    assert cancelled


async def test_the_first_to_fail_ends_the_others_and_its_error_is_raised() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async with asyncio.timeout(10):
        with pytest.raises(ZeroDivisionError):
            await first_to_end(fail, for_ever)
        with pytest.raises(ZeroDivisionError):
            await all_to_end(fail, for_ever)
