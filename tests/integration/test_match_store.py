"""Conversations, Message-IDs and contacts on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backend.model.inbound import Route, TargetAction, TargetName
from backend.model.matching import TicketStatus
from backend.model.outbound import Attempt, AttemptState, Email, EmailStatus
from backend.model.tenant import Tenant
from backend.store import attempts, citations, contacts, emails, tenants, threads
from backend.store.citations import Citation
from backend.store.threads import Thread
from tests.settable import START

if TYPE_CHECKING:
    from backend.store.engine import Database
    from backend.store.types import Tx


def _thread(thread_id: str, tenant_id: str, ref: str, number: str = "") -> Thread:
    route = Route(target=TargetName.PSA, action=TargetAction.ADD_NOTE, tenant_id=tenant_id, ref=ref)
    return Thread(
        id=thread_id,
        tenant_id=tenant_id,
        subject="Printer",
        created_at=START,
        route=route,
        ticket_number=number,
    )


def _email(email_id: str, tenant_id: str, ses_id: str, thread_id: str) -> Email:
    return Email(
        id=email_id,
        tenant_id=tenant_id,
        sender="help@a.example",
        subject="Printer",
        status=EmailStatus.SENT,
        created_at=START,
        recipients=(),
        thread_id=thread_id,
        tags={},
        ses_message_id=ses_id,
    )


@pytest.fixture
async def filled(any_db: Database) -> Database:
    def fill(tx: Tx) -> None:
        for tenant_id in ("one", "two"):
            tenants.add(tx, Tenant(id=tenant_id, name=tenant_id, created_at=START))
        threads.add(tx, _thread("thr_1", "one", "T-1", "abc-1"))
        threads.add(tx, _thread("thr_2", "two", "T-1", "ABC-1"))
        emails.insert(tx, _email("msg_1", "one", "ses-1", "thr_1"), b"")
        emails.insert(tx, _email("msg_2", "two", "ses-2", "thr_2"), b"")
        tried = Attempt(
            id="att_1",
            email_id="msg_1",
            number=1,
            state=AttemptState.SENT,
            started_at=START,
            ses_message_id="ses-lost",
        )
        attempts.add(tx, tried)

    await any_db.write(fill)
    return any_db


async def test_sent_mail_is_found_by_every_id_it_went_out_with(filled: Database) -> None:
    asked = {"ses-1": "ses-1@x", "ses-lost": "ses-lost@x", "ses-2": "ses-2@x"}

    mine = await filled.read(citations.sent, "one", asked)
    everybodys = await filled.read(citations.sent, None, asked)

    first = Citation(message_id="ses-1@x", thread_id="thr_1", email_id="msg_1")
    lost = Citation(message_id="ses-lost@x", thread_id="thr_1", email_id="msg_1")
    assert mine == [first, lost]
    assert {one.email_id for one in everybodys} == {"msg_1", "msg_2"}


async def test_a_ticket_is_found_by_id_or_number_within_its_tenant(filled: Database) -> None:
    for ref in ("T-1", "t-1", "abc-1", "ABC-1"):
        found = await filled.read(threads.of_ticket, "one", ref, TargetName.PSA)
        assert [thread.id for thread in found] == ["thr_1"]
    assert await filled.read(threads.of_ticket, "one", "T-1", TargetName.PORTAL) == []
    everybodys = await filled.read(threads.of_ticket, None, "T-1", TargetName.PSA)
    assert [thread.id for thread in everybodys] == ["thr_1", "thr_2"]
    named = await filled.read(threads.by_number, "two", ["ABC-1"])
    assert [thread.id for thread in named] == ["thr_2"]


async def test_who_joins_twice_takes_part_once(filled: Database) -> None:
    await filled.write(threads.join, "thr_1", ["Ann@A.example", "ann@a.example ", "no address"])
    await filled.write(threads.join, "thr_1", ["ann@a.example", "bob@a.example"])

    people = await filled.read(threads.participants, ["thr_1", "thr_2"])

    assert people == {
        "thr_1": frozenset({"ann@a.example", "bob@a.example"}),
        "thr_2": frozenset(),
    }


async def test_a_taught_message_id_stands_for_its_conversation_in_its_tenant(
    filled: Database,
) -> None:
    for email_id in (None, "msg_1"):
        await filled.write(threads.learn_alias, "one", "x@y", "thr_1", email_id)

    found = await filled.read(citations.learned, "one", ["x@y", "z@y"])

    assert found == [Citation(message_id="x@y", thread_id="thr_1", email_id="msg_1")]
    assert await filled.read(citations.learned, "two", ["x@y"]) == []
    assert await filled.read(citations.taught_by, "x@y", "two") == "one"
    assert await filled.read(citations.taught_by, "", "one") is None


async def test_what_is_learned_of_a_ticket_is_kept(filled: Database) -> None:
    await filled.write(threads.learn_ticket, "thr_1", number="abc-2", status=TicketStatus.CLOSED)
    await filled.write(threads.learn_ticket, "thr_1", merged_into="T-9")
    await filled.write(threads.learn_ticket, "thr_1")

    thread = await filled.read(threads.get, "thr_1")

    assert thread is not None
    assert (thread.ticket_number, thread.merged_into) == ("ABC-2", "T-9")
    assert thread.ticket_status is TicketStatus.MERGED


async def test_the_last_word_on_a_contact_counts(filled: Database) -> None:
    await filled.write(contacts.learn, "one", "Ann@A.example", "c-1", START)
    await filled.write(contacts.learn, "one", "ann@a.example", "c-2", START)

    assert await filled.read(contacts.find, "one", " ANN@a.example") == "c-2"
    assert await filled.read(contacts.find, "two", "ann@a.example") is None
