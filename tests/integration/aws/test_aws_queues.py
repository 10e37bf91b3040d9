"""SqsQueue against the sandbox: receiving, acknowledging, seeing again."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from backend.aws.provision import Provisioner
from backend.aws.sqs import SqsQueue
from backend.errors import NotFoundError

if TYPE_CHECKING:
    from backend.aws.provision import Channel
    from tests.integration.aws.reading import Reader


@pytest.fixture
def channel(world: Reader, request: pytest.FixtureRequest) -> Channel:
    name = request.node.name.replace("[", "-").replace("]", "")[:70]
    return Provisioner(world.clients).channel(name, raw=True)


def fill(world: Reader, channel: Channel, count: int) -> None:
    for number in range(count):
        Provisioner(world.clients).publish(channel.topic_arn, f"notice {number}")


async def test_raw_delivery_hands_over_the_message_itself(world: Reader, channel: Channel) -> None:
    fill(world, channel, 1)
    (notice,) = await SqsQueue(world.clients, channel.queue_url).receive(10, 5)

    assert notice.body == "notice 0"
    assert notice.receive_count == 1


async def test_acknowledged_notices_are_gone(world: Reader, channel: Channel) -> None:
    fill(world, channel, 12)
    queue = SqsQueue(world.clients, channel.queue_url)
    first, second = list(await queue.receive(10, 5)), list(await queue.receive(10, 5))
    await queue.acknowledge(first + second)

    assert len(first + second) == 12
    asked = world.clients.service("sqs").get_queue_attributes(
        QueueUrl=channel.queue_url, AttributeNames=["All"]
    )["Attributes"]
    assert asked["ApproximateNumberOfMessagesNotVisible"] == "0"


async def test_a_notice_not_acknowledged_is_seen_again(world: Reader, channel: Channel) -> None:
    world.clients.service("sqs").set_queue_attributes(
        QueueUrl=channel.queue_url, Attributes={"VisibilityTimeout": "1"}
    )
    fill(world, channel, 1)
    queue = SqsQueue(world.clients, channel.queue_url)
    await queue.receive(1, 5)
    (again,) = await queue.receive(1, 5)

    assert again.receive_count == 2


async def test_a_long_poll_ends_as_soon_as_there_is_a_notice(
    world: Reader, channel: Channel
) -> None:
    poll = asyncio.ensure_future(SqsQueue(world.clients, channel.queue_url).receive(10, 15))
    begun = time.monotonic()
    await asyncio.to_thread(fill, world, channel, 1)

    assert len(await poll) == 1
    assert time.monotonic() - begun < 5


async def test_a_cancelled_poll_does_not_hold_up_its_task(world: Reader, channel: Channel) -> None:
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await SqsQueue(world.clients, channel.queue_url).receive(10, 3)

    assert time.monotonic() - begun < 2


async def test_a_queue_that_is_not_there_is_not_found(world: Reader) -> None:
    with pytest.raises(NotFoundError):
        await SqsQueue(world.clients, world.at.events_queue_url + "-gone").receive(1, 0)


async def test_making_a_channel_again_changes_nothing(world: Reader, channel: Channel) -> None:
    provisioner = Provisioner(world.clients)
    again = provisioner.channel(channel.queue_arn.rpartition(":")[2], raw=True)
    provisioner.bucket(world.at.inbound_bucket)
    provisioner.configuration_set(world.at.configuration_set, channel.topic_arn)

    assert again == channel
