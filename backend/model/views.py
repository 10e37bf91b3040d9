"""Questions the console asks and the pages it gets. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.suppression import SuppressionState

if TYPE_CHECKING:
    from datetime import datetime

    from backend.model.automated import Kind
    from backend.model.feedback import TimelineEntry
    from backend.model.inbound import (
        AttachmentInfo,
        InboundMessage,
        InboundStatus,
        MatchStatus,
        Reason,
        Step,
    )
    from backend.model.outbound import Attempt, Email
    from backend.model.suppression import SuppressionKind, SuppressionReason
    from backend.model.tenant import DnsRecord, Domain


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundQuery:
    """Which inbound mail; an empty set or text means any.

    ``sender`` and ``recipient`` are part of the address, or with ``*`` in them all of it;
    ``subject`` is part of the subject, ``text`` part of either, of an address or of the id.
    ``since`` and ``until`` bound the time of arrival, ``until`` not included. ``matches`` is how
    it stands to conversations.
    """

    tenant_id: str | None = None
    matches: frozenset[MatchStatus] = frozenset()
    statuses: frozenset[InboundStatus] = frozenset()
    text: str = ""
    reasons: frozenset[Reason] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    sender: str = ""
    recipient: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionQuery:
    """Which suppressions: ``text`` is part of the address; tenant "" means those for all tenants.

    With ``reasons`` any of them will do; with ``live_at`` those expired by then are left out.
    """

    tenant_id: str | None = None
    text: str = ""
    reason: SuppressionReason | None = None
    reasons: frozenset[SuppressionReason] = frozenset()
    kind: SuppressionKind | None = None
    state: SuppressionState = SuppressionState.ACTIVE
    import_id: str = ""
    live_at: datetime | None = None


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
    """A domain with the records its owner publishes; ``region`` is that of SES."""

    domain: Domain
    tenant_name: str
    records: tuple[DnsRecord, ...]
    region: str = ""


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
