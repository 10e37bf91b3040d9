"""One event becomes one piece of work for each who is to be told: the bus, and every subscriber."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.bus.envelope import payload
from backend.bus.resend_words import Facts
from backend.model.bus import EventType
from backend.model.webhooks import DeliveryState, WebhookDelivery, WebhookStyle
from backend.model.work import WorkKind
from backend.queue import items
from backend.store import domains, emails, inbound, outbox, webhook_deliveries, webhooks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.bus.context import Bus
    from backend.model.bus import BusEvent
    from backend.model.webhooks import Endpoint
    from backend.model.work import WorkItem
    from backend.ports import Ids
    from backend.store.types import Tx

_DOMAIN = (EventType.DOMAIN_VERIFIED, EventType.DOMAIN_FAILED)


async def fan_out(item: WorkItem, bus: Bus) -> None:
    """Queue the event an item names for all who want it, in one transaction."""
    await bus.db.write(_fan_out, item, bus)


def _fan_out(tx: Tx, item: WorkItem, bus: Bus) -> None:
    items.finish(tx, item)
    event = outbox.get(tx, item.ref)
    if event is None:
        return
    now = bus.clock.now()
    if bus.url:
        items.enqueue(tx, WorkKind.BUS, event.id, run_at=now, now=now)
    queue_for(tx, event, webhooks.enabled(tx, event.tenant_id), at=now, ids=bus.ids)


def queue_for(
    tx: Tx, event: BusEvent, endpoints: Sequence[Endpoint], *, at: datetime, ids: Ids
) -> int:
    """Queue an event for those of ``endpoints`` that want it and have it not yet; count them."""
    # only Resend's words need more than the event itself
    translated = any(endpoint.style is WebhookStyle.RESEND for endpoint in endpoints)
    facts = _facts(tx, event) if translated else Facts()
    queued = 0
    for endpoint in endpoints:
        told = payload(event, endpoint, facts)
        if told is None:
            continue
        delivery = WebhookDelivery(
            id=ids.new("dlv"),
            endpoint_id=endpoint.id,
            tenant_id=event.tenant_id,
            event_id=event.id,
            type=told.type,
            body=told.body,
            state=DeliveryState.PENDING,
            created_at=at,
            next_at=at,
        )
        if webhook_deliveries.add(tx, delivery):
            items.enqueue(tx, WorkKind.WEBHOOK, delivery.id, run_at=at, now=at)
            queued += 1
    return queued


def _facts(tx: Tx, event: BusEvent) -> Facts:
    """Read the rows an event is about."""
    if event.type == EventType.INBOUND:
        inbound_id = str(event.data.get("inbound_id", ""))
        files = inbound.attachments(tx, inbound_id)
        return Facts(inbound=inbound.get(tx, inbound_id), attachments=files)
    if event.type in _DOMAIN:
        return Facts(domain=domains.by_name(tx, str(event.data.get("domain", ""))))
    email_id = str(event.data.get("email_id", ""))
    return Facts(email=emails.get(tx, email_id)) if email_id else Facts()
