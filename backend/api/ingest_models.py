"""An inbound event as JSON, checked once at the edge."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from backend.errors import InvalidInputError
from backend.inbound.sources.http_event import HttpEvent

MAX_RECIPIENTS = 100
MAX_ADDRESS = 320  # RFC 5321 4.5.3.1: 64 + 1 + 255


def _plain(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must not hold control characters")
    return value


def _as_bytes(value: Any) -> Any:
    """Read base64 text into bytes, line breaks or not."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("must be base64 text")  # noqa: TRY004  # pydantic wants ValueError
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64; encode the raw message as base64") from None


Line = Annotated[str, AfterValidator(_plain)]
Address = Annotated[Line, Field(min_length=3, max_length=MAX_ADDRESS, pattern="^[^@]+@[^@]+$")]
Base64 = Annotated[bytes | None, BeforeValidator(_as_bytes, json_schema_input_type=str)]


class InboundEventIn(BaseModel):
    """A received mail, announced by another program, with its raw MIME or where to read it."""

    model_config = ConfigDict(
        title="InboundEvent",
        json_schema_extra={
            "examples": [
                {
                    "event_id": "evt-1001",
                    "provider": "mailgun",
                    "recipients": ["ticket+1001@relay.example"],
                    "raw_mime": "From: jo@client.example\r\nSubject: Hello\r\n\r\nHi\r\n",
                }
            ]
        },
    )

    event_id: Annotated[Line, Field(min_length=1, max_length=200)]
    provider: Annotated[Line, Field(max_length=100)] = ""
    message_id: Annotated[str, Field(max_length=998)] = ""
    recipients: Annotated[list[Address], Field(max_length=MAX_RECIPIENTS)] = []
    raw_mime: str | None = None
    raw_mime_base64: Base64 = None
    raw_mime_url: Annotated[str, Field(max_length=4096)] | None = None
    metadata: dict[str, Any] = {}

    def to_event(self) -> HttpEvent:
        """Give the event; raises InvalidInputError unless there is exactly one raw message."""
        given = [self.raw_mime, self.raw_mime_base64, self.raw_mime_url]
        if sum(one is not None for one in given) != 1:
            raise InvalidInputError(
                "raw_mime: give exactly one of raw_mime, raw_mime_base64 and raw_mime_url",
                field="raw_mime",
            )
        raw = self.raw_mime_base64
        if self.raw_mime is not None:
            raw = self.raw_mime.encode("utf-8", "replace")
        return HttpEvent(
            event_id=self.event_id,
            provider=self.provider,
            message_id="".join(filter(str.isprintable, self.message_id)),
            recipients=tuple(self.recipients),
            raw=raw,
            raw_url=self.raw_mime_url or "",
            metadata=self.metadata,
        )
