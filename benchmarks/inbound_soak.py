"""Mail through intake, pipeline and desk while notices are doubled, reordered and lost.

Every message lies in the store (a folder here); SES receipt notices come through a queue that
delivers 10 % of them twice, 10 % late, loses 1 %, and gives back what was not acknowledged. The
sweeper has to find the lost ones. Everything else is real: SQLite, the receiver, and the desk over
HTTP, in a process of its own as targets are.

Run: python benchmarks/inbound_soak.py [messages] [seed]      (default 10000 1)
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from backend.clock import SystemClock, UlidIds
from backend.desk.server import FILE, Desk, DeskAddresses, DeskSettings
from backend.desk.tables import received
from backend.errors import ServiceUnavailableError
from backend.inbound.intake import Intake
from backend.inbound.pipeline import Inbound
from backend.inbound.receiver import make_receiver
from backend.inbound.sources.sqs import SqsSource
from backend.inbound.sources.sweeper import Sweeper, SweepSettings
from backend.inbound.target_lines import TargetLines
from backend.inbound.targets import HttpTargets
from backend.model.inbound import InboundStatus, TargetName
from backend.model.tenant import Domain, DomainStatus, Tenant
from backend.model.views import InboundQuery
from backend.ports import Notice
from backend.queue.supervisor import first_to_end
from backend.queue.worker import WorkerSettings
from backend.store import domains, tenants
from backend.store import inbound as rows
from backend.store.blobs import FolderBlobs
from backend.store.engine import Database, open_database

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from multiprocessing.connection import Connection

    from backend.store.types import Tx

BUCKET = "relay-inbound"
SHARED = "relay.example"
KEY = "soak-key"
DOUBLED, REORDERED, DROPPED, UNACKNOWLEDGED = 0.10, 0.10, 0.01, 0.01
PATIENCE = 1800.0  # seconds without which a run counts as stuck


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What went in and what came out; ``seconds`` from the first notice to the last delivery."""

    messages: int
    doubled: int
    reordered: int
    dropped: int
    swept: int
    rows: int
    forwarded: int
    delivered: int
    lost: int
    delivered_twice: int
    asked_again: int
    seconds: float
    rate: float


class FaultyQueue:
    """A queue of SES notices with its faults drawn beforehand; fulfils ports.PatientQueue."""

    def __init__(self, keys: Sequence[str], chance: random.Random) -> None:
        self._chance = chance
        self.doubled = self.reordered = self.dropped = 0
        placed: list[tuple[float, str]] = []
        for place, key in enumerate(keys):
            if chance.random() < DROPPED:
                self.dropped += 1
                continue
            late = 0.0
            if chance.random() < REORDERED:
                self.reordered += 1
                late = chance.uniform(1, 300)
            placed.append((place + late, key))
            if chance.random() < DOUBLED:
                self.doubled += 1
                placed.append((place + chance.uniform(0, 300), key))
        placed.sort()
        self._waiting = deque(
            Notice(id=f"n{place}", body=_notice(key), handle=f"h{place}", receive_count=1)
            for place, (_, key) in enumerate(placed)
        )
        self._out: dict[str, Notice] = {}

    async def receive(self, limit: int, wait_seconds: int) -> Sequence[Notice]:
        # what a poll left behind becomes visible again
        self._waiting.extend(self._out.values())
        self._out.clear()
        batch = [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]
        self._out = {notice.handle: notice for notice in batch}
        return batch

    async def acknowledge(self, notices: Sequence[Notice]) -> None:
        if self._chance.random() < UNACKNOWLEDGED:
            raise ServiceUnavailableError("the answer to DeleteMessageBatch was lost")
        for notice in notices:
            self._out.pop(notice.handle, None)

    async def hold(self, notices: Sequence[Notice], seconds: int) -> None:
        return None

    async def backlog(self) -> int:
        return len(self._waiting) + len(self._out)


class Later:
    """A clock that is some minutes ahead, so that fresh files are old enough to be swept."""

    def now(self) -> datetime:
        return SystemClock().now() + timedelta(minutes=5)

    def monotonic(self) -> float:
        return time.monotonic()


async def soak(folder: Path, messages: int, seed: int, *, apart: bool = False) -> Report:
    """Run it once in an empty folder; ``apart`` gives the desk a process of its own."""
    chance = random.Random(seed)
    keys = _lay_out(folder / "mail", messages)
    db = open_database(f"sqlite:///{folder / 'relay.db'}")
    await db.write(add_acme)
    desk = _DeskApart(folder) if apart else Desk(_desk_settings(folder))
    at = await desk.start()
    lines = TargetLines()
    try:
        urls = dict.fromkeys(TargetName, at.psa_url)
        targets = HttpTargets(urls, KEY, lines, SystemClock())
        run = _Run(db, FolderBlobs(folder / "mail"), targets, FaultyQueue(keys, chance))
        swept, seconds = await run.to_the_end(messages)
        return await _report(run, folder, messages, swept, seconds)
    finally:
        await lines.close()
        await desk.stop()
        db.close()


def _desk_settings(folder: Path) -> DeskSettings:
    return DeskSettings(folder=folder, integration_key=KEY)


class _DeskApart:
    """The desk in a process of its own."""

    def __init__(self, folder: Path) -> None:
        context = get_context("spawn")
        self._line, far_end = context.Pipe()
        self._process = context.Process(target=_serve_desk, args=(folder, far_end), daemon=True)

    async def start(self) -> DeskAddresses:
        self._process.start()
        at: DeskAddresses = await asyncio.to_thread(self._line.recv)
        return at

    async def stop(self) -> None:
        self._line.send("stop")
        await asyncio.to_thread(self._process.join)


def _serve_desk(folder: Path, line: Connection) -> None:
    async def serve() -> None:
        desk = Desk(_desk_settings(folder))
        line.send(await desk.start())
        await asyncio.to_thread(line.recv)
        await desk.stop()

    asyncio.run(serve())


class _Run:
    def __init__(
        self, db: Database, blobs: FolderBlobs, targets: HttpTargets, queue: FaultyQueue
    ) -> None:
        clock, ids = SystemClock(), UlidIds()
        self.db, self.queue = db, queue
        self.inbound = Inbound(
            db=db, blobs=blobs, targets=targets, clock=clock, ids=ids, inbound_domain=SHARED
        )
        intake = Intake(db, blobs, clock, ids, inbound_domain=SHARED)
        self.source = SqsSource(queue, intake, blobs, bucket=BUCKET)
        self.sweeper = Sweeper(db, blobs, intake, Later(), settings=SweepSettings())
        settings = WorkerSettings(poll_seconds=0.05)
        self.worker = make_receiver(self.inbound, owner="soak", settings=settings)

    async def to_the_end(self, messages: int) -> tuple[int, float]:
        """Give how many the sweeper found, and the seconds all but its part took."""
        found: list[str] = []
        seconds = 0.0

        async def work() -> None:
            nonlocal seconds
            began = time.perf_counter()
            await self._drain()
            await self._settled(messages - self.queue.dropped)
            seconds = time.perf_counter() - began
            found.extend(await self.sweeper.sweep())
            await self._settled(messages)

        async with asyncio.timeout(PATIENCE):
            await first_to_end(work, self.worker.run)
        return len(found), seconds

    async def _drain(self) -> None:
        while await self.queue.backlog():
            try:
                await self.source.poll()
            except ServiceUnavailableError:
                continue

    async def _settled(self, count: int) -> None:
        done = InboundQuery(statuses=frozenset(InboundStatus) - _ON_THE_WAY)
        await _until(lambda: self.db.read(rows.count, done), count)


_ON_THE_WAY = {InboundStatus.RECEIVED, InboundStatus.FORWARDING}


async def _until(ask: Callable[[], Awaitable[int]], count: int) -> None:
    while await ask() < count:  # noqa: ASYNC110  # it changes in the database
        await asyncio.sleep(0.02)


async def _report(run: _Run, folder: Path, messages: int, swept: int, seconds: float) -> Report:
    forwarded = InboundQuery(statuses=frozenset({InboundStatus.FORWARDED}))
    desk = Database(f"sqlite:///{folder / FILE}")
    try:
        made, distinct, again = await desk.read(_told)
    finally:
        desk.close()
    return Report(
        messages=messages,
        doubled=run.queue.doubled,
        reordered=run.queue.reordered,
        dropped=run.queue.dropped,
        swept=swept,
        rows=await run.db.read(rows.count, InboundQuery()),
        forwarded=await run.db.read(rows.count, forwarded),
        delivered=distinct,
        lost=messages - distinct,
        delivered_twice=made - distinct,
        asked_again=again,
        seconds=round(seconds, 2),
        rate=round(messages / seconds, 1),
    )


def _told(tx: Tx) -> tuple[int, int, int]:
    """Count what the desk made, for how many mails, and how often it was asked again."""
    made = func.count(), func.count(received.c.message_id.distinct()), func.sum(received.c.repeats)
    total, distinct, again = tx.execute(select(*made)).one()
    return total, distinct, again or 0


def _lay_out(folder: Path, messages: int) -> list[str]:
    (folder / "in").mkdir(parents=True, mode=0o700)
    keys = [f"in/{number:06d}" for number in range(messages)]
    for number, key in enumerate(keys):
        (folder / key).write_bytes(ordinary_mail(number))
    return keys


def ordinary_mail(number: int) -> bytes:
    trace = (
        f"Return-Path: <jo{number}@client.example>\r\n"
        "Received: from mx (mx [192.0.2.1])\r\n by inbound-smtp.us-east-1.amazonaws.com with SMTP"
        f" id s{number}\r\n for support@acme.example;\r\n Mon, 02 Mar 2026 09:00:00 +0000 (UTC)\r\n"
    )
    return (
        f"{trace}From: Jo {number} <jo{number}@client.example>\r\nTo: support@acme.example\r\n"
        f"Subject: Mail {number}\r\nMessage-ID: <soak-{number}@client.example>\r\n"
        f"Date: Mon, 02 Mar 2026 09:00:00 +0000\r\n\r\nText of mail {number}.\r\n"
    ).encode()


def _notice(key: str) -> str:
    """Give a receipt notice in its SNS envelope, as SES and SNS write it."""
    number = int(key.rpartition("/")[2])
    checks = ("spam", "virus", "spf", "dkim", "dmarc")
    receipt = {
        "timestamp": "2026-03-02T09:00:00.000Z",
        "recipients": ["support@acme.example"],
        "action": {"type": "S3", "bucketName": BUCKET, "objectKey": key},
        **{f"{check}Verdict": {"status": "PASS"} for check in checks},
    }
    mail = {"messageId": f"s{number}", "source": f"jo{number}@client.example"}
    told = {"notificationType": "Received", "receipt": receipt, "mail": mail}
    return json.dumps({"Type": "Notification", "TopicArn": "t", "Message": json.dumps(told)})


def add_acme(tx: Tx) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    tenants.add(tx, Tenant(id="acme", name="Acme", created_at=at))
    domain = Domain(
        id="dom_acme",
        tenant_id="acme",
        name="acme.example",
        status=DomainStatus.VERIFIED,
        inbound_enabled=True,
        dkim_tokens=(),
        mail_from="",
        created_at=at,
    )
    domains.add(tx, domain)


def main() -> None:
    messages, seed = (int(one) for one in (sys.argv[1:] + ["10000", "1"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(soak(Path(folder), messages, seed, apart=True))
    for name, value in asdict(report).items():
        print(f"{name:16} {value:>10,}")
    sys.exit(bool(report.lost or report.delivered_twice))


if __name__ == "__main__":
    main()
