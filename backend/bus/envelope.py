"""What is posted: the envelope of the bus, and the one a subscriber asked for. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.bus.resend_words import resend_event, utc
from backend.model.bus import EventType
from backend.model.webhooks import WebhookStyle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backend.bus.resend_words import Facts
    from backend.model.bus import BusEvent
    from backend.model.webhooks import Endpoint

TESTS = {WebhookStyle.RELAY: EventType.TEST.value, WebhookStyle.RESEND: "webhook.test"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One event for one subscriber: its name there and the very text that is signed."""

    type: str
    body: str


def as_json(event: BusEvent) -> dict[str, object]:
    """Give the event as the bus gets it; ``timestamp`` is its name in Standard Webhooks."""
    at = event.created_at.isoformat()
    return {
        "id": event.id,
        "type": event.type,
        "timestamp": at,
        "created_at": at,
        "tenant_id": event.tenant_id,
        "data": dict(event.data),
    }


def payload(event: BusEvent, endpoint: Endpoint, facts: Facts) -> Payload | None:
    """Give what an endpoint is told of an event, None when it did not ask for this one."""
    if endpoint.style is WebhookStyle.RELAY:
        if not wants(endpoint.events, event.type):
            return None
        return Payload(type=event.type, body=written(as_json(event)))
    said = resend_event(event, facts)
    if said is None or not wants(endpoint.events, said[0]):
        return None
    name, data = said
    return Payload(type=name, body=resend_body(name, event.created_at, data))


def test_payload(endpoint: Endpoint, event: BusEvent) -> Payload:
    """Give the test event in the words of an endpoint."""
    name = TESTS[endpoint.style]
    if endpoint.style is WebhookStyle.RELAY:
        return Payload(type=name, body=written(as_json(event)))
    return Payload(type=name, body=resend_body(name, event.created_at, event.data))


def resend_body(name: str, at: datetime, data: Mapping[str, object]) -> str:
    """Give Resend's envelope: type, created_at, data."""
    return written({"type": name, "created_at": utc(at), "data": dict(data)})


def wants(events: tuple[str, ...], name: str) -> bool:
    """Tell whether a filter lets an event through: a name, ``prefix.*``, or nothing for all."""
    return not events or any(
        name == one or (one.endswith(".*") and name.startswith(one[:-1])) for one in events
    )


def written(value: Mapping[str, object]) -> str:
    """Give JSON without spaces, ASCII only: no proxy on the way can change a byte of it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)
