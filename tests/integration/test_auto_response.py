"""The automatic answer on its way: from the delivery of a new ticket to a mail that SES has."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import httpx
import pytest

from backend.domains.register import DomainTools
from backend.domains.settings import DomainChange, change_domain
from backend.errors import ServiceUnavailableError
from backend.inbound.auto_response_send import answer
from backend.mime.classify import classify_raw
from backend.model.automated import Kind
from backend.model.inbound import Arrival, InboundStatus, Reason
from backend.model.suppression import SuppressionWish
from backend.model.work import WorkKind
from backend.outbound.accept import accept
from backend.queue import items
from backend.store import auto_responses, domains, emails, gone
from backend.store.audit import Hand
from backend.store.blobs import FolderBlobs
from backend.suppression.by_hand import add
from tests.integration.inbound_world import CLIENT, PASSED, TOKENS, LoopbackTarget, World, mail
from tests.integration.inbound_world import answer as told
from tests.outbound_world import World as Post
from tests.outbound_world import make_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from backend.model.inbound import InboundMessage
    from backend.model.outbound import EmailDraft
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock

TICKET = {"ticket_id": "T-77", "number": "MSP-77", "url": "https://psa.example/77"}


@dataclass(slots=True)
class Desk:
    """The inbound world with the sending half joined to it, as app.py joins them."""

    world: World
    post: Post
    errors: list[Exception] = field(default_factory=list)

    async def take(self, raw: bytes, recipient: str = "support@acme.example") -> InboundMessage:
        """Receive a mail whose envelope sender is known, and process it."""
        world = self.world
        key = f"in/{world.ids.new('raw')}"
        await world.blobs.put(key, raw)
        arrival = Arrival(
            source="ses",
            blob_key=key,
            recipients=(recipient,),
            received_at=world.clock.now(),
            envelope_from=CLIENT,
            verdicts=PASSED,
        )
        (inbound_id,) = await world.intake.take_in(arrival)
        world.target.script.append(told(201, TICKET))
        await world.work()
        return await world.row(inbound_id)

    async def answer(self) -> int:
        """Do the work of answering that is due; gives how much there was."""
        now = self.world.clock.now()
        due = await self.world.db.write(
            items.claim,
            [WorkKind.AUTO_RESPONSE],
            "test",
            now=now,
            lease=timedelta(seconds=30),
            limit=9,
        )
        for item in due:
            await answer(item, db=self.world.db, clock=self.world.clock, send=self._send)
        return len(due)

    async def _send(self, tenant_id: str, draft: EmailDraft, *, key: str) -> str:
        accepted = await accept(self.post.outbound, tenant_id, draft, idempotency_key=key)
        if self.errors:  # after the mail was taken: the worst moment
            raise self.errors.pop()
        return accepted.email_id

    async def reasons(self, message: InboundMessage) -> list[Reason]:
        return [step.reason for step in await self.world.steps(message.id)]


@pytest.fixture
async def desk(
    db: Database, clock: SettableClock, ids: CountingIds, tmp_path: Path
) -> AsyncIterator[Desk]:
    post = await make_world(db, clock, ids)
    post = replace(post, outbound=replace(post.outbound, tokens=TOKENS))
    target = LoopbackTarget()
    await target.start()
    async with httpx.AsyncClient() as client:
        world = World(db, clock, ids, FolderBlobs(tmp_path / "blobs"), target, client)
        yield Desk(world, post)
    await target.stop()


@pytest.fixture
async def switched_on(desk: Desk) -> Desk:
    """Both tenants receive and answer."""
    world = desk.world
    tools = DomainTools(
        db=world.db,
        identities=None,  # type: ignore[arg-type]  # settings never ask SES
        clock=world.clock,
        ids=world.ids,
        region="us-east-1",
    )
    for name in ("acme.example", "globex.example"):
        change = DomainChange(inbound_enabled=True, auto_response=True)
        await change_domain(tools, name, change, actor="pat")
    return desk


async def test_nothing_is_answered_unless_a_domain_says_so(desk: Desk) -> None:
    await desk.world.db.write(_receive_only)
    row = await desk.take(mail())

    assert row.status is InboundStatus.FORWARDED
    assert await desk.answer() == 0
    assert not {r for r in await desk.reasons(row) if r.value.startswith("auto_response")}


async def test_the_sender_of_a_new_ticket_is_answered_and_his_reply_is_a_note_on_it(
    switched_on: Desk,
) -> None:
    desk, world = switched_on, switched_on.world
    row = await desk.take(mail("Printer is down", "Message-ID: <first@client.example>"))

    assert await desk.answer() == 1
    assert await desk.post.work() == 1
    (out,) = desk.post.transport.mails
    sent = message_from_bytes(out.raw, policy=policy.default)
    assert (out.to, sent["From"]) == ((CLIENT,), "support@acme.example")
    assert sent["Subject"] == "[Ticket #MSP-77] Printer is down"
    assert sent["Auto-Submitted"] == "auto-replied"
    assert sent["In-Reply-To"] == "<first@client.example>"
    assert "https://psa.example/77" in sent.get_content()
    assert classify_raw(out.raw).kind is Kind.AUTO_REPLY
    due = await world.db.read(auto_responses.get, row.id)
    assert due is not None
    email = await world.db.read(emails.get, due.email_id)
    assert email is not None
    assert email.thread_id == row.thread_id
    assert (await desk.reasons(row))[-3:] == [
        Reason.AUTO_RESPONSE_DUE,
        Reason.DELIVERED,
        Reason.AUTO_RESPONSE_SENT,
    ]
    reply = mail("Re: [Ticket #MSP-77] Printer is down", f"In-Reply-To: {sent['Message-ID']}")
    note = await desk.take(reply)
    assert note.route is not None
    assert (note.route.action.value, note.route.ref) == ("add_note", "T-77")
    assert await desk.answer() == 0


async def test_a_crash_after_the_mail_was_taken_makes_no_second_one(switched_on: Desk) -> None:
    desk = switched_on
    row = await desk.take(mail())
    desk.errors = [ServiceUnavailableError("cut off")]

    with pytest.raises(ServiceUnavailableError):
        await desk.answer()
    desk.world.clock.advance(60)
    await desk.answer()
    await desk.post.work()

    assert len(desk.post.transport.mails) == 1
    assert (await desk.reasons(row)).count(Reason.AUTO_RESPONSE_SENT) == 1


async def test_an_answered_message_is_erased_with_its_answer(switched_on: Desk) -> None:
    desk, db = switched_on, switched_on.world.db
    row = await desk.take(mail())
    now = desk.world.clock.now()

    (old,) = await db.write(gone.erase, [row.id], now, with_raw=False)

    assert old.id == row.id
    assert await db.read(auto_responses.get, row.id) is None
    assert await desk.answer() == 1  # what it asked for is no more
    assert await desk.post.work() == 0


async def test_one_sender_is_answered_once_an_hour(switched_on: Desk) -> None:
    desk = switched_on
    first, second = await desk.take(mail("One")), await desk.take(mail("Two"))
    desk.world.clock.advance(3601)
    third = await desk.take(mail("Three"))

    assert await desk.answer() == 2
    assert Reason.AUTO_RESPONSE_WITHHELD in await desk.reasons(second)
    for row in (first, third):
        assert Reason.AUTO_RESPONSE_SENT in await desk.reasons(row)


async def test_an_answer_that_may_not_be_sent_is_told_and_not_tried_again(
    switched_on: Desk,
) -> None:
    desk, world = switched_on, switched_on.world
    hand = Hand(actor="ann", at=world.clock.now(), ids=world.ids)
    await world.db.write(add, hand, SuppressionWish(address=CLIENT, tenant_id="ten_1"))
    row = await desk.take(mail())

    assert await desk.answer() == 1
    assert (await desk.reasons(row))[-1] is Reason.AUTO_RESPONSE_REFUSED
    world.clock.advance(3600)
    assert await desk.answer() == 0


async def test_two_desks_that_answer_each_other_exchange_one_mail(switched_on: Desk) -> None:
    desk = switched_on
    await desk.take(mail())
    await desk.answer()
    await desk.post.work()
    (out,) = desk.post.transport.mails

    here = await desk.take(out.raw, "support@globex.example")
    elsewhere = out.raw.replace(b"acme.example", b"desk.example")
    there = await desk.take(elsewhere, "support@globex.example")

    assert (here.status, here.reason) == (InboundStatus.QUARANTINED, Reason.OWN_MAIL)
    assert (there.status, there.reason) == (InboundStatus.SUPPRESSED, Reason.AUTO_REPLY)
    assert await desk.answer() == 0


def _receive_only(tx: Tx) -> None:
    domain = domains.by_name(tx, "acme.example")
    assert domain is not None
    domains.save_routing(tx, replace(domain, inbound_enabled=True))
