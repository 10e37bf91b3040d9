"""The bodies of the four calls (docs/targets.md), and what the desk makes of them. Pure."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from backend.model.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Priority(Explained):
    """How soon a ticket must be answered."""

    URGENT = "urgent", "Work stands still: one hour."
    HIGH = "high", "Work is hindered: four hours."
    NORMAL = "normal", "Everything else: one day."


SLA = {
    Priority.URGENT: timedelta(hours=1),
    Priority.HIGH: timedelta(hours=4),
    Priority.NORMAL: timedelta(hours=24),
}
_URGENT = re.compile(r"\b(urgent|emergency|outage|everyone)\b", re.IGNORECASE)
_HIGH = re.compile(r"\b(down|offline|cannot|failed|fails)\b", re.IGNORECASE)
_PREFIX_LENGTH = 3


def _decoded(value: object) -> object:
    """Read base64; raises ValueError when it is none."""
    return b64decode(value, validate=True) if isinstance(value, str) else value


class Sender(BaseModel):
    """The author of a mail as its From header says."""

    address: str = Field(default="", max_length=1000)
    name: str = Field(default="", max_length=1000)


class FileBody(BaseModel):
    """One attachment; ``content`` is base64, absent when there is a ``url`` or it was left out."""

    name: str = Field(default="", max_length=1000)
    content_type: str = Field(default="", max_length=1000)
    size: int = Field(default=0, ge=0)
    sha256: str = Field(default="", max_length=64)
    inline: bool = False
    content: Annotated[bytes, BeforeValidator(_decoded)] | None = None
    url: str | None = Field(default=None, max_length=4000)
    omitted: str | None = Field(default=None, max_length=100)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """Refuse content that is not what size and hash say."""
        if self.content is not None and sha256(self.content).hexdigest() != self.sha256:
            raise ValueError("the content does not have the sha256 that is given")
        return self


class MailBody(BaseModel):
    """What the four bodies share; fields not known are ignored, as the contract asks."""

    model_config = ConfigDict(extra="ignore")

    tenant_id: str = Field(default="", max_length=200)
    subject: str = Field(default="", max_length=998)
    sender: Sender = Field(default_factory=Sender, alias="from")
    recipient: str = Field(default="", max_length=1000)
    message_id: str = Field(default="", max_length=1000)
    attachments: list[FileBody] = Field(default=[], max_length=500)
    queue: str | None = Field(default=None, max_length=500)
    priority: str | None = Field(default=None, max_length=500)
    fields: dict[str, str] = Field(default={}, max_length=100)
    tags: list[str] = Field(default=[], max_length=100)


class TicketBody(MailBody):
    """The body of a new ticket."""

    description: str = Field(max_length=1_000_000)


class EntryBody(MailBody):
    """The body of a note, an activity or a reply."""

    text: str = Field(max_length=1_000_000)


class Action(Explained):
    """What a call asks the desk to do."""

    TICKET = "ticket", "Open a ticket."
    NOTE = "note", "Add a note to a ticket."
    ACTIVITY = "activity", "Log an activity on a contact."
    REPLY = "reply", "Add the client's reply to a ticket."


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, checked: ``ref`` is the ticket or contact of its path, as it was written there."""

    target: str
    action: Action
    path: str
    ref: str
    base_url: str
    idempotency_key: str
    body_hash: str
    raw: Mapping[str, Any]
    body: TicketBody | EntryBody
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a call: ``status`` 201 made, 200 repeated, 409 repeated with another body."""

    status: int
    answer: Mapping[str, Any]
    seq: int


def priority_of(subject: str, asked: str | None = None) -> Priority:
    """Take the priority asked for if there is one of that name, else guess from the subject."""
    if asked and asked.lower() in set(Priority):
        return Priority(asked.lower())
    if _URGENT.search(subject):
        return Priority.URGENT
    return Priority.HIGH if _HIGH.search(subject) else Priority.NORMAL


def number_prefix(recipient: str) -> str:
    """Give the letters of a ticket number: the first three of the domain it was written to."""
    domain = recipient.rpartition("@")[2]
    letters = "".join(c for c in domain.partition(".")[0] if c.isascii() and c.isalpha())
    return letters[:_PREFIX_LENGTH].upper().ljust(_PREFIX_LENGTH, "X") if letters else "TKT"
