"""The verbs of webhooks for the command line and the API; ``backend.webhooks``."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.bus import endpoint_edit, replay
from backend.bus.endpoint_edit import EndpointHand
from backend.bus.envelope import test_payload
from backend.bus.signing import written
from backend.bus.webhook import Ended, Turn, load, note, post
from backend.bus.webhook_secrets import renew_all
from backend.errors import InvalidInputError, NotFoundError
from backend.model.bus import BusEvent, EventType
from backend.model.webhooks import (
    DeliveryState,
    NewSecret,
    WebhookDelivery,
    WebhookDeliveryDetail,
)
from backend.store import webhook_deliveries as store
from backend.store import webhooks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from backend.bus.context import Bus
    from backend.model.webhooks import DeliveryQuery, Endpoint, EndpointChange, EndpointWish
    from backend.store.types import Tx

KEY_BYTES = 32
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=30)
_SAMPLE = {"test": True, "message": "This is a test; nothing happened."}


class WebhookDesk:
    """Endpoints and what was delivered to them; every verb may raise a RelayError.

    With a ``tenant_id`` a verb sees that tenant's endpoints only, and NotFoundError for others.
    """

    def __init__(self, bus: Bus, nudge: Callable[[], None]) -> None:
        self._bus = bus
        self._db = bus.db
        self._nudge = nudge

    async def create(self, wish: EndpointWish, *, actor: str) -> NewSecret:
        """Make an endpoint; its signing secret is in the answer and shown nowhere else."""
        self._bus.poster.check(wish.url)
        secret = _new_secret()
        kept = self._bus.seal.close(secret)
        endpoint = await self._db.write(endpoint_edit.add, self._hand(actor), wish, kept)
        return NewSecret(endpoint=endpoint, secret=secret)

    async def endpoints(self, tenant_id: str | None = None) -> Sequence[Endpoint]:
        """Give the endpoints of a tenant, or all, the oldest first."""
        return await self._db.read(webhooks.all_in_order, tenant_id)

    async def endpoint(self, endpoint_id: str, tenant_id: str | None = None) -> Endpoint:
        """Give one endpoint; raises NotFoundError."""
        return await self._db.read(endpoint_edit.the_one, endpoint_id, tenant_id)

    async def backlog(
        self, tenant_id: str | None = None
    ) -> Mapping[str, Mapping[DeliveryState, int]]:
        """Count what waits for each endpoint and its dead letters; endpoints without: left out."""
        return await self._db.read(store.states, tenant_id)

    async def update(
        self, endpoint_id: str, change: EndpointChange, *, actor: str, tenant_id: str | None = None
    ) -> Endpoint:
        """Change an endpoint and give it; raises NotFoundError, InvalidInputError."""
        if change.url is not None:
            self._bus.poster.check(change.url)
        hand = self._hand(actor, tenant_id)
        return await self._db.write(endpoint_edit.change, hand, endpoint_id, change)

    async def rotate(
        self,
        endpoint_id: str,
        *,
        actor: str,
        overlap: timedelta = OVERLAP,
        tenant_id: str | None = None,
    ) -> NewSecret:
        """Give an endpoint a new secret; for ``overlap`` the old one signs beside it."""
        if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise InvalidInputError(
                f"overlap: is 0 to {LONGEST_OVERLAP.days} days", field="overlap"
            )
        hand, secret = self._hand(actor, tenant_id), _new_secret()
        until = hand.at + overlap
        kept = self._bus.seal.close(secret)
        endpoint = await self._db.write(endpoint_edit.rotate, hand, endpoint_id, kept, until)
        await renew_all(self._bus)  # the old one may have been kept in clear until now
        return NewSecret(endpoint=endpoint, secret=secret)

    async def remove(
        self, endpoint_id: str, *, actor: str, tenant_id: str | None = None
    ) -> Endpoint:
        """Delete an endpoint with all its deliveries and give what it was."""
        hand = self._hand(actor, tenant_id)
        return await self._db.write(endpoint_edit.remove, hand, endpoint_id)

    async def test(self, endpoint_id: str, *, tenant_id: str | None = None) -> WebhookDelivery:
        """Post a test event now, also to an endpoint that is off, and give how that ended.

        It is tried once and says nothing about the health of the endpoint.
        """
        turn = await self._db.write(_test_turn, endpoint_id, tenant_id, self._bus)
        answer = await post(turn, self._bus)
        ended = Ended(
            answer=answer,
            at=self._bus.clock.now(),
            ids=self._bus.ids,
            disable_after=self._bus.disable_after,
        )
        return await self._db.write(_note_test, turn.delivery, ended)

    async def count_deliveries(self, query: DeliveryQuery) -> int:
        """Count the deliveries a query means."""
        return await self._db.read(store.count, query)

    async def deliveries(
        self, query: DeliveryQuery, start: int, size: int
    ) -> Sequence[WebhookDelivery]:
        """Give a page of deliveries, newest first."""
        return await self._db.read(store.page, query, start, size)

    async def deliveries_before(
        self, query: DeliveryQuery, delivery_id: str, size: int
    ) -> Sequence[WebhookDelivery]:
        """Give the deliveries that come after ``delivery_id`` in a list newest first."""
        return await self._db.read(store.before, query, delivery_id, size)

    async def delivery(
        self, delivery_id: str, tenant_id: str | None = None
    ) -> WebhookDeliveryDetail:
        """Give one delivery with its body and tries; raises NotFoundError."""
        return await self._db.read(_detail, delivery_id, tenant_id)

    async def delivery_of(
        self, endpoint_id: str, event_id: str, tenant_id: str | None = None
    ) -> WebhookDeliveryDetail:
        """Give the delivery of an event to an endpoint; raises NotFoundError."""
        return await self._db.read(_detail_of, endpoint_id, event_id, tenant_id)

    async def replay(self, delivery_id: str, tenant_id: str | None = None) -> WebhookDelivery:
        """Queue one delivery anew under the same event id, taken or not."""
        queued = await replay.replay_one(self._bus, delivery_id, tenant_id)
        self._nudge()
        return queued

    async def replay_all(self, query: DeliveryQuery) -> int:
        """Queue anew what a query means, dead letters unless it names a state; count them."""
        queued = await replay.replay_all(self._bus, query)
        self._nudge()
        return queued

    async def recover(self, endpoint_id: str, since: datetime, tenant_id: str | None = None) -> int:
        """Queue the events since then that an endpoint never got; count them."""
        queued = await replay.recover(self._bus, endpoint_id, since, tenant_id)
        self._nudge()
        return queued

    async def publish_waiting(self) -> int:
        """Queue for the bus all that it has not got; raises InvalidInputError without a bus."""
        queued = await replay.publish_waiting(self._bus)
        self._nudge()
        return queued

    def _hand(self, actor: str, tenant_id: str | None = None) -> EndpointHand:
        return EndpointHand(
            actor=actor, at=self._bus.clock.now(), ids=self._bus.ids, tenant_id=tenant_id
        )


def _new_secret() -> str:
    return written(secrets.token_bytes(KEY_BYTES))


def _test_turn(tx: Tx, endpoint_id: str, tenant_id: str | None, bus: Bus) -> Turn:
    endpoint = endpoint_edit.the_one(tx, endpoint_id, tenant_id)
    at = bus.clock.now()
    event = BusEvent(
        id=bus.ids.new("evt"),
        type=EventType.TEST.value,
        created_at=at,
        tenant_id=endpoint.tenant_id,
        data=_SAMPLE,
    )
    told = test_payload(endpoint, event)
    delivery = WebhookDelivery(
        id=bus.ids.new("dlv"),
        endpoint_id=endpoint.id,
        tenant_id=endpoint.tenant_id,
        event_id=event.id,
        type=told.type,
        body=told.body,
        # without a work item: if we die now it stays as it is, given up
        state=DeliveryState.DEAD,
        error="the test was cut short",
        created_at=at,
    )
    store.add(tx, delivery)
    turn = load(tx, delivery.id, at)
    if turn is None:
        raise NotFoundError(f"there is no webhook {endpoint_id[:60]}")
    return turn


def _note_test(tx: Tx, delivery: WebhookDelivery, ended: Ended) -> WebhookDelivery:
    state = DeliveryState.DELIVERED if ended.answer.ok else DeliveryState.DEAD
    if store.get(tx, delivery.id) is None:
        raise NotFoundError(f"the webhook {delivery.endpoint_id} was removed meanwhile")
    done = replace(note(tx, delivery, ended), state=state, done_at=ended.at)
    store.save(tx, done)
    return done


def _detail(tx: Tx, delivery_id: str, tenant_id: str | None) -> WebhookDeliveryDetail:
    delivery = store.get(tx, delivery_id, tenant_id)
    if delivery is None:
        raise NotFoundError(f"there is no delivery {delivery_id[:60]}")
    return WebhookDeliveryDetail(delivery=delivery, tries=store.tries_of(tx, delivery_id))


def _detail_of(
    tx: Tx, endpoint_id: str, event_id: str, tenant_id: str | None
) -> WebhookDeliveryDetail:
    endpoint = endpoint_edit.the_one(tx, endpoint_id, tenant_id)
    delivery = store.of_event(tx, endpoint.id, event_id)
    if delivery is None:
        raise NotFoundError(f"the webhook {endpoint_id[:60]} has no event {event_id[:60]}")
    return WebhookDeliveryDetail(delivery=delivery, tries=store.tries_of(tx, delivery.id))
