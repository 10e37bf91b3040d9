"""One TaskGroup owns every loop of the process: it restarts those that crash and drains in order.

This is the only module that makes tasks.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from backend.ports import Clock

log = structlog.get_logger("queue.supervisor")

FIRST_PAUSE = 0.5  # seconds before a crashed loop runs again; doubles with each crash in a row
LONGEST_PAUSE = 30.0
HEALTHY = 60.0  # a loop that ran for so many seconds starts again at FIRST_PAUSE
DRAIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopState:
    """How one loop fares; ``error`` is the last crash, empty when there was none."""

    name: str
    running: bool
    crashes: int
    error: str


@dataclass(slots=True, eq=False)
class _Loop:
    name: str
    run: Callable[[], Awaitable[None]]
    ask_to_stop: Callable[[], None] | None
    task: asyncio.Task[None] | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    crashes: int = 0
    in_a_row: int = 0
    error: str = ""


class Supervisor:
    """Owns the loops: ``add`` them, ``start``, and ``stop`` to end them in the order added."""

    def __init__(
        self, clock: Clock, *, first_pause: float = FIRST_PAUSE, drain: float = DRAIN_SECONDS
    ) -> None:
        self._clock = clock
        self._first_pause = first_pause
        self._drain = drain
        self._loops: list[_Loop] = []
        self._group: asyncio.TaskGroup | None = None
        self._owner: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()

    def add(
        self,
        name: str,
        run: Callable[[], Awaitable[None]],
        *,
        ask_to_stop: Callable[[], None] | None = None,
    ) -> None:
        """Take on a loop; one without ``ask_to_stop`` is cancelled when its turn to end comes."""
        loop = _Loop(name, run, ask_to_stop)
        self._loops.append(loop)
        if self._group is not None:
            self._launch(loop, self._group)

    def states(self) -> tuple[LoopState, ...]:
        """Tell how every loop fares, in the order added."""
        return tuple(
            LoopState(
                name=loop.name,
                running=loop.task is not None and not loop.task.done(),
                crashes=loop.crashes,
                error=loop.error,
            )
            for loop in self._loops
        )

    async def start(self) -> None:
        """Start every loop added so far; later ones start when added."""
        started = asyncio.Event()
        # the group must be entered and left in one task, whoever calls start and stop
        self._owner = asyncio.create_task(  # noqa: TID251  # the one owner of all tasks
            self._own(started), name="supervisor"
        )
        await started.wait()

    async def stop(self) -> None:
        """End every loop in the order added, each after it drained or ``drain`` seconds."""
        for loop in list(self._loops):
            await self._end(loop)
        self._ending.set()
        if self._owner is not None:
            await self._owner

    async def _own(self, started: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            for loop in self._loops:
                self._launch(loop, group)
            started.set()
            await self._ending.wait()
        self._group = None

    def _launch(self, loop: _Loop, group: asyncio.TaskGroup) -> None:
        loop.task = group.create_task(self._keep(loop), name=loop.name)

    async def _keep(self, loop: _Loop) -> None:
        """Run a loop until it returns or is to end; a crash is recorded and it runs again."""
        while not loop.stopping.is_set():
            began = self._clock.monotonic()
            try:
                await loop.run()
            except asyncio.CancelledError as error:
                if is_cancelled():
                    raise
                self._record(loop, error, began)
            except Exception as error:  # noqa: BLE001  # the edge of a loop: _record logs it
                self._record(loop, error, began)
            else:
                return
            await wait_for_event(loop.stopping, self._pause(loop))

    def _record(self, loop: _Loop, error: BaseException, began: float) -> None:
        if self._clock.monotonic() - began >= HEALTHY:
            loop.in_a_row = 0
        loop.crashes += 1
        loop.in_a_row += 1
        loop.error = f"{type(error).__name__}: {error}"
        log.error("loop crashed", loop=loop.name, crashes=loop.crashes, exc_info=error)

    def _pause(self, loop: _Loop) -> float:
        return float(min(self._first_pause * 2 ** min(loop.in_a_row - 1, 16), LONGEST_PAUSE))

    async def _end(self, loop: _Loop) -> None:
        loop.stopping.set()
        if loop.task is None or loop.task.done():
            return
        if loop.ask_to_stop is not None:
            loop.ask_to_stop()
            await asyncio.wait([loop.task], timeout=self._drain)
        if not loop.task.done():
            if loop.ask_to_stop is not None:
                log.warning("loop did not drain", loop=loop.name, seconds=self._drain)
            loop.task.cancel()
            await asyncio.wait([loop.task])


def is_cancelled() -> bool:
    """Tell whether this task itself is to end, and not only a cancellation leaked from below."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def first_to_end(*loops: Callable[[], Awaitable[None]]) -> None:
    """Run loops side by side; when one returns or raises, end the others and do the same."""
    errors: list[BaseException] = []
    tasks: list[asyncio.Task[None]] = []

    async def run(loop: Callable[[], Awaitable[None]]) -> None:
        try:
            await loop()
        except Exception as error:  # noqa: BLE001  # raised again below, without its group
            errors.append(error)
        for task in tasks:
            if task is not asyncio.current_task():
                task.cancel()

    async with asyncio.TaskGroup() as group:
        tasks.extend(group.create_task(run(loop)) for loop in loops)
    if errors:
        raise errors[0]


async def all_to_end(*loops: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run loops side by side until every one has returned; the first error ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            for loop in loops:
                group.create_task(loop())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def wait_for_event(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event for a time; tell whether it came."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
