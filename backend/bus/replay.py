"""Sending again what an endpoint did not take, or never got; in portions, each one transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.bus.endpoint_edit import the_one
from backend.bus.fan_out import queue_for
from backend.errors import InvalidInputError, NotFoundError
from backend.model.webhooks import DeliveryState
from backend.model.work import WorkKind
from backend.queue import items
from backend.store import outbox, webhooks
from backend.store import webhook_deliveries as store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.bus.context import Bus
    from backend.model.bus import BusEvent
    from backend.model.webhooks import DeliveryQuery, Endpoint, WebhookDelivery
    from backend.store.types import Tx

PORTION = 200


async def replay_one(bus: Bus, delivery_id: str, tenant_id: str | None) -> WebhookDelivery:
    """Queue a delivery anew, whatever became of it; raises NotFoundError, InvalidInputError."""
    return await bus.db.write(_replay_one, delivery_id, tenant_id, bus.clock.now())


async def replay_all(bus: Bus, query: DeliveryQuery) -> int:
    """Queue anew what a query means, dead letters unless it says otherwise; count them.

    What belongs to an endpoint that is off is left as it is.
    """
    wanted = query if query.state else replace(query, state=DeliveryState.DEAD)
    queued, last = 0, ""
    while True:
        n, last = await bus.db.write(_replay_portion, wanted, last, bus.clock.now())
        queued += n
        if not last:
            return queued


async def recover(bus: Bus, endpoint_id: str, since: datetime, tenant_id: str | None) -> int:
    """Queue the events since then that an endpoint never got: it was off, or not there; count."""
    queued, last = 0, ""
    endpoint = await bus.db.read(_live, endpoint_id, tenant_id)
    while True:
        found = await bus.db.read(outbox.since, endpoint.tenant_id, since, last, PORTION)
        queued += await bus.db.write(_recover_portion, endpoint_id, found, bus)
        if len(found) < PORTION:
            return queued
        last = found[-1].id


async def publish_waiting(bus: Bus) -> int:
    """Queue for the bus what it has not got yet, such as all from before it was set; count."""
    if not bus.url:
        raise InvalidInputError("there is no bus; set BUS_API_URL first")
    queued, last = 0, ""
    while True:
        n, last = await bus.db.write(_publish_portion, last, bus.clock.now())
        queued += n
        if not last:
            return queued


def _replay_one(tx: Tx, delivery_id: str, tenant_id: str | None, now: datetime) -> WebhookDelivery:
    delivery = store.get(tx, delivery_id, tenant_id)
    if delivery is None:
        raise NotFoundError(f"there is no delivery {delivery_id[:60]}")
    _live(tx, delivery.endpoint_id, None)
    return _anew(tx, delivery, now)


def _replay_portion(tx: Tx, query: DeliveryQuery, after: str, now: datetime) -> tuple[int, str]:
    """Queue some anew; give how many, and the id to go on from, "" at the end."""
    found = store.after(tx, query, after, PORTION)
    on = {one.id for one in webhooks.all_in_order(tx, query.tenant_id) if one.enabled}
    wanted = [delivery for delivery in found if delivery.endpoint_id in on]
    for delivery in wanted:
        _anew(tx, delivery, now)
    return len(wanted), found[-1].id if len(found) == PORTION else ""


def _live(tx: Tx, endpoint_id: str, tenant_id: str | None) -> Endpoint:
    """Give an endpoint that is on; raises NotFoundError, and InvalidInputError when it is off."""
    endpoint = the_one(tx, endpoint_id, tenant_id)
    if not endpoint.enabled:
        raise InvalidInputError(f"the webhook {endpoint_id} is off; switch it on first")
    return endpoint


def _recover_portion(tx: Tx, endpoint_id: str, found: Sequence[BusEvent], bus: Bus) -> int:
    endpoint, at = _live(tx, endpoint_id, None), bus.clock.now()
    return sum(queue_for(tx, event, [endpoint], at=at, ids=bus.ids) for event in found)


def _publish_portion(tx: Tx, after: str, now: datetime) -> tuple[int, str]:
    found = outbox.unpublished(tx, PORTION, after)
    if found:
        items.enqueue_all(tx, WorkKind.BUS, {event.id: now for event in found})
    return len(found), found[-1].id if len(found) == PORTION else ""


def _anew(tx: Tx, delivery: WebhookDelivery, now: datetime) -> WebhookDelivery:
    """Start a delivery from the foot of the ladder; its tries so far stay on record."""
    anew = replace(
        delivery, state=DeliveryState.PENDING, attempts=0, next_at=now, done_at=None, error=""
    )
    store.save(tx, anew)
    items.enqueue(tx, WorkKind.WEBHOOK, delivery.id, run_at=now, now=now)
    return anew
