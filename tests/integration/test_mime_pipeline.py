"""What reading gives the pipeline: the new words of a reply, safe HTML, bombs quarantined."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.inbound.bounded import BoundedReader, Bounds
from backend.model.inbound import InboundStatus, Reason
from tests.integration.inbound_world import SHARED, World, mail
from tests.mail_bombs import BOMBS

QUOTED = (
    "It prints again.\r\n\r\n"
    "On Mon, 2 Mar 2026 at 09:00, Help <h@acme.example> wrote:\r\n> Try now.\r\n"
)
REFUSED = (
    "too large",
    "depth 50,000",
    "100,000 empty parts",
    "300,000 headers",
)


async def test_a_note_carries_the_new_words_and_all_of_them_beside(world: World) -> None:
    row = await world.receive(mail(body=QUOTED), f"portal+1042@{SHARED}")

    body = world.target.calls[0].body
    assert body["text"] == "It prints again."
    assert body["full_text"] == row.text
    assert row.reply_text == "It prints again."
    assert "> Try now." in row.text


async def test_a_new_ticket_carries_all_the_words(world: World) -> None:
    row = await world.receive(mail(body=QUOTED), "support@acme.example")

    body = world.target.calls[0].body
    assert (body["description"], "full_text" in body) == (row.text, False)


async def test_a_target_gets_sanitised_html(world: World) -> None:
    raw = mail("x", "Content-Type: text/html", body="<p onclick=x()>Hi<script>y()</script></p>")

    await world.receive(raw, "support@acme.example")

    assert world.target.calls[0].body["html"].strip() == "<p>Hi</p>"


@pytest.mark.parametrize("name", REFUSED)
async def test_a_bomb_is_quarantined_at_the_first_attempt(world: World, name: str) -> None:
    row = await world.receive(BOMBS[name](), "support@acme.example")

    assert (row.status, row.reason) == (InboundStatus.QUARANTINED, Reason.UNREADABLE)
    assert (row.from_address, row.subject) == ("jo@client.example", "Boom")
    assert world.target.calls == []


async def test_a_message_that_takes_too_long_is_quarantined_and_its_neighbour_delivered(
    world: World,
) -> None:
    slow = BoundedReader(Bounds(wall_seconds=0.001))
    world.inbound = replace(world.inbound, reader=slow)

    held = await world.receive(mail(body="x\r\n" * 100_000), "support@acme.example")
    sound = await world.receive(mail(), "support@acme.example")

    assert (held.status, held.reason) == (InboundStatus.QUARANTINED, Reason.UNREADABLE)
    assert sound.status is InboundStatus.FORWARDED
    slow.close()
