"""The worker: claims due work, hands it to its handler, keeps its leases alive, settles failures.

A handler ends by calling finish, retry or bury inside the transaction of its results. What it
raises is settled here: TransientError waits and tries again, PermanentError is buried, anything
else is recorded with its traceback and tried again a few times. A handler that takes longer than
its time is cancelled and recorded likewise.
"""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from backend.errors import LeaseLostError, PermanentError, TransientError
from backend.queue import backoff, items
from backend.queue.owner import is_gone
from backend.queue.supervisor import all_to_end, first_to_end, is_cancelled, wait_for_event

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping
    from datetime import datetime
    from typing import Protocol, TypeAlias

    from backend.model.work import WorkItem, WorkKind
    from backend.ports import Clock
    from backend.store.engine import Database
    from backend.store.types import Tx

    Handler: TypeAlias = Callable[[WorkItem], Awaitable[None]]
    Burial: TypeAlias = Callable[[Tx, WorkItem, str], None]
    """Ends what cannot be done, with the reason."""

    class Claim(Protocol):
        """Leases due items to an owner: items.claim, or one that knows more."""

        def __call__(
            self,
            tx: Tx,
            kinds: Collection[WorkKind],
            owner: str,
            *,
            now: datetime,
            lease: timedelta,
            limit: int,
        ) -> list[WorkItem]:
            """Claim at most ``limit``."""
            ...


log = structlog.get_logger("queue.worker")


class _StuckError(Exception):
    """A handler took longer than it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How a worker works; all times in seconds.

    ``attempts`` is how often an item that raises something unforeseen is tried before it is
    buried; ``drain_seconds`` is how long running handlers may take to end once it stops;
    ``handler_seconds`` is how long any handler may take, stopping or not.
    """

    concurrency: int = 16
    poll_seconds: float = 0.5
    lease_seconds: float = 30.0
    drain_seconds: float = 20.0
    handler_seconds: float = 300.0
    attempts: int = 5


class Worker:
    """Runs the handlers of one process; ``run`` it under the supervisor and ``stop`` to drain."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        handlers: Mapping[WorkKind, Handler],
        *,
        owner: str,
        settings: WorkerSettings,
        claims: Mapping[WorkKind, Claim] | None = None,
        burials: Mapping[WorkKind, Burial] | None = None,
    ) -> None:
        """Take a handler for every kind, and for some a claim or a burial of their own.

        Without one of their own they are those of queue/items.py.
        """
        self._db = db
        self._clock = clock
        self._handlers = dict(handlers)
        self._claims = dict(claims or {})
        self._burials = dict(burials or {})
        self._owner = owner
        self._settings = settings
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._kinds = list(self._handlers)
        # one kind may not take every slot: a slow target must not hold up another
        self._most = max(1, settings.concurrency - len(self._kinds) + 1)
        self._batch = max(1, settings.concurrency // 4)
        self._running: dict[str, WorkItem] = {}
        self._claimed: asyncio.Queue[WorkItem | None] = asyncio.Queue()
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._beaten = clock.now()
        self._nudged = False
        self._behind = False  # the last claim took all it could, so there is probably more

    @property
    def running(self) -> tuple[WorkItem, ...]:
        """Give the items claimed here and not yet ended."""
        return tuple(self._running.values())

    def nudge(self) -> None:
        """Look for work now instead of at the next poll."""
        self._nudged = True
        self._wake.set()

    def stop(self) -> None:
        """Claim nothing more; ``run`` returns once the running handlers have ended."""
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Work until ``stop``, then drain."""
        self._running.clear()
        self._claimed = asyncio.Queue()
        self._beaten = self._clock.now()
        await first_to_end(self._work, self._beat, self._free_the_dead, self._cut_drain)

    async def _work(self) -> None:
        await all_to_end(self._claim_loop, *[self._slot] * self._settings.concurrency)

    async def _cut_drain(self) -> None:
        await self._stopping.wait()
        await asyncio.sleep(self._settings.drain_seconds)
        log.warning("handlers did not end in time", items=[item.id for item in self.running])

    async def _claim_loop(self) -> None:
        woken = False
        while not self._stopping.is_set():
            self._wake.clear()
            # a slot that ends wakes us: worth a claim only once a few are free
            if self._free >= self._batch or (self._free and (self._nudged or not woken)):
                try:
                    await self._claim()
                except TransientError as error:
                    log.warning("no work claimed", reason=str(error))
            woken = await wait_for_event(self._wake, self._settings.poll_seconds)
        for _ in range(self._settings.concurrency):
            self._claimed.put_nowait(None)

    @property
    def _free(self) -> int:
        return self._settings.concurrency - len(self._running)

    async def _claim(self) -> None:
        """Claim what the free slots can take, of the kinds that a look without a lock finds due."""
        now = self._clock.now()
        self._nudged, self._behind = False, False
        due = await self._db.read(items.due_kinds, self._kinds, now)
        if not due:
            return
        if abs(now - self._beaten) > self._lease / 2:
            # the clock jumped: our own leases must not look as if they had run out
            await self._extend(now)
        self._kinds.append(self._kinds.pop(0))  # another kind is first next time
        busy = Tally(item.kind for item in self._running.values())
        room = {kind: self._most - busy[kind] for kind in self._kinds if kind in due}
        for item in await self._db.write(self._claim_kinds, room, self._free, now=now):
            self._running[item.id] = item
            self._claimed.put_nowait(item)
        taken = Tally(item.kind for item in self._running.values()) - busy
        # a kind of which all was taken that could be has probably more
        self._behind = self._free <= 0 or any(taken[kind] >= room[kind] for kind in room)

    def _claim_kinds(
        self, tx: Tx, room: Mapping[WorkKind, int], free: int, *, now: datetime
    ) -> list[WorkItem]:
        """Claim in one transaction, kind after kind, at most ``free`` items."""
        claimed: list[WorkItem] = []
        for kind, most in room.items():
            limit = min(free - len(claimed), most)
            if limit > 0:
                claim = self._claims.get(kind, items.claim)
                claimed += claim(tx, [kind], self._owner, now=now, lease=self._lease, limit=limit)
        return claimed

    async def _slot(self) -> None:
        """Handle one item after another until told to end."""
        while (item := await self._claimed.get()) is not None:
            try:
                await self._handle(item)
            finally:
                self._running.pop(item.id, None)
                if self._behind or self._nudged:
                    self._wake.set()

    async def _handle(self, item: WorkItem) -> None:
        try:
            await self._in_time(item)
        except LeaseLostError as error:
            log.warning("result void", item=item.id, reason=str(error))
        except TransientError as error:
            await self._retry(item, error)
        except PermanentError as error:
            await self._bury(item, str(error))
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            await self._record(item, RuntimeError("the handler was cancelled from within"))
        except Exception as error:  # noqa: BLE001  # the edge of the loop: _record logs it
            await self._record(item, error)

    async def _in_time(self, item: WorkItem) -> None:
        """Run the handler, and cancel it when it takes too long; raises _StuckError then."""
        limit = asyncio.timeout(self._settings.handler_seconds)
        try:
            async with limit:
                await self._handlers[item.kind](item)
        except TimeoutError as error:
            if not limit.expired():
                raise
            seconds = self._settings.handler_seconds
            raise _StuckError(f"the handler was cancelled after {seconds:g} seconds") from error

    async def _record(self, item: WorkItem, error: Exception) -> None:
        log.error("handler crashed", item=item.id, attempt=item.attempts, exc_info=error)
        if item.attempts >= self._settings.attempts:
            await self._bury(item, f"{type(error).__name__}: {error}")
        else:
            await self._retry(item, error)

    async def _retry(self, item: WorkItem, error: Exception) -> None:
        asked = error.retry_after if isinstance(error, TransientError) else None
        wait = backoff.delay(item.id, item.attempts, retry_after=asked)
        log.info("work put back", item=item.id, wait=wait.total_seconds(), reason=str(error))
        await self._settle(item, items.retry, self._clock.now() + wait, str(error))

    async def _bury(self, item: WorkItem, reason: str) -> None:
        log.warning("work buried", item=item.id, reason=reason)
        await self._settle(item, self._burials.get(item.kind, items.bury), reason)

    async def _settle(self, item: WorkItem, fn: Callable[..., None], *args: object) -> None:
        try:
            await self._db.write(fn, item, *args)
        except TransientError as error:
            # lost, or the database is away: the lease runs out and the item comes back
            log.warning("work not settled", item=item.id, reason=str(error))

    async def _beat(self) -> None:
        """Extend the leases of what runs here, three times per lease."""
        while True:
            await asyncio.sleep(self._settings.lease_seconds / 3)
            try:
                await self._extend(self._clock.now())
            except TransientError as error:
                log.warning("no heartbeat", reason=str(error))

    async def _extend(self, now: datetime) -> None:
        if self._running:
            lost = await self._db.write(items.heartbeat, self.running, now=now, lease=self._lease)
            for item in lost:
                if item.id in self._running:
                    log.warning("lease lost", item=item.id)
        self._beaten = now

    async def _free_the_dead(self) -> None:
        """Free at once what processes of this host held when they died."""
        while True:
            try:
                for owner in await self._db.read(items.owners):
                    if is_gone(owner):
                        freed = await self._db.write(items.release, owner)
                        log.warning("freed work of a dead process", owner=owner, items=freed)
                        self.nudge()
            except TransientError as error:
                log.warning("dead processes not looked for", reason=str(error))
            await asyncio.sleep(self._settings.lease_seconds / 3)
