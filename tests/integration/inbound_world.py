"""A world for tests of the inbound way: database, blobs, a target on a loopback socket."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from backend.inbound.intake import Intake
from backend.inbound.pipeline import Inbound, process
from backend.inbound.targets import HttpTargets
from backend.model.inbound import Arrival, InboundMessage, ScanVerdict, ScanVerdicts, TargetName
from backend.model.outbound import Email, EmailStatus
from backend.model.tenant import Domain, DomainStatus, Tenant
from backend.model.work import WorkKind
from backend.queue import items
from backend.reply_tokens import ReplyTokens
from backend.store import domains, emails, explanations, tenants, threads
from backend.store import inbound as store

if TYPE_CHECKING:
    import httpx

    from backend.model.inbound import Step
    from backend.model.work import WorkItem
    from backend.store.blobs import FolderBlobs
    from backend.store.engine import Database
    from backend.store.threads import Thread
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock

SHARED = "relay.example"
KEY = "integration-key"
CLIENT = "jo@client.example"
PASSED = ScanVerdicts(
    spam=ScanVerdict.PASS,
    virus=ScanVerdict.PASS,
    spf=ScanVerdict.PASS,
    dkim=ScanVerdict.PASS,
    dmarc=ScanVerdict.PASS,
)
_numbers = count(1)
TOKENS = ReplyTokens(current="the secret of these tests")
IDS = {"tickets": "ticket_id", "notes": "note_id", "activities": "activity_id"}


@dataclass(slots=True)
class Call:
    """One request as it came over the socket."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    answered: int = 0


@dataclass(slots=True)
class LoopbackTarget:
    """An HTTP server that answers from a script, and else as docs/targets.md says."""

    script: deque[tuple[int, dict[str, str], bytes] | None] = field(default_factory=deque)
    calls: list[Call] = field(default_factory=list)
    url: str = ""
    called: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        call = Call(path=head[0].split()[1], headers=headers, body=json.loads(body))
        self.calls.append(call)
        self.called.set()
        answer = self.script.popleft() if self.script else self._made(call)
        if answer is not None:  # None: the line breaks before the answer
            status, extra, content = answer
            call.answered = status
            lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in extra.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode() + content)
            await writer.drain()
        writer.close()

    def _made(self, call: Call) -> tuple[int, dict[str, str], bytes]:
        kind = IDS.get(call.path.rpartition("/")[2], "reply_id")
        return 201, {}, json.dumps({kind: f"{kind[0].upper()}-{len(self.calls)}"}).encode()


def answer(status: int, body: object = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Script one answer; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, named, json.dumps(body).encode()


@dataclass(slots=True)
class World:
    """Everything one message meets, with verbs that read well in a test."""

    db: Database
    clock: SettableClock
    ids: CountingIds
    blobs: FolderBlobs
    target: LoopbackTarget
    client: httpx.AsyncClient
    urls: dict[TargetName, str] = field(default_factory=dict)
    inbound: Inbound = field(init=False)
    intake: Intake = field(init=False)

    def __post_init__(self) -> None:
        self.urls = self.urls or dict.fromkeys(TargetName, self.target.url)
        self.connect()

    def connect(self) -> None:
        """Build the pipeline anew, as after a restart with other settings."""
        self.inbound = Inbound(
            db=self.db,
            blobs=self.blobs,
            targets=HttpTargets(self.urls, KEY, self.client, self.clock),
            clock=self.clock,
            ids=self.ids,
            inbound_domain=SHARED,
            retry_period=timedelta(hours=24),
            tokens=TOKENS,
        )
        self.intake = Intake(self.db, self.blobs, self.clock, self.ids, inbound_domain=SHARED)

    async def settle_tenants(self) -> None:
        """Two tenants, each with a domain; the second one's does not receive."""
        await self.db.write(_settle_tenants, self.clock)

    async def sent(self, ses_message_id: str, tenant_id: str, thread: Thread) -> Email:
        """A mail of ours to the client that SES has taken."""
        email = Email(
            id=self.ids.new("msg"),
            tenant_id=tenant_id,
            sender=f"help@{tenant_id}.example",
            subject="Your ticket",
            status=EmailStatus.SENT,
            created_at=self.clock.now(),
            recipients=(),
            thread_id=thread.id,
            tags={},
            sent_at=self.clock.now(),
            ses_message_id=ses_message_id,
        )
        await self.db.write(_insert_email, email, thread)
        return email

    async def arrive(self, raw: bytes, *recipients: str, verdicts: ScanVerdicts = PASSED) -> str:
        """Store a raw message and take it in for one recipient; gives the inbound id."""
        key = f"in/{self.ids.new('raw')}"
        await self.blobs.put(key, raw)
        arrival = Arrival(
            source="ses",
            blob_key=key,
            recipients=recipients,
            received_at=self.clock.now(),
            verdicts=verdicts,
        )
        return (await self.intake.take_in(arrival))[0]

    async def claim(self) -> WorkItem | None:
        """Lease the next due inbound item, if there is one."""
        claimed = await self.db.write(
            items.claim,
            [WorkKind.INBOUND],
            "test",
            now=self.clock.now(),
            lease=timedelta(seconds=30),
            limit=1,
        )
        return claimed[0] if claimed else None

    async def work(self) -> int:
        """Process everything that is due now; gives how many items were handled."""
        handled = 0
        while (item := await self.claim()) is not None:
            await process(item, self.inbound)
            handled += 1
        return handled

    async def receive(
        self, raw: bytes, *recipients: str, verdicts: ScanVerdicts = PASSED
    ) -> InboundMessage:
        """Take a message in, process it and give its row."""
        inbound_id = await self.arrive(raw, *recipients, verdicts=verdicts)
        await self.work()
        return await self.row(inbound_id)

    async def row(self, inbound_id: str) -> InboundMessage:
        found = await self.db.read(store.get, inbound_id)
        assert found is not None
        return found

    async def steps(self, inbound_id: str) -> tuple[Step, ...]:
        return await self.db.read(explanations.newest, inbound_id)


def mail(subject: str = "Printer is down", *extra: str, body: str = "It prints stripes.") -> bytes:
    """A plain message from a client, with a Message-ID of its own unless one is given."""
    given = any(line.lower().startswith("message-id:") for line in extra)
    own = () if given else (f"Message-ID: <abc-{next(_numbers)}@client.example>",)
    lines = [
        "From: Jo Client <jo@client.example>",
        "To: somebody@else.example",
        f"Subject: {subject}",
        *own,
        *extra,
        "",
        body,
        "",
    ]
    return "\r\n".join(lines).encode()


def _settle_tenants(tx: Tx, clock: SettableClock) -> None:
    for tenant_id, receives in (("acme", True), ("globex", False)):
        tenants.add(tx, Tenant(id=tenant_id, name=tenant_id.title(), created_at=clock.now()))
        domains.add(
            tx,
            Domain(
                id=f"dom_{tenant_id}",
                tenant_id=tenant_id,
                name=f"{tenant_id}.example",
                status=DomainStatus.VERIFIED,
                inbound_enabled=receives,
                dkim_tokens=(),
                mail_from="",
                created_at=clock.now(),
            ),
        )


def _insert_email(tx: Tx, email: Email, thread: Thread) -> None:
    if threads.get(tx, thread.id) is None:
        threads.add(tx, thread)
    threads.join(tx, thread.id, [CLIENT])
    emails.insert(tx, email, b"")
