"""Who is answered automatically when his mail opened a ticket, and what the answer says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.domains.settings import DomainChange, changed
from backend.errors import InvalidInputError
from backend.inbound.auto_response import Answered, fill, fill_lines, why_not, write_answer
from backend.inbound.screen_facts import read_mail
from backend.model.auto_response import SUBJECT, TEXT, AutoResponse
from backend.model.automated import Kind
from backend.model.inbound import (
    InboundMessage,
    InboundStatus,
    ParsedMail,
    Reason,
    Route,
    ScanVerdict,
    ScanVerdicts,
    TargetAction,
    TargetName,
)
from backend.model.tenant import Domain, DomainStatus
from backend.ports import TargetReceipt

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SENDER = "jo@client.example"
RECEIPT = TargetReceipt(
    external_id="T-1",
    body={
        "ticket_id": "T-1",
        "number": "MSP-1042",
        "url": "https://psa.example/t/1042",
        "priority": "high",
        "sla_due_at": "2026-03-02T13:00:00Z",
    },
)
MESSAGE = InboundMessage(
    id="inb_1",
    tenant_id="acme",
    source="ses",
    blob_key="k",
    recipient="support@acme.example",
    envelope_from=SENDER,
    status=InboundStatus.FORWARDING,
    reason=Reason.STORED,
    received_at=NOW,
    size=1,
    subject="Printer is down",
    kind=Kind.HUMAN,
    thread_id="thr_1",
    verdicts=ScanVerdicts(dmarc=ScanVerdict.PASS),
    route=Route(target=TargetName.PSA, action=TargetAction.NEW_TICKET, tenant_id="acme", ref=""),
)


def mail(*extra: str, sender: str = f"Jo Client <{SENDER}>") -> ParsedMail:
    lines = [
        f"From: {sender}",
        "Subject: Printer is down",
        "Message-ID: <abc@client.example>",
        *extra,
        "",
        "It prints stripes.",
    ]
    return read_mail("\r\n".join(lines).encode())


def why(letter: ParsedMail, answered: Answered | None = None, **changes: Any) -> str:
    return why_not(replace(MESSAGE, **changes), letter, answered or Answered(), NOW)


def test_a_person_with_a_proven_address_is_answered() -> None:
    assert why(mail()) == ""
    assert why(mail("Auto-Submitted: no", "X-Auto-Response-Suppress: DR, OOF")) == ""


@pytest.mark.parametrize(
    ("extra", "clause"),
    [
        ("Auto-Submitted: auto-generated", "Auto-Submitted"),
        ("Precedence: bulk", "Precedence"),
        ("List-Id: <users.lists.example>", "by a list"),
        ("X-Auto-Response-Suppress: OOF, AutoReply", "asks for no automatic answers"),
        ("X-Auto-Response-Suppress: All", "asks for no automatic answers"),
        ("X-Relay-Loop: 1", "our own mark"),
        ("X-Relay-Attempt: att_1", "our own mark"),
    ],
)
def test_a_mail_that_says_so_gets_no_answer(extra: str, clause: str) -> None:
    assert clause in why(mail(extra))


@pytest.mark.parametrize(
    "kind", [kind for kind in Kind if kind is not Kind.HUMAN], ids=lambda kind: kind.value
)
def test_no_machine_gets_an_answer(kind: Kind) -> None:
    assert "a machine wrote" in why(mail(), kind=kind)


@pytest.mark.parametrize("path", ["", "<>", "mailer-daemon@client.example", "bounces+1@x.example"])
def test_an_empty_or_a_robot_s_return_path_gets_no_answer(path: str) -> None:
    assert why(mail(), envelope_from=path)


@pytest.mark.parametrize(
    "sender",
    ["no-reply@client.example", "noreply+7@client.example", "x-bounces@l.example", "", "pat"],
)
def test_an_address_nobody_reads_gets_no_answer(sender: str) -> None:
    assert why(mail(sender=sender))


def test_an_address_that_is_not_proven_gets_no_answer() -> None:
    passed = ScanVerdicts(spf=ScanVerdict.PASS, dkim=ScanVerdict.PASS)

    assert "not proven" in why(mail(), verdicts=ScanVerdicts())
    assert "not proven" in why(mail(), verdicts=passed, envelope_from="a@mailer.example")
    assert why(mail(), verdicts=passed) == ""
    assert "same domain" in why(mail(sender="pat@acme.example"))


def test_a_sender_and_a_conversation_are_not_answered_again_and_again() -> None:
    assert "within the hour" in why(mail(), Answered(last_hour=1, last_day=1))
    assert "10 times" in why(mail(), Answered(last_day=10))
    assert "conversation" in why(mail(), Answered(thread=True))
    assert why(mail(), Answered(last_day=9)) == ""
    assert "a day ago" in why(mail(), received_at=NOW - timedelta(hours=25))


def test_the_answer_is_marked_and_tied_to_the_mail_and_its_ticket() -> None:
    due = write_answer(AutoResponse(enabled=True), MESSAGE, mail(), RECEIPT, NOW)

    assert (due.sender, due.recipient) == ("support@acme.example", SENDER)
    assert due.subject == "[Ticket #MSP-1042] Printer is down"
    assert due.text.startswith("Hello Jo Client,\n")
    assert "https://psa.example/t/1042" in due.text
    assert "2026-03-02T13:00:00Z" in due.text
    assert dict(due.headers) == {
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
        "Precedence": "bulk",
        "In-Reply-To": "<abc@client.example>",
        "References": "<abc@client.example>",
    }
    assert dict(due.tags) == {"product": "psa", "ticket_id": "T-1"}


def test_lines_whose_names_have_no_value_are_left_out() -> None:
    bare = TargetReceipt(external_id="T-1", body={"ticket_id": "T-1"})
    due = write_answer(AutoResponse(enabled=True), MESSAGE, mail(sender=SENDER), bare, NOW)

    assert due.text.startswith("Hello,\n")
    assert "ticket T-1" in due.text
    assert "follow it" not in due.text
    assert "answer by" not in due.text


def test_strangers_cannot_write_into_the_answer() -> None:
    """No line of their own, no link in a name, no name in braces that is filled again."""
    letter = mail(sender=f'"Win at https://evil.example" <{SENDER}>')
    evil = TargetReceipt(
        external_id="T-1", body={"number": "1\r\nBcc: x@y.example", "url": "javascript:alert(1)"}
    )
    message = replace(MESSAGE, subject="a\r\nBcc: x@y.example {{ticket_url}}\u202e")
    due = write_answer(AutoResponse(enabled=True), message, letter, evil, NOW)

    assert due.subject == "[Ticket #1 Bcc: x@y.example] a Bcc: x@y.example {{ticket_url}}"
    assert "evil.example" not in due.text
    assert "javascript" not in due.text
    assert fill("{{a}} {{ b }}", {"a": "{{b}}", "b": "2"}) == "{{b}} 2"
    assert fill_lines("x {{no}}\ny", {}) == "y"


@pytest.mark.parametrize("own", ["a b", "x>\r\nBcc: y", "ü", "a" * 400])
def test_a_message_id_that_could_break_a_header_is_not_repeated(own: str) -> None:
    due = write_answer(
        AutoResponse(enabled=True), MESSAGE, replace(mail(), message_id=own), RECEIPT, NOW
    )

    assert "In-Reply-To" not in due.headers


def test_a_domain_says_what_it_answers_and_unknown_names_are_refused() -> None:
    domain = Domain(
        id="dom_1",
        tenant_id="acme",
        name="acme.example",
        status=DomainStatus.VERIFIED,
        inbound_enabled=True,
        dkim_tokens=(),
        mail_from="",
        created_at=NOW,
    )
    assert domain.auto_response == AutoResponse(enabled=False)
    own = changed(
        domain,
        DomainChange(
            auto_response=True, auto_response_subject="Re: {{ subject }}", auto_response_text="Hi"
        ),
    ).auto_response
    assert own == AutoResponse(enabled=True, subject="Re: {{ subject }}", text="Hi")
    back = DomainChange(auto_response_subject=" ", auto_response_text="")
    again = changed(replace(domain, auto_response=own), back).auto_response
    assert again == AutoResponse(enabled=True, subject=SUBJECT, text=TEXT)
    for wrong in (
        DomainChange(auto_response_text="{{ticket_nr}}"),
        DomainChange(auto_response_subject="x" * 301),
    ):
        with pytest.raises(InvalidInputError):
            changed(domain, wrong)
