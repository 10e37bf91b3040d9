"""From a mail of ours to the answer on its ticket: tokens, trust and what is learned on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from typing import TYPE_CHECKING

import httpx
import pytest

from backend.model.inbound import (
    InboundMessage,
    InboundStatus,
    MatchStatus,
    Reason,
    ScanVerdict,
    TargetAction,
)
from backend.model.matching import MatchFlag, TicketStatus
from backend.model.outbound import Email, EmailDraft
from backend.model.work import WorkKind
from backend.outbound.accept import accept
from backend.outbound.context import Outbound, OutboundSettings
from backend.outbound.decide import Patience
from backend.outbound.send import process
from backend.queue import items
from backend.reply_tokens import ReplyTokens
from backend.store import contacts, domains, emails, threads
from backend.store.blobs import FolderBlobs
from tests.integration.inbound_world import (
    CLIENT,
    PASSED,
    SHARED,
    TOKENS,
    LoopbackTarget,
    World,
    answer,
    mail,
)
from tests.outbound_world import ScriptedTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from email.message import Message
    from pathlib import Path

    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock

STRANGER = "mallory@evil.example"
TICKET = {"product": "psa", "ticket_id": "T-77"}


class Desk(World):
    """The inbound world with a way out, so that answers have something to answer."""

    transport: ScriptedTransport

    def __post_init__(self) -> None:
        self.transport = ScriptedTransport(self.clock)
        super().__post_init__()

    def outbound(self, tokens: ReplyTokens = TOKENS) -> Outbound:
        return Outbound(
            db=self.db,
            transport=self.transport,
            clock=self.clock,
            ids=self.ids,
            settings=OutboundSettings(
                configuration_set="",
                patience=Patience(
                    unknown_wait=timedelta(seconds=120),
                    retry_for=timedelta(hours=24),
                ),
            ),
            tokens=tokens,
        )

    async def send(
        self,
        tags: Mapping[str, str] = TICKET,
        *,
        tokens: ReplyTokens = TOKENS,
        draft: EmailDraft | None = None,
    ) -> tuple[Email, Message]:
        """Send a mail to the client; gives its row and what went out."""
        outbound = self.outbound(tokens)
        draft = draft or EmailDraft(
            sender="Help <help@acme.example>", to=(CLIENT,), subject="Your ticket", text="Done."
        )
        accepted = await accept(outbound, "acme", replace(draft, tags=tags))
        (item,) = await self.db.write(
            items.claim,
            [WorkKind.SEND],
            "test",
            now=self.clock.now(),
            lease=timedelta(seconds=30),
            limit=1,
        )
        await process(item, outbound)
        email = await self.db.read(emails.get, accepted.email_id)
        assert email is not None
        return email, message_from_bytes(self.transport.mails[-1].raw)

    async def answered(self, recipient: str, *extra: str, sender: str = CLIENT) -> InboundMessage:
        """Receive an answer from somebody."""
        raw = mail("Re: Your ticket", *extra).replace(CLIENT.encode(), sender.encode())
        return await self.receive(raw, recipient)


@pytest.fixture
async def desk(
    db: Database, clock: SettableClock, ids: CountingIds, tmp_path: Path
) -> AsyncIterator[Desk]:
    target = LoopbackTarget()
    await target.start()
    async with httpx.AsyncClient() as client:
        made = Desk(db, clock, ids, FolderBlobs(tmp_path / "blobs"), target, client)
        await made.settle_tenants()
        yield made
    await target.stop()


def changed(token: str) -> list[str]:
    """Give the token with each of its letters exchanged."""
    return [
        f"{token[:i]}{'2' if letter != '2' else '3'}{token[i + 1 :]}"
        for i, letter in enumerate(token)
    ]


# on the way out


async def test_a_mail_of_a_receiving_domain_carries_its_token(desk: Desk) -> None:
    email, sent = await desk.send()

    assert email.reply_address == f"reply+{email.reply_token}@acme.example"
    assert sent["Reply-To"] == email.reply_address
    assert sent["X-Relay-Reply-Token"] == email.reply_token
    assert sent["References"] == f"<{email.reply_token}@acme.example>"
    assert email.thread_id.startswith("thr_")


async def test_the_callers_reply_to_is_kept_and_the_token_goes_along(desk: Desk) -> None:
    draft = EmailDraft(
        sender="help@acme.example",
        to=(CLIENT,),
        subject="Hi",
        text="x",
        reply_to=("Ann <ann@acme.example>",),
        headers={"References": "<older@client.example>"},
    )

    email, sent = await desk.send(draft=draft)

    assert sent["Reply-To"] == '"Ann" <ann@acme.example>'
    assert sent["X-Relay-Reply-Token"] == email.reply_token != ""
    assert sent.get_all("References") == ["<older@client.example>"]


async def test_without_a_secret_no_token_is_made(desk: Desk) -> None:
    email, sent = await desk.send(tokens=ReplyTokens())

    assert (email.reply_token, email.reply_address) == ("", "")
    assert sent["Reply-To"] is None
    assert sent["X-Relay-Reply-Token"] is None


async def test_a_domain_that_does_not_receive_makes_none_but_one_below_it_may(desk: Desk) -> None:
    await desk.db.write(_receiving, "acme.example", False)
    silent, _ = await desk.send()
    await desk.db.write(_add_below)

    email, sent = await desk.send()

    assert silent.reply_token == ""
    assert sent["Reply-To"] == f"reply+{email.reply_token}@help.acme.example"


async def test_mails_on_one_ticket_are_one_conversation(desk: Desk) -> None:
    first, _ = await desk.send()
    second, _ = await desk.send()
    other, _ = await desk.send({"product": "psa", "ticket_id": "T-78"})

    assert first.thread_id == second.thread_id != other.thread_id
    assert first.reply_token != second.reply_token


# on the way back


async def test_an_answer_to_the_reply_address_lands_on_the_ticket(desk: Desk) -> None:
    email, sent = await desk.send({**TICKET, "contact_id": "c-9"})

    row = await desk.answered(str(sent["Reply-To"]).upper())

    assert desk.target.calls[0].path == "/tickets/T-77/notes"
    assert (row.status, row.tenant_id) == (InboundStatus.FORWARDED, "acme")
    assert row.reply_match_status is MatchStatus.MATCHED
    assert (row.reply_to_email_id, row.thread_id) == (email.id, email.thread_id)
    assert row.contact_id == "c-9"
    assert row.match_flags == frozenset()


@pytest.mark.parametrize(
    "header",
    [
        "X-Relay-Reply-Token: {}",
        "In-Reply-To: <{}@acme.example>",
        "References: <a@b> <{}@acme.example>",
    ],
)
async def test_a_token_in_a_header_counts_as_well(desk: Desk, header: str) -> None:
    email, _ = await desk.send()

    row = await desk.answered("anything@acme.example", header.format(email.reply_token))

    assert row.reply_to_email_id == email.id
    assert desk.target.calls[0].path == "/tickets/T-77/notes"


async def test_no_changed_letter_of_a_token_attaches_a_message(desk: Desk) -> None:
    email, _ = await desk.send()

    rows = [
        await desk.answered(f"reply+{token}@acme.example") for token in changed(email.reply_token)
    ]

    assert {row.reply_match_status for row in rows} == {MatchStatus.UNMATCHED}
    assert {(row.status, row.reason) for row in rows} == {
        (InboundStatus.UNROUTED, Reason.UNMATCHED_TOKEN)
    }
    assert {row.tenant_id for row in rows} == {"acme"}
    assert all(row.match_flags == {MatchFlag.BAD_TOKEN} for row in rows)
    assert desk.target.calls == []


@pytest.mark.parametrize("domain", ["globex.example", SHARED])
async def test_a_token_is_good_at_its_own_domain_only(desk: Desk, domain: str) -> None:
    await desk.db.write(_receiving, "globex.example", True)
    email, _ = await desk.send()

    by_address = await desk.answered(f"reply+{email.reply_token}@{domain}")
    by_header = await desk.answered(
        "support@globex.example", f"X-Relay-Reply-Token: {email.reply_token}"
    )

    assert by_address.thread_id is None
    assert MatchFlag.BAD_TOKEN in by_address.match_flags
    assert by_header.reply_to_email_id is None
    assert by_header.tenant_id == "globex"


async def test_the_row_must_agree_with_the_signature(desk: Desk) -> None:
    email, _ = await desk.send()
    await desk.db.write(_forget_token, email.id)

    row = await desk.answered(email.reply_address)

    assert row.reply_to_email_id is None
    assert row.match_flags == {MatchFlag.BAD_TOKEN}


async def test_a_token_outlives_one_change_of_the_secret(desk: Desk) -> None:
    email, _ = await desk.send()
    desk.inbound = replace(desk.inbound, tokens=ReplyTokens(current="new", previous=TOKENS.current))
    once = await desk.answered(email.reply_address)
    desk.inbound = replace(desk.inbound, tokens=ReplyTokens(current="newer", previous="new"))
    twice = await desk.answered(email.reply_address)

    assert once.reply_to_email_id == email.id
    assert twice.reply_to_email_id is None


async def test_a_stranger_with_a_token_is_marked_and_stays_a_stranger(desk: Desk) -> None:
    email, _ = await desk.send()

    row = await desk.answered(email.reply_address, sender=STRANGER)

    assert desk.target.calls[0].body["match_flags"] == ["sender_not_participant"]
    assert row.thread_id == email.thread_id
    people = await desk.db.read(threads.participants, [email.thread_id])
    assert people[email.thread_id] == {CLIENT}


async def test_a_strangers_words_never_become_a_public_reply(desk: Desk) -> None:
    email, _ = await desk.send({"product": "portal", "ticket_id": "T-77"})

    row = await desk.answered(email.reply_address, sender=STRANGER)

    assert (row.status, row.reason) == (
        InboundStatus.QUARANTINED,
        Reason.SENDER_NOT_PARTICIPANT,
    )
    assert desk.target.calls == []


async def test_an_answer_to_a_mail_without_a_ticket_opens_one(desk: Desk) -> None:
    email, _ = await desk.send({"product": "books"})

    row = await desk.answered(email.reply_address)
    again = await desk.answered(email.reply_address)

    assert [call.path for call in desk.target.calls] == ["/tickets", "/tickets/T-1/notes"]
    assert row.thread_id == again.thread_id == email.thread_id


# without a token


async def test_who_was_forwarded_a_mail_is_looked_at_first(desk: Desk) -> None:
    await desk.send()
    quoting = "In-Reply-To: <ses-1@email.amazonses.com>"

    held = await desk.answered("support@acme.example", quoting, sender=STRANGER)
    colleague = await desk.answered("support@acme.example", quoting, sender="lee@client.example")

    assert (held.status, held.reason) == (
        InboundStatus.QUARANTINED,
        Reason.SENDER_NOT_PARTICIPANT,
    )
    assert held.thread_id is None
    assert colleague.reply_match_status is MatchStatus.MATCHED
    assert colleague.match_flags == {MatchFlag.SENDER_NOT_PARTICIPANT}


async def test_who_is_copied_takes_part(desk: Desk) -> None:
    email, _ = await desk.send()
    await desk.answered(email.reply_address, "Cc: Bob <Bob@vendor.example>")

    row = await desk.answered(
        "support@acme.example",
        "In-Reply-To: <ses-1@email.amazonses.com>",
        sender="bob@vendor.example",
    )

    assert row.reply_match_status is MatchStatus.MATCHED
    assert row.match_flags == frozenset()


async def test_a_forged_sender_is_nobody_we_know(desk: Desk) -> None:
    await desk.send()
    raw = mail("Re: Your ticket", "In-Reply-To: <ses-1@email.amazonses.com>")
    forged = replace(PASSED, dmarc=ScanVerdict.FAIL)

    row = await desk.receive(raw, "support@acme.example", verdicts=forged)

    assert row.status is InboundStatus.QUARANTINED
    assert MatchFlag.SENDER_NOT_PROVEN in row.match_flags


async def test_a_number_that_was_learned_binds_its_participants_only(desk: Desk) -> None:
    desk.target.script.append(answer(201, {"ticket_id": "T-5", "number": "ACM-0005"}))
    first = await desk.receive(mail(), "support@acme.example")

    mine = await desk.receive(mail("AW: [ticket #acm-0005] x"), "support@acme.example")
    raw = mail("[Ticket #ACM-0005]").replace(CLIENT.encode(), STRANGER.encode())
    theirs = await desk.receive(raw, "support@acme.example")

    assert [call.path for call in desk.target.calls] == [
        "/tickets",
        "/tickets/T-5/notes",
        "/tickets",
    ]
    assert mine.thread_id == first.thread_id != theirs.thread_id
    assert theirs.match_flags == {MatchFlag.SENDER_NOT_PARTICIPANT}
    assert theirs.reply_match_status is MatchStatus.NONE


async def test_an_address_that_names_a_ticket_takes_anyone_and_marks_strangers(desk: Desk) -> None:
    email, _ = await desk.send()

    mine = await desk.answered("ticket+t-77@acme.example")
    theirs = await desk.answered("ticket+T-77@acme.example", sender=STRANGER)
    shared = await desk.answered(f"ticket+T-77@{SHARED}", sender=STRANGER)

    assert {row.status for row in (mine, theirs, shared)} == {InboundStatus.FORWARDED}
    assert mine.thread_id == theirs.thread_id == email.thread_id
    assert mine.match_flags == frozenset()
    assert theirs.match_flags == shared.match_flags == {MatchFlag.SENDER_NOT_PARTICIPANT}
    assert shared.tenant_id == ""


async def test_a_closed_ticket_is_opened_again_and_then_is_open(desk: Desk) -> None:
    email, _ = await desk.send()
    desk.target.script.append(answer(201, {"note_id": "N-1", "status": "closed"}))
    await desk.answered(email.reply_address)

    row = await desk.answered(email.reply_address)

    assert "reopen" not in desk.target.calls[0].body
    assert desk.target.calls[1].body["reopen"] is True
    assert row.match_flags == {MatchFlag.TICKET_CLOSED}
    thread = await desk.db.read(threads.get, email.thread_id)
    assert thread is not None
    assert thread.ticket_status is TicketStatus.OPEN


async def test_a_merged_ticket_is_followed_even_if_no_mail_was_sent_on_the_other(
    desk: Desk,
) -> None:
    email, _ = await desk.send()
    desk.target.script.append(answer(201, {"note_id": "N-1", "merged_into": "T-99"}))
    await desk.answered(email.reply_address)

    row = await desk.answered(email.reply_address)

    assert desk.target.calls[1].path == "/tickets/T-99/notes"
    assert row.match_flags == {MatchFlag.TICKET_MERGED}


async def test_tickets_merged_in_a_circle_come_to_an_end(desk: Desk) -> None:
    first, _ = await desk.send()
    second, _ = await desk.send({"product": "psa", "ticket_id": "T-78"})
    await desk.db.write(threads.learn_ticket, first.thread_id, merged_into="T-78")
    await desk.db.write(threads.learn_ticket, second.thread_id, merged_into="T-77")

    row = await desk.answered(first.reply_address)

    assert row.status is InboundStatus.FORWARDED


async def test_a_contact_is_learned_from_the_answer_of_a_target(desk: Desk) -> None:
    desk.target.script.append(answer(201, {"ticket_id": "T-5", "contact_id": "c-1"}))
    await desk.receive(mail(), "support@acme.example")

    row = await desk.receive(mail("Another thing"), "support@acme.example")

    assert await desk.db.read(contacts.find, "acme", CLIENT.upper()) == "c-1"
    assert row.contact_id == "c-1"
    assert row.route is not None
    assert row.route.action is TargetAction.NEW_TICKET


async def test_the_explanation_shows_every_way_of_a_conflict(desk: Desk) -> None:
    first, _ = await desk.send()
    await desk.send({"product": "psa", "ticket_id": "T-78"})

    row = await desk.answered(first.reply_address, "In-Reply-To: <ses-2@email.amazonses.com>")

    evidence = next(
        s.evidence for s in await desk.steps(row.id) if s.reason is Reason.REPLY_MATCHED
    )
    assert row.match_flags == {MatchFlag.CONFLICT}
    assert "T-77" in evidence["token_address"]
    assert "T-78" in evidence["in_reply_to"]


def _receiving(tx: Tx, name: str, receives: bool) -> None:
    domain = domains.by_name(tx, name)
    assert domain is not None
    domains.save_routing(tx, replace(domain, inbound_enabled=receives))


def _add_below(tx: Tx) -> None:
    domain = domains.by_name(tx, "acme.example")
    assert domain is not None
    below = replace(domain, id="dom_below", name="help.acme.example", inbound_enabled=True)
    domains.add(tx, below)


def _forget_token(tx: Tx, email_id: str) -> None:
    tx.exec_driver_sql("UPDATE emails SET reply_token = '' WHERE id = ?", (email_id,))
