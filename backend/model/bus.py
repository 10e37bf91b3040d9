"""Events told to the outside: the bus and subscribers (design.md: "Bus events"). No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class EventType(Explained):
    """Every event there is; each is written in the transaction that causes it."""

    ACCEPTED = "relay.email.accepted", "A mail is on disk and will be sent."
    SENT = "relay.email.sent", "SES has accepted the mail."
    DELIVERED = "relay.email.delivered", "The receiving server took it."
    DELAYED = "relay.email.delayed", "The receiving server put it off; SES goes on trying."
    BOUNCED = "relay.email.bounced", "The receiving server refused it, or reported that later."
    COMPLAINED = "relay.email.complained", "The recipient marked it as spam."
    REJECTED = "relay.email.rejected", "SES took it but would not send it."
    FAILED = "relay.email.failed", "It could not be sent; the reason is given."
    OPENED = "relay.email.opened", "Somebody, or a machine of theirs, opened it."
    CLICKED = "relay.email.clicked", "Somebody, or a machine of theirs, followed a link in it."
    SUPPRESSED = "relay.email.suppressed", "Recipients were left out: they are on the list."
    CANCELLED = "relay.email.cancelled", "A scheduled mail was called off before its time."
    INBOUND = "relay.email.inbound", "A received message has come to rest."
    DOMAIN_VERIFIED = "relay.domain.verified", "SES accepts mail from a domain."
    DOMAIN_FAILED = "relay.domain.failed", "SES gave up looking for the records of a domain."
    ALERT_RAISED = "relay.alert.raised", "Something needs a person to look at it."
    ALERT_CLEARED = "relay.alert.cleared", "What an alert was about is over."
    TEST = "relay.webhook.test", "Somebody tries an endpoint; nothing happened."


EMAIL_INBOUND = EventType.INBOUND.value


@dataclass(frozen=True, slots=True, kw_only=True)
class BusEvent:
    """One event; ``type`` is an EventType's value; ``data`` is JSON."""

    id: str
    type: str
    created_at: datetime
    tenant_id: str
    data: Mapping[str, object]
