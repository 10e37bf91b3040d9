"""From SMTP through S3, SNS and SQS of the sandbox into rows, and what is left in the queue."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import time
from typing import TYPE_CHECKING

import pytest

from backend.aws.client import Clients
from backend.aws.s3 import S3Blobs
from backend.aws.sqs import SqsQueue
from backend.errors import ServiceUnavailableError
from backend.inbound.intake import Intake
from backend.inbound.sources.sqs import SqsSource
from backend.model.inbound import ScanVerdict
from backend.model.views import InboundQuery
from backend.sandbox import Sandbox, SandboxSettings
from backend.store import inbound as store
from tests.integration.inbound_world import SHARED, mail

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backend.ports import Notice
    from backend.sandbox import SandboxAddresses
    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock

PATIENCE = 15.0


@pytest.fixture(scope="module")
def at() -> Iterator[SandboxAddresses]:
    sandbox = Sandbox(SandboxSettings(receiving_domains=("acme.example", SHARED)))
    yield sandbox.start()
    sandbox.stop()


@pytest.fixture
def clients(at: SandboxAddresses) -> Iterator[Clients]:
    made = Clients(at.region, at.aws_endpoint)
    yield made
    made.close()


@pytest.fixture
def source(
    at: SandboxAddresses,
    clients: Clients,
    db: Database,
    clock: SettableClock,
    ids: CountingIds,
) -> SqsSource:
    blobs = S3Blobs(clients, at.inbound_bucket)
    intake = Intake(db, blobs, clock, ids, inbound_domain=SHARED)
    queue = SqsQueue(clients, at.inbound_queue_url)
    return SqsSource(queue, intake, blobs, bucket=at.inbound_bucket, wait_seconds=1)


def _post(at: SandboxAddresses, *recipients: str, subject: str = "Hello") -> None:
    with smtplib.SMTP(at.smtp_host, at.smtp_port, timeout=5) as client:
        client.sendmail("jo@client.example", recipients, mail(subject))


def _put_notice(at: SandboxAddresses, clients: Clients, body: str) -> None:
    clients.service("sqs").send_message(QueueUrl=at.inbound_queue_url, MessageBody=body)


def _waiting(at: SandboxAddresses, clients: Clients) -> int:
    asked = clients.service("sqs").get_queue_attributes(
        QueueUrl=at.inbound_queue_url, AttributeNames=["All"]
    )["Attributes"]
    return int(asked["ApproximateNumberOfMessages"]) + int(
        asked["ApproximateNumberOfMessagesNotVisible"]
    )


async def _rows(db: Database, source: SqsSource, count: int) -> list[str]:
    """Poll until there are so many rows; gives their recipients."""
    until = time.monotonic() + PATIENCE
    while True:
        rows = await db.read(store.page, InboundQuery(), 0, 50)
        if len(rows) >= count or time.monotonic() > until:
            return [row.recipient for row in rows]
        await source.poll()


async def test_a_mail_over_smtp_becomes_a_row_for_each_recipient_and_its_notice_goes(
    at: SandboxAddresses, clients: Clients, db: Database, source: SqsSource
) -> None:
    _post(at, f"ticket+1@{SHARED}", f"crm+2@{SHARED}")

    recipients = await _rows(db, source, 2)

    assert sorted(recipients) == [f"crm+2@{SHARED}", f"ticket+1@{SHARED}"]
    (row, _) = await db.read(store.page, InboundQuery(), 0, 2)
    assert row.verdicts.spam is ScanVerdict.PASS
    assert row.envelope_from == "jo@client.example"
    assert await S3Blobs(clients, at.inbound_bucket).get(row.blob_key)
    assert _waiting(at, clients) == 0


async def test_a_bad_notice_stays_in_the_queue_and_a_test_event_goes(
    at: SandboxAddresses, clients: Clients, source: SqsSource
) -> None:
    _put_notice(at, clients, "rubbish")
    _put_notice(at, clients, '{"Event": "s3:TestEvent", "Bucket": "x"}')
    acknowledged = 0
    until = time.monotonic() + PATIENCE
    while not acknowledged and time.monotonic() < until:
        acknowledged += await source.poll()

    assert acknowledged == 1
    assert _waiting(at, clients) == 1
    clients.service("sqs").purge_queue(QueueUrl=at.inbound_queue_url)


class BrokenOnce:
    """A queue whose first answer is an outage, as after a lost connection."""

    def __init__(self, queue: SqsQueue) -> None:
        self.queue = queue
        self.asked = 0

    async def receive(self, limit: int, wait_seconds: int) -> list[Notice]:
        self.asked += 1
        if self.asked == 1:
            raise ServiceUnavailableError("SQS did not answer")
        return list(await self.queue.receive(limit, wait_seconds))

    async def acknowledge(self, notices: object) -> None:
        await self.queue.acknowledge(notices)  # type: ignore[arg-type]  # handed through

    async def hold(self, notices: Sequence[Notice], seconds: int) -> None:
        await self.queue.hold(notices, seconds)

    async def backlog(self) -> int:
        return await self.queue.backlog()


async def _appeared(db: Database) -> None:
    while True:
        if await db.read(store.count, InboundQuery()):
            return
        await asyncio.sleep(0.05)


async def test_an_outage_of_the_queue_is_waited_out(
    at: SandboxAddresses, clients: Clients, db: Database, source: SqsSource
) -> None:
    source._queue = BrokenOnce(SqsQueue(clients, at.inbound_queue_url))
    _post(at, f"ticket+3@{SHARED}")
    running = asyncio.ensure_future(source.run())
    await asyncio.wait_for(_appeared(db), PATIENCE)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running

    assert await db.read(store.count, InboundQuery()) == 1
