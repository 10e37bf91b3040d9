"""Events told to subscribers over real HTTP: once each, signed, tried again, given up, replayed."""

from __future__ import annotations

import base64
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from standardwebhooks import Webhook

from backend.bus.fan_out import queue_for
from backend.bus.gate import TRIPS
from backend.bus.ladder import LADDER
from backend.bus.sweep import EventSweeper
from backend.bus.webhook_desk import WebhookDesk
from backend.bus.webhook_secrets import renew_all
from backend.errors import InvalidInputError, NotFoundError
from backend.model.tenant import Tenant
from backend.model.usage import UsageKind, UsageQuery
from backend.model.webhooks import (
    DeliveryQuery,
    DeliveryState,
    EndpointChange,
    EndpointWish,
    WebhookStyle,
)
from backend.model.work import WorkKind
from backend.queue.announce import announce
from backend.sealing import Seal
from backend.store import audit, outbox, tenants, usage, webhooks
from tests.settable import START
from tests.webhook_world import Receiver, World, event, receiving, telling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from backend.model.bus import BusEvent
    from backend.model.webhooks import Endpoint, NewSecret
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock

ALL = DeliveryQuery()
DEAD = DeliveryQuery(state=DeliveryState.DEAD)


@asynccontextmanager
async def with_tenants(
    db: Database, clock: SettableClock, ids: CountingIds, *, seconds: float = 10
) -> AsyncIterator[World]:
    for number in (1, 2):
        tenant = Tenant(id=f"ten_{number}", name=f"Tenant {number}", created_at=START)
        await db.write(tenants.add, tenant)
    async with telling(db, clock, ids, seconds=seconds) as built:
        yield built


@pytest.fixture
async def world(db: Database, clock: SettableClock, ids: CountingIds) -> AsyncIterator[World]:
    async with with_tenants(db, clock, ids) as built:
        yield built


@pytest.fixture
async def any_world(
    any_db: Database, clock: SettableClock, ids: CountingIds
) -> AsyncIterator[World]:
    async with with_tenants(any_db, clock, ids) as built:
        yield built


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as server:
        yield server


async def subscribed(world: World, receiver: Receiver, *events: str, **more: str) -> NewSecret:
    style = WebhookStyle(more.get("style", "relay"))
    wish = EndpointWish(
        tenant_id=more.get("tenant", "ten_1"), url=receiver.url, style=style, events=events
    )
    return await world.desk.create(wish, actor="tester")


async def states(world: World) -> list[tuple[str, str, int]]:
    found = await world.desk.deliveries(ALL, 0, 100)
    return [(one.event_id, one.state.value, one.attempts) for one in reversed(found)]


async def test_an_event_goes_once_to_each_endpoint_of_its_tenant_that_wants_it(
    any_world: World, receiver: Receiver
) -> None:
    world = any_world
    async with receiving() as other:
        first = await subscribed(world, receiver)
        await subscribed(world, other, "relay.email.bounced")
        await subscribed(world, other, tenant="ten_2")
        await world.bus.db.write(announce, event(1))
        await world.bus.db.write(announce, event(2, "relay.email.bounced"))
        await world.work()
        await world.work()

        assert sorted(body["id"] for body in receiver.bodies) == ["evt_1", "evt_2"]
        assert [body["id"] for body in other.bodies] == ["evt_2"]
    headers, body = next(seen for seen in receiver.seen if '"evt_1"' in seen[1])
    assert headers["webhook-id"] == "evt_1"
    assert headers["content-type"] == "application/json"
    stamp = str(int(world.clock.now().timestamp()))
    assert headers["webhook-timestamp"] == stamp
    assert headers["webhook-signature"] == Webhook(first.secret).sign(
        "evt_1", world.clock.now(), body
    )
    assert json.loads(body) == {
        "id": "evt_1",
        "type": "relay.email.sent",
        "timestamp": START.isoformat(),
        "created_at": START.isoformat(),
        "tenant_id": "ten_1",
        "data": {"email_id": "msg_1"},
    }
    query = UsageQuery(since=START.date(), until=START.date() + timedelta(days=1))
    (day,) = await world.bus.db.read(usage.days, query)
    assert day.counts == {UsageKind.WEBHOOKS: 3}
    assert "secret" not in repr(await world.bus.db.read(audit.newest, 9)).replace("new_secret", "")


async def test_a_failing_endpoint_gets_the_event_along_the_ladder_and_a_dead_letter_is_replayed(
    any_world: World, receiver: Receiver
) -> None:
    world = any_world
    made = await subscribed(world, receiver)
    receiver.answer, receiver.body = "500 Oops", b"trace\x1b[2J" + b"x" * 5000
    await world.bus.db.write(announce, event(1))
    await world.work()
    (waiting,) = await world.desk.deliveries(ALL, 0, 9)
    assert waiting.state is DeliveryState.PENDING
    assert waiting.error == "it answered 500"
    assert waiting.next_at is not None
    assert waiting.next_at >= world.clock.now() + LADDER[0]
    assert len(waiting.response) == 2048
    assert waiting.response.startswith("trace\ufffd[2Jxxx")
    failing = await world.desk.endpoint(made.endpoint.id)
    assert (failing.failures, failing.failing_since) == (1, START)

    for rung in LADDER:
        world.clock.advance(rung * 1.2)
        await world.work()
    assert await states(world) == [("evt_1", "dead", 8)]
    assert len({headers["webhook-id"] for headers, _ in receiver.seen}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in receiver.seen}) == 8
    world.clock.advance(timedelta(days=1))
    await world.work()
    assert len(receiver.seen) == 8

    receiver.answer = "204 No Content"
    assert await world.desk.replay_all(DeliveryQuery(since=START + timedelta(days=9))) == 0
    assert await world.desk.replay_all(DeliveryQuery(type="relay.email.sent")) == 1
    await world.work()
    assert await states(world) == [("evt_1", "delivered", 1)]
    detail = await world.desk.delivery(waiting.id)
    assert [one.status for one in detail.tries] == [500] * 8 + [204]
    healthy = await world.desk.endpoint(made.endpoint.id)
    assert (healthy.failures, healthy.failing_since) == (0, None)
    assert len(world.nudges) == 2


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("302 Found\r\nLocation: http://127.0.0.1:1/", "it answered 302; redirects are not"),
        ("429 Too Many\r\nRetry-After: 900", "it answered 429"),
        ("503 Busy\r\nRetry-After: Mon, 02 Mar 2026 09:15:00 GMT", "it answered 503"),
        ("503 Busy\r\nRetry-After: soon", "it answered 503"),
    ],
)
async def test_a_redirect_is_not_followed_and_a_pause_asked_for_is_kept(
    world: World, receiver: Receiver, answer: str, sentence: str
) -> None:
    await subscribed(world, receiver)
    receiver.answer = answer
    await world.bus.db.write(announce, event(1))
    await world.work()

    (one,) = await world.desk.deliveries(ALL, 0, 9)
    assert one.error.startswith(sentence)
    assert one.next_at is not None
    wait = (one.next_at - world.clock.now()).total_seconds()
    least = 900 if answer.endswith(("900", "GMT")) else 5
    assert least <= wait <= least * 1.1


async def test_gone_switches_the_endpoint_off_and_an_alert_is_raised_until_it_works_again(
    world: World, receiver: Receiver
) -> None:
    made = await subscribed(world, receiver)
    async with receiving() as watcher:
        await subscribed(world, watcher, "relay.alert.*")
        receiver.answer = "410 Gone"
        await world.bus.db.write(announce, event(1))
        await world.work()
        off = await world.desk.endpoint(made.endpoint.id)
        assert (off.enabled, off.disabled_reason) == (
            False,
            "it answered 410: it wants nothing more",
        )
        await world.bus.db.write(announce, event(2))
        await world.work()
        await world.work()
        assert await states(world) == [
            ("evt_1", "dead", 1),
            (watcher.bodies[0]["id"], "delivered", 1),
        ]
        with pytest.raises(InvalidInputError, match="switch it on first"):
            await world.desk.recover(made.endpoint.id, START)

        receiver.answer = "200 OK"
        on = EndpointChange(enabled=True)
        assert (await world.desk.update(made.endpoint.id, on, actor="tester")).enabled
        assert await world.desk.replay_all(DEAD) == 1
        # the alert and what it missed while it was off
        assert await world.desk.recover(made.endpoint.id, START) == 2
        await world.work()
        await world.work()
        told = [(body["type"], body["data"]["kind"]) for body in watcher.bodies]
        assert told == [
            ("relay.alert.raised", "webhook_disabled"),
            ("relay.alert.cleared", "webhook_disabled"),
        ]
        assert watcher.bodies[0]["data"]["alert_id"] == made.endpoint.id
        assert {body["id"] for body in receiver.bodies} >= {"evt_1", "evt_2"}


async def test_an_endpoint_that_fails_for_days_is_switched_off_with_all_that_waits_for_it(
    world: World, receiver: Receiver
) -> None:
    made = await subscribed(world, receiver)
    receiver.answer = "503 Busy"
    await world.bus.db.write(announce, event(1))
    await world.work()
    world.clock.advance(timedelta(days=5, minutes=1))
    await world.bus.db.write(announce, event(2))
    await world.work()

    off = await world.desk.endpoint(made.endpoint.id)
    assert not off.enabled
    assert off.disabled_reason == "it has failed since 2026-03-02 09:00Z: it answered 503"
    assert {state for _, state, _ in await states(world)} == {"dead"}
    written = [one.type for one in await world.bus.db.read(outbox.unpublished, 9)]
    assert written.count("relay.alert.raised") == 1


async def test_a_silent_endpoint_holds_up_no_other_and_gets_a_few_calls_at_a_time(
    db: Database, clock: SettableClock, ids: CountingIds, receiver: Receiver
) -> None:
    async with with_tenants(db, clock, ids, seconds=1) as world, receiving() as silent:
        silent.silent = True
        await subscribed(world, silent)
        await subscribed(world, receiver)
        for number in range(12):
            await world.bus.db.write(announce, event(number))
        await world.work()
        assert len(silent.seen) == 4
        assert len(receiver.seen) == 4
        for _ in range(3):
            clock.advance(3)
            await world.work()

        assert {body["id"] for body in receiver.bodies} == {f"evt_{n}" for n in range(12)}
        # five failures in a row closed the gate
        assert len(silent.seen) < 12
        failed = next(one for one in await world.desk.deliveries(ALL, 0, 99) if one.error)
    assert failed.error == "no answer within 1 s"


async def test_a_dead_endpoint_with_thousands_waiting_holds_up_no_other(
    any_world: World, receiver: Receiver
) -> None:
    world = any_world
    async with receiving() as dead:
        dead.answer = "500 Oops"
        made = await subscribed(world, dead)
        await subscribed(world, receiver, tenant="ten_2")
        backlog = [event(number) for number in range(1_200)]
        await world.bus.db.write(_wait_for, made.endpoint, backlog, world)
        world.clock.advance(1)
        await world.bus.db.write(announce, event(9_000, tenant="ten_2"))
        rounds = 0
        while not receiver.seen:
            await world.work()
            rounds += 1
            assert rounds < 9, "100 are claimed at a time: it stood behind all that waits"

    assert len(dead.seen) <= 8
    assert await world.desk.count_deliveries(DeliveryQuery(state=DeliveryState.PENDING)) == 1_200
    assert await world.claimed(WorkKind.WEBHOOK) == [], "nothing is claimed only to be put back"
    world.clock.advance(700)
    assert len(await world.claimed(WorkKind.WEBHOOK)) == 100, "all of it has another turn"


def _wait_for(tx: Tx, endpoint: Endpoint, events: list[BusEvent], world: World) -> None:
    for one in events:
        queue_for(tx, one, [endpoint], at=world.clock.now(), ids=world.bus.ids)


async def test_an_endpoint_that_fails_is_left_alone_by_all_processes_and_probed_once_by_each(
    db: Database, clock: SettableClock, ids: CountingIds, receiver: Receiver
) -> None:
    async with with_tenants(db, clock, ids) as world, telling(db, clock, ids) as second:
        await subscribed(world, receiver)
        receiver.answer = "503 Away"
        for number in range(30):
            await world.bus.db.write(announce, event(number))
        while len(receiver.seen) < TRIPS:
            await world.work()
            clock.advance(1)
        failed = len(receiver.seen)
        await second.work()
        assert len(receiver.seen) == failed, "the other process heard of it"

        clock.advance(330)
        for one in (world, second):
            await one.work()
        assert len(receiver.seen) <= failed + 2
        receiver.answer = "200 OK"
        for _ in range(9):
            clock.advance(330)
            await world.work()
            await second.work()
    assert {body["id"] for body in receiver.bodies} == {f"evt_{n}" for n in range(30)}
    assert {state for _, state, _ in await states(world)} == {"delivered"}


async def test_during_a_rotation_both_secrets_sign_and_afterwards_the_new_one(
    world: World, receiver: Receiver
) -> None:
    old = await subscribed(world, receiver, style="resend")
    new = await world.desk.rotate(old.endpoint.id, actor="tester", overlap=timedelta(hours=1))
    assert old.secret != new.secret
    await world.bus.db.write(announce, event(1))
    await world.work()
    world.clock.advance(timedelta(hours=1))
    await world.bus.db.write(announce, event(2))
    await world.work()

    counts = [headers["webhook-signature"].count("v1,") for headers, _ in receiver.seen]
    assert counts == [2, 1]
    headers, body = receiver.seen[1]
    assert headers["svix-signature"] == headers["webhook-signature"]
    assert headers["svix-signature"] == Webhook(new.secret).sign("evt_2", world.clock.now(), body)
    assert json.loads(body)["type"] == "email.sent"
    assert set(json.loads(body)) == {"type", "created_at", "data"}


async def test_secrets_are_sealed_in_the_database_and_what_was_in_clear_is_when_it_is_renewed(
    any_world: World, receiver: Receiver
) -> None:
    clear = any_world
    first = await subscribed(clear, receiver)
    key = base64.urlsafe_b64encode(b"k" * 32).decode()
    bus = replace(clear.bus, seal=Seal([key]))
    desk = WebhookDesk(bus, lambda: None)
    assert await renew_all(bus) == 1
    assert await renew_all(bus) == 0
    second = await desk.rotate(first.endpoint.id, actor="tester")

    kept = await bus.db.read(webhooks.kept_secrets)
    assert all(one.startswith("sealed:") for pair in kept.values() for one in pair)
    await desk.test(first.endpoint.id)
    headers, body = receiver.seen[-1]
    for secret in (first.secret, second.secret):
        signed = Webhook(secret).sign(headers["webhook-id"], clear.clock.now(), body)
        assert signed in headers["webhook-signature"].split()

    lost = await clear.desk.test(first.endpoint.id)
    assert lost.error.startswith("a signing secret cannot be opened: ")
    assert len(receiver.seen) == 1, "nothing goes out unsigned"


async def test_a_test_event_is_posted_at_once_and_blames_nobody(
    world: World, receiver: Receiver
) -> None:
    made = await subscribed(world, receiver, "relay.email.bounced")
    taken = await world.desk.test(made.endpoint.id)
    receiver.answer = "500 No"
    refused = await world.desk.test(made.endpoint.id)

    assert (taken.state, taken.type) == (DeliveryState.DELIVERED, "relay.webhook.test")
    assert (refused.state, refused.error) == (DeliveryState.DEAD, "it answered 500")
    assert (await world.desk.endpoint(made.endpoint.id)).failures == 0
    with pytest.raises(NotFoundError):
        await world.desk.test(made.endpoint.id, tenant_id="ten_2")


async def test_what_is_removed_is_gone_with_its_deliveries_and_nobody_elses_is_touched(
    any_world: World, receiver: Receiver
) -> None:
    world = any_world
    mine = await subscribed(world, receiver)
    await subscribed(world, receiver, tenant="ten_2")
    receiver.answer = "500 No"
    await world.bus.db.write(announce, event(1))
    await world.bus.db.write(announce, event(2, tenant="ten_2"))
    await world.work()
    with pytest.raises(NotFoundError):
        await world.desk.remove(mine.endpoint.id, actor="tester", tenant_id="ten_2")
    await world.desk.remove(mine.endpoint.id, actor="tester")
    world.clock.advance(60)
    await world.work()

    assert [event_id for event_id, _, _ in await states(world)] == ["evt_2"]
    assert len(receiver.seen) == 3
    acts = [one.action for one in await world.bus.db.read(audit.newest, 9)]
    assert acts == ["webhook.removed", "webhook.added", "webhook.added"]


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"url": "ftp://127.0.0.1/"}, "url: "),
        ({"events": ("relay.email.sned",)}, "events: there is no event 'relay.email.sned'"),
        ({"events": ("email.sent",)}, "events: "),
        ({"style": WebhookStyle.RESEND, "events": ("relay.email.sent",)}, "events: "),
        ({"description": "a\x1bb"}, "description: "),
        ({"tenant_id": "ten_9"}, "there is no tenant"),
    ],
)
async def test_what_cannot_work_is_refused_with_a_sentence(
    wish: dict[str, object], sentence: str, db: Database, clock: SettableClock, ids: CountingIds
) -> None:
    await db.write(tenants.add, Tenant(id="ten_1", name="One", created_at=START))
    asked = {"tenant_id": "ten_1", "url": "http://127.0.0.1:9/"} | wish
    async with telling(db, clock, ids) as world:
        with pytest.raises((InvalidInputError, NotFoundError), match=sentence):
            await world.desk.create(EndpointWish(**asked), actor="tester")  # type: ignore[arg-type]

        assert await world.desk.endpoints() == []


async def test_what_is_too_old_is_swept_but_for_what_somebody_waits_for(
    any_world: World, receiver: Receiver
) -> None:
    world = any_world
    await subscribed(world, receiver)
    await world.bus.db.write(announce, event(1))
    await world.work()
    receiver.answer = "500 No"
    await world.bus.db.write(announce, event(2))
    await world.work()
    await world.bus.db.write(announce, event(3))  # not fanned out yet
    sweeper = EventSweeper(world.bus.db, world.clock, keep=timedelta(days=30))
    assert await sweeper.sweep() == 0

    world.clock.advance(timedelta(days=31))
    assert await sweeper.sweep() == 3  # the first delivery and two events
    assert await states(world) == [("evt_2", "pending", 1)]
    assert [one.id for one in await world.bus.db.read(outbox.unpublished, 9)] == ["evt_3"]
    assert await sweeper.sweep() == 0
