"""Publishing: a real HTTP server takes, refuses, repeats or does not answer."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from backend.bus.context import Bus
from backend.bus.envelope import written as written_json
from backend.bus.fan_out import fan_out
from backend.bus.gate import TRIPS, Gate
from backend.bus.poster import Poster
from backend.bus.publish import publish
from backend.bus.replay import publish_waiting
from backend.bus.setup import set_up_telling
from backend.bus.signing import written
from backend.config import Config
from backend.errors import ConfigError, ServiceUnavailableError, ThrottledError
from backend.model.bus import BusEvent
from backend.model.work import WorkKind
from backend.queue import items
from backend.queue.announce import announce
from backend.store import outbox
from tests.settable import START

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from backend.model.work import WorkItem
    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock

EVENT = BusEvent(
    id="evt_1",
    type="relay.email.sent",
    created_at=START,
    tenant_id="ten_1",
    data={"email_id": "msg_1"},
)


@dataclass
class BusServer:
    """An HTTP server that records requests and answers as told."""

    url: str = ""
    answer: str = "200 OK"
    seen: list[tuple[dict[str, str], dict[str, object]]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request and close."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in head)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.seen.append((headers, json.loads(body)))
        writer.write(
            f"HTTP/1.1 {self.answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[BusServer]:
    bus_server = BusServer()
    listener = await asyncio.start_server(bus_server.serve, "127.0.0.1", 0)
    bus_server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/events"
    async with listener:
        yield bus_server


@pytest.fixture
async def bus(
    db: Database, clock: SettableClock, ids: CountingIds, server: BusServer
) -> AsyncIterator[Bus]:
    async with httpx.AsyncClient() as client:
        yield Bus(
            db=db,
            client=client,
            poster=Poster(clock),
            gate=Gate(clock),
            clock=clock,
            ids=ids,
            url=server.url,
            key=SecretStr("integration-key"),
            secret=SecretStr(""),
        )


async def claimed(bus: Bus, kind: WorkKind = WorkKind.BUS) -> list[WorkItem]:
    return await bus.db.write(
        items.claim,
        [kind],
        "test",
        now=bus.clock.now(),
        lease=timedelta(seconds=30),
        limit=10,
    )


async def announced(bus: Bus) -> None:
    """Write the event and queue it for the bus."""
    await bus.db.write(announce, EVENT)
    for item in await claimed(bus, WorkKind.PUBLISH):
        await fan_out(item, bus)


async def waiting(bus: Bus) -> list[str]:
    return [event.id for event in await bus.db.read(outbox.unpublished, 10)]


async def test_an_announced_event_is_posted_with_its_key_and_marked(
    bus: Bus, server: BusServer
) -> None:
    await announced(bus)
    (item,) = await claimed(bus)
    await publish(item, bus)

    ((headers, body),) = server.seen
    assert headers["authorization"] == "Bearer integration-key"
    assert headers["idempotency-key"] == "evt_1"
    assert body == {
        "id": "evt_1",
        "type": "relay.email.sent",
        "timestamp": "2026-03-02T09:00:00+00:00",
        "created_at": "2026-03-02T09:00:00+00:00",
        "tenant_id": "ten_1",
        "data": {"email_id": "msg_1"},
    }
    assert await waiting(bus) == []
    assert await claimed(bus) == []


async def test_an_event_the_bus_has_already_is_done(bus: Bus, server: BusServer) -> None:
    server.answer = "409 Conflict"
    await announced(bus)
    (item,) = await claimed(bus)
    await publish(item, bus)

    assert await waiting(bus) == []


@pytest.mark.parametrize("answer", ["500 Oops", "401 Unauthorized", "404 Not Found", "302 Found"])
async def test_a_bus_that_does_not_take_an_event_gets_it_again(
    bus: Bus, server: BusServer, answer: str
) -> None:
    server.answer = answer
    await announced(bus)
    (item,) = await claimed(bus)
    with pytest.raises(ServiceUnavailableError, match=answer[:3]):
        await publish(item, bus)

    assert await waiting(bus) == ["evt_1"]


async def test_a_busy_bus_is_left_alone_for_as_long_as_it_asks(bus: Bus, server: BusServer) -> None:
    server.answer = "429 Too Many Requests\r\nRetry-After: 7"
    await announced(bus)
    (item,) = await claimed(bus)
    with pytest.raises(ThrottledError) as busy:
        await publish(item, bus)

    assert busy.value.retry_after == 7.0


async def test_a_bus_that_is_away_is_tried_again(bus: Bus) -> None:
    away = replace(bus, url="http://127.0.0.1:1/events")
    await announced(bus)
    (item,) = await claimed(bus)
    with pytest.raises(ServiceUnavailableError, match="BUS_API_URL"):
        await publish(item, away)

    assert await waiting(bus) == ["evt_1"]


async def test_without_a_bus_the_event_stays_in_the_outbox_and_the_queue_is_empty(
    bus: Bus, server: BusServer
) -> None:
    await announced(replace(bus, url=""))

    assert server.seen == []
    assert await waiting(bus) == ["evt_1"]
    assert await claimed(bus) == []
    assert await claimed(bus, WorkKind.PUBLISH) == []

    # what waited until there was a bus is queued by hand
    assert await publish_waiting(bus) == 1
    (item,) = await claimed(bus)
    await publish(item, bus)
    assert await waiting(bus) == []


async def test_a_bus_that_fails_is_left_alone_and_its_events_are_not_blamed(
    bus: Bus, server: BusServer
) -> None:
    server.answer = "500 Oops"
    for number in range(8):
        await bus.db.write(announce, replace(EVENT, id=f"evt_{number}"))
    for item in await claimed(bus, WorkKind.PUBLISH):
        await fan_out(item, bus)
    for item in await claimed(bus):
        with suppress(ServiceUnavailableError):
            await publish(item, bus)

    assert len(server.seen) == TRIPS
    assert len(await waiting(bus)) == 8


async def test_with_a_secret_what_the_bus_gets_is_signed(bus: Bus, server: BusServer) -> None:
    secret = written(bytes(32))
    await announced(bus)
    (item,) = await claimed(bus)
    await publish(item, replace(bus, secret=SecretStr(secret)))

    ((headers, body),) = server.seen
    signed = Webhook(secret).sign("evt_1", START, written_json(body))
    assert (headers["webhook-id"], headers["webhook-signature"]) == ("evt_1", signed)


@pytest.mark.parametrize("secret", ["password", "whsec_c2hvcnQ="])
def test_a_secret_that_cannot_sign_is_refused_at_the_start(
    secret: str, db: Database, clock: SettableClock, ids: CountingIds
) -> None:
    config = Config(bus_secret=SecretStr(secret))
    with pytest.raises(ConfigError, match="RELAY_BUS_SECRET"):
        set_up_telling(config, db, httpx.AsyncClient(), clock=clock, ids=ids)
