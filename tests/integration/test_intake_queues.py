"""Queues as SQS keeps them: FIFO, slow intake, notices left for the dead-letter queue."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from backend.aws.client import Clients
from backend.aws.sqs import SqsQueue
from backend.errors import ServiceUnavailableError
from backend.inbound.intake import Intake
from backend.inbound.sources.sqs import SqsSource
from backend.model.views import InboundQuery
from backend.sandbox import Sandbox, SandboxSettings
from backend.store import inbound as store
from backend.store.blobs import FolderBlobs
from tests.integration.inbound_world import SHARED, mail
from tests.waiting import until_async

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from backend.sandbox import SandboxAddresses
    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock

BUCKET = "relay-inbound"


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    sandbox = Sandbox(SandboxSettings(receiving_domains=(SHARED,)))
    at: SandboxAddresses = sandbox.start()
    made = Clients(at.region, at.aws_endpoint)
    yield made
    made.close()
    sandbox.stop()


class Slow(FolderBlobs):
    """A folder that does not answer before it is told to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()
        self.away = False

    async def get(self, key: str) -> bytes:
        if self.away:
            raise ServiceUnavailableError("the disk is gone")
        self.asked.set()
        await self.go_on.wait()
        return await super().get(key)


@pytest.fixture
def blobs(tmp_path: Path) -> Slow:
    return Slow(tmp_path / "blobs")


@pytest.fixture
def intake(db: Database, blobs: Slow, clock: SettableClock, ids: CountingIds) -> Intake:
    return Intake(db, blobs, clock, ids, inbound_domain=SHARED)


def _queue(clients: Clients, name: str, **attributes: str) -> str:
    made = clients.service("sqs").create_queue(QueueName=name, Attributes=attributes)
    return str(made["QueueUrl"])


def _notice(key: str, recipient: str = f"ticket+1@{SHARED}") -> str:
    receipt = {
        "timestamp": "2026-03-02T09:00:00.000Z",
        "recipients": [recipient],
        "action": {"type": "S3", "bucketName": BUCKET, "objectKey": key},
    }
    told = {"notificationType": "Received", "receipt": receipt, "mail": {"messageId": key}}
    return json.dumps(told)


def _attributes(clients: Clients, url: str) -> dict[str, Any]:
    asked = clients.service("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    attributes: dict[str, Any] = asked["Attributes"]
    return attributes


async def test_a_fifo_queue_is_read_like_any_other(
    clients: Clients, db: Database, intake: Intake, blobs: Slow
) -> None:
    url = _queue(clients, "inbound.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    for number in range(3):
        await blobs.put(f"in/{number}", mail(str(number)))
        clients.service("sqs").send_message(
            QueueUrl=url, MessageBody=_notice(f"in/{number}"), MessageGroupId="mail"
        )
    source = SqsSource(SqsQueue(clients, url), intake, blobs, bucket=BUCKET, wait_seconds=1)
    done = 0
    while done < 3:
        done += await source.poll()

    assert await db.read(store.count, InboundQuery()) == 3
    assert await SqsQueue(clients, url).backlog() == 0


async def test_notices_stay_hidden_for_as_long_as_intake_takes(
    clients: Clients, db: Database, intake: Intake, blobs: Slow
) -> None:
    url = _queue(clients, "slow", VisibilityTimeout="1")
    queue = SqsQueue(clients, url)
    await blobs.put("in/slow", mail("slow"))
    clients.service("sqs").send_message(QueueUrl=url, MessageBody=_notice("in/slow"))
    blobs.go_on.clear()
    source = SqsSource(queue, intake, blobs, bucket=BUCKET, wait_seconds=1, hold_every=0.2)
    polling = asyncio.ensure_future(source.poll())
    await blobs.asked.wait()
    # a second receiver waits for twice the visibility timeout and gets nothing
    others = list(await queue.receive(10, 2))
    blobs.go_on.set()

    assert await polling == 1
    assert others == []
    assert await queue.backlog() == 0


async def test_a_bad_notice_goes_to_the_dead_letter_queue_with_its_count_in_the_log(
    clients: Clients, intake: Intake, blobs: Slow
) -> None:
    dead = _queue(clients, "inbound-dead")
    policy = {
        "deadLetterTargetArn": _attributes(clients, dead)["QueueArn"],
        "maxReceiveCount": "3",
    }
    url = _queue(clients, "inbound-bad", VisibilityTimeout="0", RedrivePolicy=json.dumps(policy))
    clients.service("sqs").send_message(QueueUrl=url, MessageBody=_notice("in/x").replace("S3", ""))
    source = SqsSource(SqsQueue(clients, url), intake, blobs, bucket=BUCKET, wait_seconds=0)

    async def gone() -> bool:
        await source.poll()
        return int(_attributes(clients, dead)["ApproximateNumberOfMessages"]) == 1

    with capture_logs() as logs:
        await until_async(gone)

    left = [entry for entry in logs if entry["event"] == "notice left for the dead-letter queue"]
    assert [entry["received"] for entry in left] == [1, 2, 3]
    assert "use S3Action" in left[0]["error"]


async def test_while_the_store_is_away_no_further_notices_are_received(
    clients: Clients, db: Database, intake: Intake, blobs: Slow
) -> None:
    url = _queue(clients, "away", VisibilityTimeout="0")
    for key in ("in/1", "in/2"):
        await blobs.put(key, mail(key))
        clients.service("sqs").send_message(QueueUrl=url, MessageBody=_notice(key))
    source = SqsSource(SqsQueue(clients, url), intake, blobs, bucket=BUCKET, wait_seconds=1)
    blobs.away = True
    with pytest.raises(ServiceUnavailableError, match="the disk is gone"):
        await source.poll()
    blobs.away = False
    done = 0
    while done < 2:
        done += await source.poll()

    assert await db.read(store.count, InboundQuery()) == 2


async def test_holding_a_notice_that_is_gone_does_no_harm(clients: Clients) -> None:
    url = _queue(clients, "gone")
    queue = SqsQueue(clients, url)
    clients.service("sqs").send_message(QueueUrl=url, MessageBody="x")
    notices = await queue.receive(1, 1)
    await queue.acknowledge(notices)
    await queue.hold(notices, 60)

    assert await queue.backlog() == 0
