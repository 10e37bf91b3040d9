"""Numbers for charts and for the summary of a run. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from datetime import datetime


class Counter(Explained):
    """What the counter table counts, per tenant and minute; mail out counts recipients."""

    ACCEPTED = "accepted", "Recipients accepted for sending."
    SENT = "sent", "Recipients SES has accepted."
    DELIVERED = "delivered", "Recipients whose server took the mail."
    BOUNCED = "bounced", "Recipients whose server refused it for good."
    COMPLAINED = "complained", "Recipients who marked it as spam."
    SUPPRESSED = "suppressed", "Recipients skipped by the suppression list."
    FAILED = "failed", "Recipients that could not be sent to."
    CANCELED = "canceled", "Recipients whose mail was called off before its time."
    RECEIVED = "received", "Inbound messages taken in."
    THREADED = "threaded", "Inbound messages matched to a mail we sent."
    FORWARDED_PSA = "forwarded_psa", "Inbound messages the PSA took."
    FORWARDED_CRM = "forwarded_crm", "Inbound messages the CRM took."
    FORWARDED_PORTAL = "forwarded_portal", "Inbound messages the Portal took."
    HELD = "held", "Inbound messages held."
    QUARANTINED = "quarantined", "Inbound messages quarantined."


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPoint:
    """Counts of one minute, which starts at ``at``."""

    at: datetime
    counts: dict[Counter, int]
