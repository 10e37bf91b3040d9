"""The polling loop over the queue of receipt notices."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from backend.errors import InvalidInputError, NotFoundError, TransientError
from backend.inbound.sources.notices import Ignored, Inline, read_notice

if TYPE_CHECKING:
    from backend.inbound.intake import Intake
    from backend.model.inbound import Arrival
    from backend.ports import BlobStore, Notice, NoticeQueue

BATCH = 10  # SQS gives no more at a time
WAIT_SECONDS = 20
FIRST_PAUSE = 1.0  # seconds after a failed poll
LONGEST_PAUSE = 60.0

_log = structlog.get_logger(__name__)


class SqsSource:
    """Reads notices and takes in what they announce; acknowledges only what is durable.

    A notice that cannot be read is logged and left: SQS moves it to the dead-letter queue.
    """

    def __init__(
        self,
        queue: NoticeQueue,
        intake: Intake,
        blobs: BlobStore,
        *,
        bucket: str,
        wait_seconds: int = WAIT_SECONDS,
    ) -> None:
        self._queue = queue
        self._intake = intake
        self._blobs = blobs
        self._bucket = bucket
        self._wait_seconds = wait_seconds

    async def run(self) -> None:
        """Poll until cancelled; errors of SQS are logged and waited out."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self.poll()
                pause = FIRST_PAUSE
            except TransientError as error:
                _log.warning("the inbound queue cannot be read", error=str(error), pause=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def poll(self) -> int:
        """Receive once and give how many notices were acknowledged."""
        notices = await self._queue.receive(BATCH, self._wait_seconds)
        # side by side: their writes share one commit
        taken = await asyncio.gather(*(self._take_in(notice) for notice in notices))
        done = [notice for notice, durable in zip(notices, taken, strict=True) if durable]
        if done:
            await self._queue.acknowledge(done)
        return len(done)

    async def _take_in(self, notice: Notice) -> bool:
        """Tell whether the notice may be acknowledged."""
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
            return False
        except Exception:  # the loop's edge: one bad notice must not stop the mailbox
            log.exception("notice left for the dead-letter queue")
            return False
        return True

    async def _store(self, found: Arrival | Inline) -> None:
        if isinstance(found, Inline):
            await self._blobs.put(found.arrival.blob_key, found.raw)
            found = found.arrival
        await self._intake.take_in(found)
