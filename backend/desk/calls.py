"""The bodies of the four calls (docs/targets.md), and what the desk makes of them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

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


class Sender(BaseModel):
    """The author of a mail as its From header says."""

    address: str = Field(default="", max_length=1000)
    name: str = Field(default="", max_length=1000)


class MailBody(BaseModel):
    """What the four bodies share; fields not known are ignored, as the contract asks."""

    model_config = ConfigDict(extra="ignore")

    tenant_id: str = Field(default="", max_length=200)
    subject: str = Field(default="", max_length=998)
    sender: Sender = Field(default_factory=Sender, alias="from")
    recipient: str = Field(default="", max_length=1000)
    message_id: str = Field(default="", max_length=1000)


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


def priority_of(subject: str) -> Priority:
    """Guess how soon a ticket must be answered from the words of its subject."""
    if _URGENT.search(subject):
        return Priority.URGENT
    return Priority.HIGH if _HIGH.search(subject) else Priority.NORMAL


def number_prefix(recipient: str) -> str:
    """Give the letters of a ticket number: the first three of the domain it was written to."""
    domain = recipient.rpartition("@")[2]
    letters = "".join(c for c in domain.partition(".")[0] if c.isascii() and c.isalpha())
    return letters[:_PREFIX_LENGTH].upper().ljust(_PREFIX_LENGTH, "X") if letters else "TKT"
