"""What SES reports of accepted mail, read from SQS as the Relay reads it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from backend.aws.ses import SesTransport
from backend.sandbox.ses_send import EICAR
from tests.integration.aws.reading import outgoing

if TYPE_CHECKING:
    from tests.integration.aws.reading import Reader


def by_kind(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {event["eventType"]: event for event in events}


async def send(box: Reader, *to: str, count: int, **other: Any) -> dict[str, dict[str, Any]]:
    """Send a mail and give its events by kind, once there are so many."""
    message_id = await SesTransport(box.clients).send(outgoing(*to, **other))
    return by_kind(await box.events_of(message_id, count))


async def test_success_sends_and_delivers(world: Reader) -> None:
    events = await send(world, "success+a@simulator.amazonses.com", count=2, world="att_7")

    assert set(events) == {"Send", "Delivery"}
    assert events["Delivery"]["delivery"]["recipients"] == ["success+a@simulator.amazonses.com"]
    mail = events["Delivery"]["mail"]
    assert mail["tags"]["world"] == ["att_7"]
    assert mail["tags"]["ses:configuration-set"] == ["relay"]
    assert {"name": "X-Relay-Attempt", "value": "att_7"} in mail["headers"]
    assert mail["commonHeaders"]["subject"] == "Re: café"
    assert mail["destination"] == ["success+a@simulator.amazonses.com"]
    assert not mail["headersTruncated"]


@pytest.mark.parametrize(
    ("address", "kinds"),
    [
        ("bounce+t@simulator.amazonses.com", {"Send", "Bounce"}),
        ("ooto@simulator.amazonses.com", {"Send", "Delivery", "Bounce"}),
        ("complaint@simulator.amazonses.com", {"Send", "Delivery", "Complaint"}),
        ("suppressionlist@simulator.amazonses.com", {"Send", "Bounce"}),
        ("full@customer.example", {"Send", "Bounce"}),
    ],
)
async def test_each_address_has_its_events(world: Reader, address: str, kinds: set[str]) -> None:
    assert set(await send(world, address, count=len(kinds))) == kinds


async def test_a_hard_bounce_names_its_recipient_and_status(world: Reader) -> None:
    events = await send(world, "bounce@simulator.amazonses.com", count=2)
    bounce = events["Bounce"]["bounce"]

    assert (bounce["bounceType"], bounce["bounceSubType"]) == ("Permanent", "General")
    (who,) = bounce["bouncedRecipients"]
    assert who["emailAddress"] == "bounce@simulator.amazonses.com"
    assert who["status"] == "5.1.1"


async def test_an_absence_note_is_a_transient_bounce_without_diagnostic(world: Reader) -> None:
    events = await send(world, "ooto@simulator.amazonses.com", count=3)
    bounce = events["Bounce"]["bounce"]

    assert (bounce["bounceType"], bounce["bounceSubType"]) == ("Transient", "General")
    assert bounce["bouncedRecipients"] == [{"emailAddress": "ooto@simulator.amazonses.com"}]


async def test_rules_decide_for_an_address_before_its_domain(world: Reader) -> None:
    world.control("outcomes", address="@slow.example", outcomes=["delay:MailboxFull", "delivery"])
    world.control("outcomes", address="eager@slow.example", outcomes=["delivery", "open", "click"])

    slow = await send(world, "any@slow.example", count=3)
    assert set(slow) == {"Send", "DeliveryDelay", "Delivery"}
    assert slow["DeliveryDelay"]["deliveryDelay"]["delayType"] == "MailboxFull"
    eager = await send(world, "eager@slow.example", count=4)
    assert set(eager) == {"Send", "Delivery", "Open", "Click"}
    assert eager["Click"]["click"]["link"] == "https://client.example/ticket/1"


async def test_a_rendering_failure_is_written_with_a_space_and_never_sent(world: Reader) -> None:
    world.control("outcomes", address="render@x.example", outcomes=["rendering_failure:name"])
    events = await send(world, "render@x.example", count=1)

    assert set(events) == {"Rendering Failure"}
    assert "'name'" in events["Rendering Failure"]["failure"]["errorMessage"]


async def test_a_virus_is_rejected_and_never_sent(world: Reader) -> None:
    raw = outgoing("a@b.example").raw + EICAR
    events = await send(world, "a@b.example", count=1, raw=raw)

    assert set(events) == {"Reject"}
    assert events["Reject"]["reject"]["reason"] == "Bad content"


async def test_recipients_at_one_domain_share_an_event(world: Reader) -> None:
    mail = outgoing("a@one.example", "b@one.example", "c@two.example")
    message_id = await SesTransport(world.clients).send(mail)
    events = await world.events_of(message_id, 3)
    delivered = [e["delivery"]["recipients"] for e in events if e["eventType"] == "Delivery"]

    assert sorted(delivered) == [["a@one.example", "b@one.example"], ["c@two.example"]]


async def test_a_complaint_names_everyone_at_the_domain(world: Reader) -> None:
    world.control("outcomes", address="cross@many.example", outcomes=["delivery", "complaint"])
    events = await send(world, "cross@many.example", "happy@many.example", count=4)
    named = events["Complaint"]["complaint"]["complainedRecipients"]

    assert [who["emailAddress"] for who in named] == ["cross@many.example", "happy@many.example"]


async def test_after_a_hard_bounce_ses_holds_the_address_back(world: Reader) -> None:
    world.control("outcomes", address="gone@past.example", outcomes=["bounce"])
    await send(world, "gone@past.example", count=2)
    events = await send(world, "Gone@past.example", count=2)

    assert events["Bounce"]["bounce"]["bounceSubType"] == "OnAccountSuppressionList"


async def test_simulator_bounces_are_not_held_back(world: Reader) -> None:
    await send(world, "bounce+x@simulator.amazonses.com", count=2)
    client = world.clients.service("sesv2")
    with pytest.raises(client.exceptions.NotFoundException):
        client.get_suppressed_destination(EmailAddress="bounce+x@simulator.amazonses.com")


async def test_without_a_configuration_set_nothing_is_reported(world: Reader) -> None:
    before = world.http.get("/_sandbox/health").json()
    await SesTransport(world.clients).send(outgoing("a@b.example", configuration_set=""))
    after = world.http.get("/_sandbox/health").json()

    assert after["accepted"] == before["accepted"] + 1
    assert after["notices_pending"] == 0


async def test_a_duplicate_keeps_its_sns_message_id(world: Reader) -> None:
    world.control("faults", kind="duplicate", count=2, seconds=0.05)
    message_id = await SesTransport(world.clients).send(outgoing("dup@x.example"))
    events = await world.events_of(message_id, 4)

    assert Counter(event["eventType"] for event in events) == {"Send": 2, "Delivery": 2}
    envelopes = [json.loads(notice.body) for notice in world.notices]
    ids = [e["MessageId"] for e in envelopes if message_id in e["Message"]]
    assert sorted(Counter(ids).values()) == [2, 2]


async def test_a_dropped_notice_never_comes(world: Reader) -> None:
    world.control("faults", kind="drop", channel="events")
    message_id = await SesTransport(world.clients).send(outgoing("drop@x.example"))

    assert [e["eventType"] for e in await world.events_of(message_id, 1)] == ["Delivery"]
    assert world.http.get("/_sandbox/faults").json() == {"faults": []}


async def test_a_reordered_notice_is_overtaken(world: Reader) -> None:
    world.control("faults", kind="reorder")
    message_id = await SesTransport(world.clients).send(outgoing("late@x.example"))

    assert [e["eventType"] for e in await world.events_of(message_id, 2)] == ["Delivery", "Send"]


async def test_a_delayed_notice_is_overtaken(world: Reader) -> None:
    world.control("faults", kind="delay", seconds=0.4)
    message_id = await SesTransport(world.clients).send(outgoing("late@x.example"))

    assert [e["eventType"] for e in await world.events_of(message_id, 2)] == ["Delivery", "Send"]
