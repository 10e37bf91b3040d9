"""The polling loop over the queue of receipt notices."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from backend.errors import InvalidInputError, NotFoundError, RelayError, TransientError
from backend.inbound.sources.notices import Ignored, Inline, read_notice
from backend.queue.supervisor import first_to_end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.inbound.intake import Intake
    from backend.model.inbound import Arrival
    from backend.ports import BlobStore, Notice, PatientQueue

BATCH = 10  # SQS gives no more at a time
WAIT_SECONDS = 20
FIRST_PAUSE = 1.0  # seconds after a failed poll
LONGEST_PAUSE = 60.0
HOLD_EVERY = 10.0  # seconds; the default visibility timeout of a queue is 30 s
HOLD_SECONDS = 60

_log = structlog.get_logger(__name__)


class SqsSource:
    """Reads notices and takes in what they announce; acknowledges only what is durable.

    Notices stay hidden for as long as they are worked on. One that cannot be read is logged with
    its receive count and left: SQS moves it to the dead-letter queue. ``hold_every`` is in seconds.
    """

    def __init__(
        self,
        queue: PatientQueue,
        intake: Intake,
        blobs: BlobStore,
        *,
        bucket: str,
        wait_seconds: int = WAIT_SECONDS,
        hold_every: float = HOLD_EVERY,
    ) -> None:
        self._queue = queue
        self._intake = intake
        self._blobs = blobs
        self._bucket = bucket
        self._wait_seconds = wait_seconds
        self._hold_every = hold_every

    async def run(self) -> None:
        """Poll until cancelled; errors of SQS are logged and waited out."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self.poll()
                pause = FIRST_PAUSE
            except TransientError as error:
                _log.warning("inbound notices wait", error=str(error), pause=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def poll(self) -> int:
        """Receive once and give how many notices were acknowledged.

        Raises TransientError also when a notice was put off: to receive on while the store is away
        would only wear out the notices' receive counts and fill the dead-letter queue.
        """
        notices = await self._queue.receive(BATCH, self._wait_seconds)
        if not notices:
            return 0
        acknowledged = 0

        async def work() -> None:
            nonlocal acknowledged
            acknowledged = await self._work(notices)

        await first_to_end(work, partial(self._keep_hidden, notices))
        return acknowledged

    async def _work(self, notices: Sequence[Notice]) -> int:
        """Take in what a batch announces and acknowledge what is durable."""
        # side by side: their writes share one commit
        taken = await asyncio.gather(*(self._take_in(notice) for notice in notices))
        done = [notice for notice, end in zip(notices, taken, strict=True) if end is True]
        if done:
            await self._queue.acknowledge(done)
        for end in taken:
            if isinstance(end, TransientError):
                raise end
        return len(done)

    async def _keep_hidden(self, notices: Sequence[Notice]) -> None:
        """Hide the batch for longer, again and again, so that no other receiver gets it too."""
        while True:
            await asyncio.sleep(self._hold_every)
            try:
                await self._queue.hold(notices, HOLD_SECONDS)
            except RelayError as error:
                # at worst the notices come again, and coming again does no harm
                _log.warning("notices not kept hidden", error=str(error))

    async def _take_in(self, notice: Notice) -> bool | TransientError:
        """Tell whether the notice may be acknowledged, or what keeps it from that for now."""
        log = _log.bind(notice=notice.id, received=notice.receive_count)
        try:
            found = read_notice(notice.body, bucket=self._bucket)
            if isinstance(found, Ignored):
                log.info("notice ignored", reason=found.reason)
                return True
            for arrival in found:
                await self._store(arrival)
        except (InvalidInputError, NotFoundError) as error:
            log.warning("notice left for the dead-letter queue", error=str(error))
            return False
        except TransientError as error:
            log.warning("notice put off", error=str(error))
            return error
        except Exception:  # the loop's edge: one bad notice must not stop the mailbox
            log.exception("notice left for the dead-letter queue")
            return False
        return True

    async def _store(self, found: Arrival | Inline) -> None:
        if isinstance(found, Inline):
            await self._blobs.put(found.arrival.blob_key, found.raw)
            found = found.arrival
        await self._intake.take_in(found)
