"""The outbound way over real HTTP: the sandbox takes mail, its events come back by SQS."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.aws.client import Clients
from backend.aws.ses import SesTransport
from backend.aws.sqs import SqsQueue
from backend.clock import SystemClock, UlidIds
from backend.feedback.poller import FeedbackPoller
from backend.model.work import WorkKind
from backend.outbound.accept import accept
from backend.outbound.context import Outbound, OutboundSettings
from backend.outbound.decide import Patience
from backend.outbound.send import process
from backend.queue import items
from backend.sandbox.sandbox import Sandbox
from backend.sandbox.settings import SandboxSettings
from backend.store import account, emails, events, suppressions
from tests.outbound_world import DRAFT, TENANT, make_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.sandbox.settings import SandboxAddresses
    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock


@pytest.fixture
def sandbox() -> Iterator[SandboxAddresses]:
    """A sandbox that takes mail from acme.example and sends its events at once."""
    settings = SandboxSettings(
        verified_domains=("acme.example",), event_seconds=(0.0, 0.05), max_send_rate=200.0
    )
    box = Sandbox(settings)
    yield box.start()
    box.stop()


@pytest.fixture
def clients(sandbox: SandboxAddresses) -> Iterator[Clients]:
    """AWS clients of the sandbox."""
    made = Clients(region=sandbox.region, endpoint_url=sandbox.aws_endpoint)
    yield made
    made.close()


async def test_mail_goes_out_and_each_recipients_fate_comes_back(
    db: Database,
    clock: SettableClock,
    ids: CountingIds,
    sandbox: SandboxAddresses,
    clients: Clients,
) -> None:
    await make_world(db, clock, ids)
    settings = OutboundSettings(
        configuration_set=sandbox.configuration_set,
        patience=Patience(unknown_wait=timedelta(seconds=120), retry_for=timedelta(hours=24)),
    )
    now = SystemClock()
    outbound = Outbound(
        db=db, transport=SesTransport(clients), clock=now, ids=UlidIds(), settings=settings
    )
    draft = replace(
        DRAFT,
        to=("success@simulator.amazonses.com",),
        cc=("bounce@simulator.amazonses.com",),
        tags={"product": "psa"},
    )
    email_id = (await accept(outbound, TENANT, draft)).email_id
    (item,) = await db.write(
        items.claim,
        [WorkKind.SEND],
        "test",
        now=now.now(),
        lease=timedelta(seconds=30),
        limit=9,
    )
    await process(item, outbound)

    queue = SqsQueue(clients, sandbox.events_queue_url)
    poller = FeedbackPoller(db, queue, clock=now, ids=outbound.ids)
    wanted = {"send", "delivery", "bounce"}
    async with asyncio.timeout(20):
        while {entry.kind for entry in await db.read(events.timeline, email_id)} < wanted:
            await poller.poll(1)

    email = await db.read(emails.get, email_id)
    assert email is not None
    assert [r.status.value for r in email.recipients] == ["delivered", "bounced"]
    assert email.ses_message_id
    # as at SES, mail to the simulator puts nobody on the list: the next test needs the mailbox
    assert not await db.read(suppressions.find, TENANT, [r.address for r in email.recipients])
    state = await db.read(account.get)
    assert state is not None
    assert state.max_send_rate == 200.0
