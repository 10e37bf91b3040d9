"""Mail posted by another program to ``POST /events/inbound``; each event is acted on once.

The outcome of every event is a row of the ledger, also when no mail came of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.errors import NotFoundError, ServiceUnavailableError
from backend.inbound.sources.fetch import TooLargeError
from backend.inbound.sources.own_keys import http_key
from backend.mime.limits import MAX_BYTES
from backend.mime.tree import read_head
from backend.model.explained import Explained
from backend.model.inbound import Arrival
from backend.store import arrivals as ledger
from backend.store.arrivals import SourceEvent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from backend.inbound.intake import Intake
    from backend.ports import BlobStore, Clock
    from backend.store.engine import Database

SOURCE_HTTP = "http"
REDACTED = "[redacted]"
_SECRET = re.compile(r"secret|token|authori[sz]ation|password|api[-_]?key|cookie|signature", re.I)
_MAX_METADATA = 50
_MAX_VALUE = 500


class Outcome(Explained):
    """What became of an event; only PROCESSED is new mail, the others are final as well."""

    PROCESSED = "processed", "A row was made for each recipient."
    DUPLICATE = "duplicate_provider_event", "This event, or this very mail, had come before."
    MISSING_DOMAIN = "missing_domain", "No recipient is in a domain of ours; the mail is kept."
    MALFORMED = "malformed_mime", "The bytes are no mail: there is no header in them."
    OVERSIZED = "oversized_message", "The mail is larger than 40 MB."


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpEvent:
    """An event as posted: ``raw``, or else ``raw_url`` where the raw mail is read from."""

    event_id: str
    provider: str = ""
    message_id: str = ""
    recipients: tuple[str, ...] = ()
    raw: bytes | None = None
    raw_url: str = ""
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventResult:
    """The outcome of an event and the messages it is about."""

    outcome: Outcome
    inbound_ids: tuple[str, ...] = ()


class HttpSource:
    """Takes events in; ``fetch`` reads a URL under guard."""

    def __init__(
        self,
        db: Database,
        blobs: BlobStore,
        intake: Intake,
        clock: Clock,
        *,
        fetch: Callable[[str], Awaitable[bytes]],
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._intake = intake
        self._clock = clock
        self._fetch = fetch

    async def take(self, event: HttpEvent) -> EventResult:
        """Take one event in, to the end; when this returns it is on disk.

        Raises InvalidInputError for a URL that may not be read, TransientError when the store or
        the URL is away: nothing is recorded then and the caller may post the event again.
        """
        source = f"{SOURCE_HTTP}:{event.provider}"
        before = await self._db.read(ledger.event, source, event.event_id)
        if before is not None:
            return EventResult(outcome=Outcome.DUPLICATE, inbound_ids=before.inbound_ids)
        record = SourceEvent(
            source=source,
            event_id=event.event_id,
            outcome="",
            seen_at=self._clock.now(),
            detail=event.message_id[:200],
            metadata=redacted(event.metadata),
        )
        try:
            raw = event.raw if event.raw is not None else await self._fetch(event.raw_url)
        except TooLargeError:
            return await self._refuse(record, Outcome.OVERSIZED)
        if len(raw) > MAX_BYTES:
            return await self._refuse(record, Outcome.OVERSIZED)
        if not _is_mail(raw):
            return await self._refuse(record, Outcome.MALFORMED)
        return await self._take(event, record, raw)

    async def _take(self, event: HttpEvent, record: SourceEvent, raw: bytes) -> EventResult:
        key = http_key(event.provider, event.event_id, raw)
        await self._blobs.put(key, raw)
        arrival = Arrival(
            source=SOURCE_HTTP,
            blob_key=key,
            recipients=event.recipients,
            received_at=record.seen_at,
            size=len(raw),
        )
        try:
            await self._intake.take(arrival, record)
        except NotFoundError as error:
            raise ServiceUnavailableError(f"the stored mail cannot be read: {error}") from error
        done = await self._db.read(ledger.event, record.source, record.event_id)
        if done is None:  # the ledger was emptied under us
            raise ServiceUnavailableError("the event was not recorded; post it again")
        return EventResult(outcome=Outcome(done.outcome), inbound_ids=done.inbound_ids)

    async def _refuse(self, record: SourceEvent, outcome: Outcome) -> EventResult:
        ended = SourceEvent(
            source=record.source,
            event_id=record.event_id,
            outcome=outcome.value,
            seen_at=record.seen_at,
            detail=record.detail,
            metadata=record.metadata,
        )
        await self._db.write(ledger.add_event, ended)
        return EventResult(outcome=outcome)


def redacted(metadata: Mapping[str, object]) -> dict[str, object]:
    """Give metadata fit to be kept: flat, short, without what looks like a secret."""
    kept: dict[str, object] = {}
    for key, value in list(metadata.items())[:_MAX_METADATA]:
        name = str(key)[:100]
        kept[name] = REDACTED if _SECRET.search(name) else _short(value)
    return kept


def _short(value: object) -> object:
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, dict):
        return redacted(value)
    if isinstance(value, list):
        return [_short(item) for item in value[:_MAX_METADATA]]
    return str(value)[:_MAX_VALUE]


def _is_mail(raw: bytes) -> bool:
    head = raw[: 64 * 1024]
    return b"\0" not in head[:1000] and any(True for _ in read_head(head).raw_items())
