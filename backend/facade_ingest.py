"""The verbs by which mail and notices come in other than through a queue: HTTP, SNS, files."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import AuthenticationError, InvalidInputError
from backend.feedback.apply import Stamp, apply_event
from backend.feedback.events import read_event
from backend.inbound.sources.own_keys import file_key
from backend.model.inbound import Arrival

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import SecretStr

    from backend.inbound.intake import Intake, Taken
    from backend.inbound.sources.http_event import EventResult, HttpEvent, HttpSource
    from backend.inbound.sources.sns_post import SnsDoor, SnsInbound
    from backend.ports import BlobStore, Clock, Ids
    from backend.store.engine import Database

SOURCE_FILE = "file"


class TokenError(AuthenticationError):
    """The token of the inbound endpoint is missing, wrong, or not set at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestParts:
    """What the verbs work with, joined by backend/app.py."""

    db: Database
    blobs: BlobStore
    intake: Intake
    clock: Clock
    ids: Ids
    http: HttpSource
    sns: SnsDoor
    sns_inbound: SnsInbound
    token: SecretStr


class Ingest:
    """Takes mail and notices in; every verb may raise a RelayError."""

    def __init__(self, parts: IngestParts) -> None:
        self._parts = parts

    def admit(self, token: str) -> None:
        """Check the token of POST /events/inbound in constant time; raises TokenError."""
        wanted = self._parts.token.get_secret_value()
        if not wanted:
            raise TokenError("INGESTER_INBOUND_TOKEN is not set, so no mail is taken here")
        if not hmac.compare_digest(token.encode(), wanted.encode()):
            raise TokenError("send `Authorization: Bearer` with the INGESTER_INBOUND_TOKEN")

    async def http_event(self, event: HttpEvent) -> EventResult:
        """Take in mail that another program posts; see inbound/sources/http_event.py."""
        return await self._parts.http.take(event)

    async def sns_inbound(self, body: bytes) -> str:
        """Take in a receipt notice that SNS posts, and give its outcome."""
        admitted = await self._parts.sns.admit(body)
        if isinstance(admitted, str):
            return admitted
        return await self._parts.sns_inbound.take(admitted)

    async def sns_feedback(self, body: bytes) -> str:
        """Apply a sending event that SNS posts, and give its outcome."""
        admitted = await self._parts.sns.admit(body)
        if isinstance(admitted, str):
            return admitted
        event = read_event(admitted.message, notice_id=admitted.message_id)
        if event is None:
            return "ignored"
        stamp = Stamp(at=self._parts.clock.now(), ids=self._parts.ids)
        fresh = await self._parts.db.write(apply_event, event, stamp)
        return "processed" if fresh else "duplicate_provider_event"

    async def take_file(self, raw: bytes, recipients: Sequence[str] = ()) -> Taken:
        """Take in one mail from a file; without recipients its headers tell them.

        Raises InvalidInputError for what is no mail at all.
        """
        if not raw.strip():
            raise InvalidInputError("the file holds no mail: it is empty", field="file")
        key = file_key(raw)
        await self._parts.blobs.put(key, raw)
        arrival = Arrival(
            source=SOURCE_FILE,
            blob_key=key,
            recipients=tuple(recipients),
            received_at=self._parts.clock.now(),
            size=len(raw),
        )
        return await self._parts.intake.take(arrival)
