"""Receipt notices that SNS posts over HTTP: verified, then taken in like those of a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from backend.errors import InvalidInputError, NotFoundError, ServiceUnavailableError
from backend.inbound.sources.notices import Ignored, Inline, read_notice
from backend.store import arrivals as ledger
from backend.store.arrivals import SourceEvent

if TYPE_CHECKING:
    from backend.aws.sns import SnsTopics, SnsVerifier
    from backend.aws.sns_signature import SnsMessage
    from backend.inbound.intake import Intake
    from backend.model.inbound import Arrival
    from backend.ports import BlobStore, Clock
    from backend.store.engine import Database

CONFIRMED = "subscription_confirmed"
IGNORED = "ignored"
TAKEN = "processed"
SEEN = "duplicate_provider_event"

_log = structlog.get_logger(__name__)


class SnsDoor:
    """Lets verified messages of our topics in; subscriptions are confirmed by an API call."""

    def __init__(self, verifier: SnsVerifier, topics: SnsTopics) -> None:
        self._verifier = verifier
        self._topics = topics

    async def admit(self, body: bytes) -> SnsMessage | str:
        """Give a verified notification, or the outcome of a message about the subscription.

        Raises InvalidInputError, UnverifiedNoticeError, TransientError, RefusedError.
        """
        message = await self._verifier.verify(body)
        if message.type == "Notification":
            return message
        if message.type != "SubscriptionConfirmation":
            _log.warning("an SNS subscription has ended", topic=message.topic_arn)
            return IGNORED
        if not message.token:
            raise InvalidInputError("Token: this field is needed", field="Token")
        await self._topics.confirm(message.topic_arn, message.token)
        _log.info("SNS subscription confirmed", topic=message.topic_arn)
        return CONFIRMED


class SnsInbound:
    """Takes in what verified notifications announce, each MessageId once."""

    def __init__(
        self, db: Database, blobs: BlobStore, intake: Intake, clock: Clock, *, bucket: str
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._intake = intake
        self._clock = clock
        self._bucket = bucket

    async def take(self, message: SnsMessage) -> str:
        """Take a notification in and give the outcome; when this returns it is on disk.

        Raises InvalidInputError for a notice that is not ours, TransientError: SNS posts it again.
        """
        source = f"sns:{message.topic_arn}"
        if await self._db.read(ledger.event, source, message.message_id) is not None:
            return SEEN
        found = read_notice(message.message, bucket=self._bucket)
        ids: list[str] = []
        if not isinstance(found, Ignored):
            for arrival in found:
                ids += await self._store(arrival)
        outcome = IGNORED if isinstance(found, Ignored) else TAKEN
        # last: should we die before this, the repeat finds the rows made and only adds the event
        event = SourceEvent(
            source=source,
            event_id=message.message_id,
            outcome=outcome,
            seen_at=self._clock.now(),
            inbound_ids=tuple(ids),
        )
        return outcome if await self._db.write(ledger.add_event, event) else SEEN

    async def _store(self, found: Arrival | Inline) -> list[str]:
        if isinstance(found, Inline):
            await self._blobs.put(found.arrival.blob_key, found.raw)
            found = found.arrival
        try:
            return await self._intake.take_in(found)
        except NotFoundError as error:  # S3 may announce an object before it can be read
            raise ServiceUnavailableError(str(error)) from error
