"""Poll the queue of SES events: receive, apply each, acknowledge once it is durable."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from backend.errors import InvalidInputError, TransientError
from backend.faultpoints import FaultPoint, faultpoint
from backend.feedback.apply import Stamp, apply_event
from backend.feedback.events import read_event
from backend.queue.supervisor import first_to_end, wait_for_event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backend.ports import Clock, Ids, Notice, NoticeQueue
    from backend.store.engine import Database

BATCH = 10  # what SQS gives at most
WAIT_SECONDS = 10
REST_SECONDS = 2.0  # after SQS or the database did not answer; doubles with each time in a row
LONGEST_REST = 60.0

log = structlog.get_logger("feedback.poller")


class FeedbackPoller:
    """Reads SES events for one process; ``run`` it under the supervisor and ``stop`` to end."""

    def __init__(
        self,
        db: Database,
        queue: NoticeQueue,
        *,
        clock: Clock,
        ids: Ids,
        heard: Callable[[], None] | None = None,
    ) -> None:
        """``heard`` is called after each answer of the queue, once what it gave is applied."""
        self._db = db
        self._queue = queue
        self._clock = clock
        self._ids = ids
        self._heard = heard or (lambda: None)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Poll until ``stop``; what cannot be reached is asked again."""
        rest = REST_SECONDS
        while not self._stopping.is_set():
            try:
                await self.poll(WAIT_SECONDS)
                rest = REST_SECONDS
            except TransientError as error:
                log.warning("events wait", reason=str(error), rest=rest)
                await wait_for_event(self._stopping, rest)
                rest = min(rest * 2, LONGEST_REST)

    def stop(self) -> None:
        """Receive nothing more; ``run`` returns after the batch in hand."""
        self._stopping.set()

    async def poll(self, wait_seconds: int = 0) -> int:
        """Receive and apply one batch; give how many notices were acknowledged.

        Raises TransientError, also when an event could not be applied just now: to receive on
        would only wear out receive counts. Whatever was not acknowledged comes again.
        """
        done, put_off = await self._apply(await self._receive(wait_seconds))
        if put_off is None and not self._stopping.is_set():
            self._heard()
        if done:
            await self._queue.acknowledge(done)
            faultpoint(FaultPoint.EVENT_DELETED)
        if put_off is not None:
            raise put_off
        return len(done)

    async def _receive(self, wait_seconds: int) -> Sequence[Notice]:
        """Receive a batch; a long poll is given up when told to stop, its notices come again."""
        received: list[Notice] = []

        async def ask() -> None:
            received.extend(await self._queue.receive(BATCH, wait_seconds))

        await first_to_end(ask, self._until_stopped)
        return received

    async def _until_stopped(self) -> None:
        await self._stopping.wait()

    async def _apply(self, notices: Sequence[Notice]) -> tuple[list[Notice], TransientError | None]:
        """Apply notices side by side, one transaction each; give those that are durable.

        With them comes why others have to wait, if any do.
        """
        results = await asyncio.gather(*map(self._one, notices), return_exceptions=True)
        done, put_off = [], None
        for notice, result in zip(notices, results, strict=True):
            if result is None:
                done.append(notice)
            elif isinstance(result, InvalidInputError):
                # left to the dead-letter queue: SQS moves it there after some receives
                log.warning("not an SES event", notice=notice.id, reason=str(result))
            elif isinstance(result, TransientError):
                put_off = result
            elif isinstance(result, Exception):
                log.error("event not applied", notice=notice.id, exc_info=result)
            else:
                raise result
        return done, put_off

    async def _one(self, notice: Notice) -> None:
        event = read_event(notice.body, notice_id=notice.id)
        if event is not None:
            stamp = Stamp(at=self._clock.now(), ids=self._ids)
            await self._db.write(apply_event, event, stamp)
            faultpoint(FaultPoint.EVENT_AFTER_COMMIT)
