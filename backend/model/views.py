"""Questions the console asks and the pages it gets. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from datetime import datetime

    from backend.model.feedback import TimelineEntry
    from backend.model.inbound import AttachmentInfo, InboundMessage, InboundStatus, Step
    from backend.model.outbound import Attempt, Email
    from backend.model.tenant import DnsRecord, Domain


class Direction(Explained):
    """Which way a message goes."""

    OUT = "out", "Sent by a tenant through SES."
    IN = "in", "Received for a tenant."


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which mail, both ways: ``text`` is part of an address, the subject or the id."""

    tenant_id: str | None = None
    direction: Direction | None = None
    status: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One line of the log; ``status`` is an EmailStatus or an InboundStatus value."""

    id: str
    at: datetime
    direction: Direction
    tenant_id: str
    sender: str
    recipient: str
    more_recipients: int
    subject: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundQuery:
    """Which inbound mail; no status means all of them."""

    tenant_id: str | None = None
    statuses: frozenset[InboundStatus] = frozenset()
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionQuery:
    """Which suppressions: ``text`` is part of the address."""

    tenant_id: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailDetail:
    """Everything known of one outbound mail, its timeline oldest first."""

    email: Email
    attempts: tuple[Attempt, ...]
    timeline: tuple[TimelineEntry, ...]
    replies: tuple[InboundMessage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundDetail:
    """Everything known of one inbound message; ``steps`` of the newest run, in order."""

    message: InboundMessage
    steps: tuple[Step, ...]
    attachments: tuple[AttachmentInfo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainDetail:
    """A domain with the records its owner publishes."""

    domain: Domain
    tenant_name: str
    records: tuple[DnsRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """What SES says of our account (GetAccount), and when it said so."""

    sending_enabled: bool
    production_access: bool
    enforcement: str
    max_send_rate: float
    max_24_hour_send: float
    sent_last_24_hours: float
    fetched_at: datetime
