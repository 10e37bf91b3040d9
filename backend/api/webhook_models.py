"""The bodies of the calls about webhooks, and endpoints and deliveries as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.api.bodies import Moment  # pydantic reads the annotation
from backend.api.shapes import moment
from backend.model.webhooks import DeliveryState

if TYPE_CHECKING:
    from datetime import datetime

    from backend.model.webhooks import (
        Endpoint,
        WebhookDelivery,
        WebhookDeliveryDetail,
        WebhookTry,
    )

RESEND_STATUS = {
    DeliveryState.PENDING: "pending",
    DeliveryState.DELIVERED: "success",
    DeliveryState.DEAD: "failed",
}
MAX_EVENTS = 100


class WebhookIn(BaseModel):
    """The body of POST /api/webhooks."""

    model_config = ConfigDict(title="Webhook", extra="forbid")

    url: str = Field(description="Where events are posted; https.")
    events: list[str] = Field(
        default_factory=list,
        max_length=MAX_EVENTS,
        description="Which events, such as relay.email.bounced or relay.email.*; none means all.",
    )
    description: str = Field(default="", description="What it is for.")


class WebhookChangeIn(BaseModel):
    """The body of PATCH /api/webhooks/{id}; what is left out stays."""

    model_config = ConfigDict(title="WebhookChange", extra="forbid")

    url: str | None = None
    events: list[str] | None = Field(default=None, max_length=MAX_EVENTS)
    description: str | None = None
    enabled: bool | None = None


class WebhookRotationIn(BaseModel):
    """The body of POST /api/webhooks/{id}/rotate."""

    model_config = ConfigDict(title="WebhookRotation", extra="forbid")

    overlap_hours: float = Field(
        default=24, ge=0, le=720, description="How long the old secret signs beside the new one."
    )


class WebhookReplayIn(BaseModel):
    """The body of POST /api/webhooks/{id}/replay."""

    model_config = ConfigDict(title="WebhookReplay", extra="forbid")

    since: Moment | None = Field(default=None, description="Only what is not older.")
    until: Moment | None = Field(default=None, description="Only what is older.")
    type: str = Field(default="", description="Only events of this type.")
    state: DeliveryState = Field(default=DeliveryState.DEAD, description="Only in this state.")
    missed: bool = Field(
        default=False,
        description="Instead: events since then that it never got, as it was off or not there.",
    )


class ResendWebhookIn(BaseModel):
    """The body of POST /webhooks."""

    model_config = ConfigDict(title="ResendWebhook", extra="ignore")

    endpoint: str
    events: list[str] = Field(min_length=1, max_length=MAX_EVENTS)


class ResendWebhookChangeIn(BaseModel):
    """The body of PATCH /webhooks/{id}."""

    model_config = ConfigDict(title="ResendWebhookChange", extra="ignore")

    endpoint: str | None = None
    events: list[str] | None = Field(default=None, min_length=1, max_length=MAX_EVENTS)
    status: Literal["enabled", "disabled"] | None = None


def endpoint_json(endpoint: Endpoint) -> dict[str, Any]:
    """Give an endpoint as The One Relay's surface shows it; the secret is not in it."""
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "style": endpoint.style.value,
        "events": list(endpoint.events),
        "description": endpoint.description,
        "enabled": endpoint.enabled,
        "disabled_reason": endpoint.disabled_reason or None,
        "failures": endpoint.failures,
        "failing_since": _maybe(endpoint.failing_since),
        "last_ok_at": _maybe(endpoint.last_ok_at),
        "last_failed_at": _maybe(endpoint.last_failed_at),
        "last_error": endpoint.last_error or None,
        "previous_secret_until": _maybe(endpoint.previous_secret_until),
        "created_at": moment(endpoint.created_at),
        "updated_at": moment(endpoint.updated_at),
    }


def resend_json(endpoint: Endpoint) -> dict[str, Any]:
    """Give an endpoint as Resend does; the secret is told once only, so here it is null."""
    return {
        "object": "webhook",
        "id": endpoint.id,
        "endpoint": endpoint.url,
        "events": list(endpoint.events),
        "status": "enabled" if endpoint.enabled else "disabled",
        "created_at": moment(endpoint.created_at),
        "signing_secret": None,
    }


def delivery_json(delivery: WebhookDelivery) -> dict[str, Any]:
    """Give a delivery as a line of a list."""
    return {
        "id": delivery.id,
        "webhook_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "type": delivery.type,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "status": delivery.status or None,
        "error": delivery.error or None,
        "created_at": moment(delivery.created_at),
        "next_at": _maybe(delivery.next_at),
        "done_at": _maybe(delivery.done_at),
    }


def detail_json(detail: WebhookDeliveryDetail) -> dict[str, Any]:
    """Give a delivery with what was posted and every try."""
    return delivery_json(detail.delivery) | {
        "payload": json.loads(detail.delivery.body),
        "tries": [
            {
                "number": one.number,
                "at": moment(one.at),
                "status": one.status or None,
                "error": one.error or None,
                "response": one.response,
                "milliseconds": one.milliseconds,
            }
            for one in detail.tries
        ],
    }


def resend_event_json(delivery: WebhookDelivery) -> dict[str, Any]:
    """Give a delivery as a line of Resend's list of events; its id is the event's."""
    return {
        "id": delivery.event_id,
        "type": delivery.type,
        "created_at": moment(delivery.created_at),
        "status": RESEND_STATUS[delivery.state],
    }


def resend_attempt_json(made: WebhookTry) -> dict[str, Any]:
    """Give one try as Resend does."""
    return {
        "id": made.id,
        "http_status_code": made.status,
        "response": made.response or made.error,
        "sent_at": moment(made.at),
    }


def _maybe(at: datetime | None) -> str | None:
    return moment(at) if at else None
