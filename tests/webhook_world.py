"""Receivers of webhooks on loopback sockets, and a bus that tells them."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import SecretStr

from backend.bus.context import Bus
from backend.bus.fan_out import fan_out
from backend.bus.gate import Gate
from backend.bus.poster import Network, Poster
from backend.bus.publish import publish
from backend.bus.webhook import deliver
from backend.bus.webhook_desk import WebhookDesk
from backend.model.bus import BusEvent
from backend.model.work import WorkKind
from backend.queue import items
from tests.settable import START

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from backend.model.work import WorkItem
    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock


def event(number: int = 1, what: str = "relay.email.sent", tenant: str = "ten_1") -> BusEvent:
    """Make an event about a mail."""
    return BusEvent(
        id=f"evt_{number}",
        type=what,
        created_at=START,
        tenant_id=tenant,
        data={"email_id": "msg_1"},
    )


@dataclass
class Receiver:
    """An HTTP server that records requests and answers as told."""

    url: str = ""
    answer: str = "200 OK"
    body: bytes = b""
    silent: bool = False
    endless: bool = False
    seen: list[tuple[dict[str, str], str]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request and close."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in head)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.seen.append((headers, body.decode()))
        if self.endless:
            opening = f"HTTP/1.1 {self.answer}\r\nTransfer-Encoding: chunked\r\n\r\n"
            writer.write(opening.encode() + b"2\r\nok\r\n")
            await reader.read()
        elif self.silent:
            await reader.read()  # until the caller has had enough
        else:
            length = f"Content-Length: {len(self.body)}\r\nConnection: close"
            writer.write(f"HTTP/1.1 {self.answer}\r\n{length}\r\n\r\n".encode() + self.body)
        writer.close()

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What was posted, as JSON."""
        return [json.loads(body) for _, body in self.seen]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver()
    listener = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/hook?a=b"
    async with listener:
        yield receiver


@dataclass
class World:
    """A bus over a real database; ``work`` does what is due, once."""

    bus: Bus
    desk: WebhookDesk
    clock: SettableClock
    nudges: list[int]

    async def claimed(self, kind: WorkKind) -> list[WorkItem]:
        """Claim what is due."""
        return await self.bus.db.write(
            items.claim,
            [kind],
            "test",
            now=self.clock.now(),
            lease=timedelta(seconds=30),
            limit=100,
        )

    async def work(self) -> None:
        """Fan out and deliver all that is due now."""
        for item in await self.claimed(WorkKind.PUBLISH):
            await fan_out(item, self.bus)
        for item in await self.claimed(WorkKind.BUS):
            await publish(item, self.bus)
        await asyncio.gather(
            *(deliver(item, self.bus) for item in await self.claimed(WorkKind.WEBHOOK))
        )


@asynccontextmanager
async def telling(
    db: Database, clock: SettableClock, ids: CountingIds, *, seconds: float = 10, bus_url: str = ""
) -> AsyncIterator[World]:
    """Give a bus that may post to this machine."""
    # HTTP has no use for the authorities, and to read them takes a client 30 ms
    poster = Poster(clock, inside=True, seconds=seconds, network=Network(trust=False))
    async with httpx.AsyncClient() as client:
        bus = Bus(
            db=db,
            client=client,
            poster=poster,
            gate=Gate(clock),
            clock=clock,
            ids=ids,
            url=bus_url,
            key=SecretStr("integration-key"),
            secret=SecretStr(""),
        )
        nudges: list[int] = []
        yield World(
            bus=bus,
            desk=WebhookDesk(bus, lambda: nudges.append(1)),
            clock=clock,
            nudges=nudges,
        )
        await poster.close()
