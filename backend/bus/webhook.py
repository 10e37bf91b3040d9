"""Deliver one event to one endpoint: a try, and what follows from how it ended.

2xx takes it. 410 switches the endpoint off. Anything else goes down the ladder (bus/ladder.py) and
becomes a dead letter at its end. An endpoint that has failed for days is switched off, and an
alert is raised.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from backend.bus.gate import rest_after
from backend.bus.ladder import wait_after
from backend.bus.line import step_aside
from backend.bus.poster import Answer
from backend.bus.signing import in_style, signed_headers
from backend.bus.webhook_secrets import opened
from backend.errors import ConfigError
from backend.model.bus import BusEvent, EventType
from backend.model.usage import UsageKind
from backend.model.webhooks import DeliveryState, WebhookTry
from backend.queue import items
from backend.queue.announce import announce
from backend.store import usage, webhooks
from backend.store import webhook_deliveries as store

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from backend.bus.context import Bus
    from backend.model.webhooks import Endpoint, WebhookDelivery
    from backend.model.work import WorkItem
    from backend.ports import Ids
    from backend.store.types import Tx

DISABLED = "webhook_disabled"
"""What the alert about an endpoint that was switched off is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One delivery that is due: to whom, and the secrets that sign it, as they are kept."""

    delivery: WebhookDelivery
    endpoint: Endpoint
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a try ended, when, and what is needed to write that down."""

    answer: Answer
    at: datetime
    ids: Ids
    disable_after: timedelta


async def deliver(item: WorkItem, bus: Bus) -> None:
    """Try the delivery an item names once, unless its endpoint is off, full or failing."""
    turn = await bus.db.read(load, item.ref, bus.clock.now())
    if turn is None or turn.delivery.state is not DeliveryState.PENDING:
        await bus.db.write(items.finish, item)
        return
    if not turn.endpoint.enabled:
        await bus.db.write(_give_up, item, turn, bus.clock.now())
        return
    lane, rest = turn.endpoint.id, _rest(turn.endpoint, bus.clock.now())
    if rest or not bus.gate.admit(lane, failures=turn.endpoint.failures):
        await step_aside(item, bus, lane, endpoint_id=lane, rest=rest)
        return
    answer, began = None, bus.clock.monotonic()
    try:
        answer = await post(turn, bus)
    finally:
        took = bus.clock.monotonic() - began
        bus.gate.leave(lane, ok=answer is not None and answer.ok, seconds=took)
    ended = Ended(answer=answer, at=bus.clock.now(), ids=bus.ids, disable_after=bus.disable_after)
    await bus.db.write(_settle, item, turn.delivery, ended)


def _rest(endpoint: Endpoint, now: datetime) -> float:
    """Give the seconds for which an endpoint that fails is left alone by all processes."""
    if endpoint.last_failed_at is None or endpoint.last_failed_at > now:  # the clock was set back
        return 0.0
    since = (now - endpoint.last_failed_at).total_seconds()
    return max(rest_after(endpoint.failures) - since, 0.0)


def load(tx: Tx, delivery_id: str, now: datetime) -> Turn | None:
    """Read what a try needs, None when the delivery or its endpoint is gone."""
    delivery = store.get(tx, delivery_id)
    endpoint = webhooks.get(tx, delivery.endpoint_id) if delivery else None
    if delivery is None or endpoint is None:
        return None
    secrets = webhooks.secrets(tx, endpoint.id, now)
    return Turn(delivery=delivery, endpoint=endpoint, secrets=secrets)


async def post(turn: Turn, bus: Bus) -> Answer:
    """Sign and post once; without a secret to sign with nothing is posted, and that is told."""
    delivery, style = turn.delivery, turn.endpoint.style
    at = bus.clock.now()
    try:
        secrets = opened(bus.seal, turn.secrets)
    except ConfigError as error:
        return Answer(status=0, response="", error=str(error), milliseconds=0)
    headers = signed_headers(secrets, delivery.event_id, at, delivery.body)
    return await bus.poster.post(turn.endpoint.url, delivery.body, in_style(headers, style))


def note(tx: Tx, delivery: WebhookDelivery, ended: Ended) -> WebhookDelivery:
    """Keep a try and give the delivery as it is after it, not yet saved."""
    answer = ended.answer
    tried = replace(
        delivery,
        attempts=delivery.attempts + 1,
        status=answer.status,
        response=answer.response,
        error=answer.error,
        next_at=None,
    )
    store.note_try(
        tx,
        WebhookTry(
            id=ended.ids.new("try"),
            delivery_id=delivery.id,
            number=tried.attempts,
            at=ended.at,
            status=answer.status,
            response=answer.response,
            error=answer.error,
            milliseconds=answer.milliseconds,
        ),
    )
    return tried


def _settle(tx: Tx, item: WorkItem, delivery: WebhookDelivery, ended: Ended) -> None:
    endpoint = webhooks.lock(tx, delivery.endpoint_id)
    if endpoint is None:
        items.finish(tx, item)
        return
    tried = note(tx, delivery, ended)
    if ended.answer.ok:
        _taken(tx, endpoint, tried, ended)
        items.finish(tx, item)
        return
    switched_off = _blame(tx, endpoint, ended)
    wait = wait_after(tried.id, tried.attempts, retry_after=ended.answer.retry_after)
    if switched_off or wait is None:
        store.save(tx, replace(tried, state=DeliveryState.DEAD, done_at=ended.at))
        items.finish(tx, item)
        return
    again = ended.at + wait
    store.save(tx, replace(tried, next_at=again))
    items.retry(tx, item, again, tried.error)


def _taken(tx: Tx, endpoint: Endpoint, tried: WebhookDelivery, ended: Ended) -> None:
    store.save(tx, replace(tried, state=DeliveryState.DELIVERED, done_at=ended.at))
    usage.count(tx, endpoint.tenant_id, UsageKind.WEBHOOKS, ended.at)
    webhooks.note_success(tx, endpoint.id, ended.at)
    if endpoint.alerted:
        webhooks.save(
            tx,
            replace(
                endpoint,
                alerted=False,
                failures=0,
                failing_since=None,
                last_ok_at=ended.at,
                updated_at=ended.at,
            ),
        )
        announce(tx, _alert(EventType.ALERT_CLEARED, endpoint, "it takes events again", ended))


def _blame(tx: Tx, endpoint: Endpoint, ended: Ended) -> bool:
    """Note the failure of an endpoint; True when it is switched off, by this or before."""
    since = endpoint.failing_since or ended.at
    failing = replace(
        endpoint,
        failures=endpoint.failures + 1,
        failing_since=since,
        last_failed_at=ended.at,
        last_error=ended.answer.error,
    )
    reason = ""
    if ended.answer.gone:
        reason = "it answered 410: it wants nothing more"
    elif ended.at - since >= ended.disable_after:
        reason = f"it has failed since {since:%Y-%m-%d %H:%M}Z: {ended.answer.error}"
    if not endpoint.enabled or not reason:
        webhooks.save(tx, failing)
        return not endpoint.enabled
    off = replace(
        failing, enabled=False, disabled_reason=reason[:500], alerted=True, updated_at=ended.at
    )
    webhooks.save(tx, off)
    store.bury_waiting(tx, endpoint.id, f"the endpoint was switched off: {reason}"[:500], ended.at)
    announce(tx, _alert(EventType.ALERT_RAISED, endpoint, reason, ended))
    return True


def _give_up(tx: Tx, item: WorkItem, turn: Turn, at: datetime) -> None:
    """Make a dead letter of what waits for an endpoint that is off."""
    error = "the endpoint is switched off; switch it on and replay"
    dead = replace(turn.delivery, state=DeliveryState.DEAD, error=error, done_at=at, next_at=None)
    store.save(tx, dead)
    items.finish(tx, item)


def _alert(kind: EventType, endpoint: Endpoint, reason: str, ended: Ended) -> BusEvent:
    return BusEvent(
        id=ended.ids.new("evt"),
        type=kind.value,
        created_at=ended.at,
        tenant_id=endpoint.tenant_id,
        data={
            "alert_id": endpoint.id,
            "kind": DISABLED,
            "level": "warning",
            "sentence": reason,
            # without its path: some hide a token there
            "host": urlsplit(endpoint.url).netloc,
        },
    )
