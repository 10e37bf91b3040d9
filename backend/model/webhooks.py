"""Webhook endpoints of tenants, what was delivered to them, and what they answered. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from datetime import datetime


class WebhookStyle(Explained):
    """Whose words an endpoint is told events in."""

    RELAY = "relay", "The names and fields of the bus: relay.email.delivered."
    RESEND = "resend", "The names and fields of Resend: email.delivered."


class DeliveryState(Explained):
    """How far the delivery of one event to one endpoint is."""

    PENDING = "pending", "Waits for its first try or for the next one."
    DELIVERED = "delivered", "The endpoint took it."
    DEAD = "dead", "Given up; it can be replayed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where events of a tenant are posted; ``events`` empty means every one.

    ``failing_since`` is the first failure after the last success, ``failures`` how many in a row.
    ``disabled_reason`` says why it is off when nobody switched it off; ``alerted`` that an alert
    about that is open. The secrets are not here: they are shown once and used for signing only.
    """

    id: str
    tenant_id: str
    url: str
    style: WebhookStyle
    created_at: datetime
    updated_at: datetime
    description: str = ""
    events: tuple[str, ...] = ()
    enabled: bool = True
    disabled_reason: str = ""
    previous_secret_until: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    last_ok_at: datetime | None = None
    last_failed_at: datetime | None = None
    last_error: str = ""
    alerted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """An endpoint with its new signing secret, the only time that is shown."""

    endpoint: Endpoint
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """One event on its way to one endpoint; ``status`` is the last HTTP status, 0 for none.

    ``event_id`` stays the same over all tries and replays: receivers tell repeats by it.
    ``error`` is the sentence of the last failure; ``response`` the first 2 KB of the last answer.
    """

    id: str
    endpoint_id: str
    tenant_id: str
    event_id: str
    type: str
    body: str
    state: DeliveryState
    created_at: datetime
    attempts: int = 0
    next_at: datetime | None = None
    done_at: datetime | None = None
    status: int = 0
    response: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTry:
    """One call to an endpoint and how it ended; ``milliseconds`` is how long it took."""

    id: str
    delivery_id: str
    number: int
    at: datetime
    status: int
    response: str
    error: str
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDeliveryDetail:
    """A delivery with all its tries, oldest first."""

    delivery: WebhookDelivery
    tries: tuple[WebhookTry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryQuery:
    """Which deliveries are meant; what is None or empty does not narrow it."""

    tenant_id: str | None = None
    endpoint_id: str | None = None
    state: DeliveryState | None = None
    type: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointWish:
    """What is asked of a new endpoint."""

    tenant_id: str
    url: str
    style: WebhookStyle = WebhookStyle.RELAY
    events: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointChange:
    """What to change of an endpoint; what is None stays."""

    url: str | None = None
    events: tuple[str, ...] | None = None
    description: str | None = None
    enabled: bool | None = None
