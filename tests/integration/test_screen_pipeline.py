"""Screening on the whole inbound way: lists, classes, reports, breakers, all with a row and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.inbound.screen_admin import ScreenAdmin
from backend.inbound.screen_context import ScreenSettings
from backend.model.automated import Kind
from backend.model.inbound import InboundStatus, MatchStatus, Reason, Stage
from backend.model.outbound import Email, EmailStatus, Recipient, RecipientKind, RecipientStatus
from backend.model.screening import ListKind, ListWish
from backend.model.suppression import SuppressionReason
from backend.store import emails, events, suppressions, threads
from backend.store.threads import Thread
from tests.integration.inbound_world import PASSED, World, mail

if TYPE_CHECKING:
    from backend.model.inbound import InboundMessage
    from backend.store.types import Tx

DESK = "support@acme.example"
SES_ID = "0100018f-known"


def limited(world: World, **limits: object) -> None:
    settings = ScreenSettings(**limits)  # type: ignore[arg-type]
    world.inbound = replace(world.inbound, screening=settings)


def admin(world: World) -> ScreenAdmin:
    return ScreenAdmin(world.db, world.clock, world.ids, world.inbound.screening)


async def reasons(world: World, row: InboundMessage) -> list[Reason]:
    return [step.reason for step in await world.steps(row.id)]


async def letter(world: World, *addresses: str) -> Email:
    """A mail of Acme that SES has taken, to these recipients."""
    now = world.clock.now()
    thread = Thread(id=world.ids.new("thr"), tenant_id="acme", subject="x", created_at=now)
    email = Email(
        id=world.ids.new("msg"),
        tenant_id="acme",
        sender="help@acme.example",
        subject="Your ticket",
        status=EmailStatus.DELIVERED,
        created_at=now,
        recipients=tuple(
            Recipient(
                address=address,
                kind=RecipientKind.TO,
                status=RecipientStatus.DELIVERED,
                updated_at=now,
            )
            for address in addresses
        ),
        thread_id=thread.id,
        tags={},
        sent_at=now,
        ses_message_id=SES_ID,
    )

    def insert(tx: Tx) -> None:
        threads.add(tx, thread)
        threads.join(tx, thread.id, addresses)
        emails.insert(tx, email, b"")

    await world.db.write(insert)
    return email


def report(
    address: str, original: str, *, status: str = "5.1.1", said: str = "user unknown"
) -> bytes:
    lines = [
        "From: MAILER-DAEMON@mx.client.example",
        f"To: {DESK}",
        "Subject: Delivery Status Notification (Failure)",
        "Message-ID: <dsn1@mx.client.example>",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "It could not be delivered.",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.client.example",
        "",
        f"Final-Recipient: rfc822; {address}",
        "Action: failed",
        f"Status: {status}",
        f"Diagnostic-Code: smtp; 550 {status} {said}",
        "",
        "--b",
        "Content-Type: message/rfc822",
        "",
        "From: help@acme.example",
        f"To: {address}",
        "Subject: Your ticket",
        *([original] if original else []),
        "",
        "Hello",
        "--b--",
        "",
    ]
    return "\r\n".join(lines).encode()


def complaint(address: str) -> bytes:
    lines = [
        "From: fbl@provider.example",
        f"To: {DESK}",
        "Subject: complaint",
        "Message-ID: <arf1@provider.example>",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"',
        "",
        "--b",
        "Content-Type: message/feedback-report",
        "",
        "Feedback-Type: abuse",
        "User-Agent: loop/1",
        "Version: 1",
        f"Original-Rcpt-To: <{address}>",
        "",
        "--b",
        "Content-Type: message/rfc822",
        "",
        f"Message-ID: <{SES_ID}@eu-west-1.amazonses.com>",
        "",
        "Hello",
        "--b--",
        "",
    ]
    return "\r\n".join(lines).encode()


async def test_a_blocked_sender_is_quarantined_and_passes_once_the_entry_has_expired(
    world: World,
) -> None:
    until = world.clock.now() + timedelta(days=1)
    wish = ListWish(
        kind=ListKind.BLOCK, pattern="client.example", tenant_id="acme", expires_at=until
    )
    await admin(world).add(wish, actor="ann")

    held = await world.receive(mail(), DESK)
    world.clock.advance(timedelta(days=2))
    passed = await world.receive(mail("Again"), DESK)

    assert (held.status, held.reason) == (InboundStatus.QUARANTINED, Reason.BLOCKLISTED)
    assert passed.status is InboundStatus.FORWARDED
    assert len(world.target.calls) == 1


async def test_an_alert_is_stored_as_such_and_asks_for_no_automatic_answer(world: World) -> None:
    alert = await world.receive(mail("Disk full", "Auto-Submitted: auto-generated"), DESK)
    person = await world.receive(mail("Printer"), DESK)

    assert (alert.status, alert.kind) == (InboundStatus.FORWARDED, Kind.AUTO_GENERATED)
    assert Reason.CLASSIFIED in await reasons(world, alert)
    assert person.kind is Kind.HUMAN
    assert [call.body["no_auto_response"] for call in world.target.calls] == [True, False]


async def test_a_tenant_decides_what_becomes_of_lists_by_target(world: World) -> None:
    marks = ("List-Id: <news.client.example>", "List-Unsubscribe: <mailto:u@x.example>")
    values = {"classes": {"list": {"psa": "quarantine", "crm": "suppress"}}}
    await admin(world).set_policy("acme", values, actor="ann")

    ticket = await world.receive(mail("News", *marks), DESK)
    activity = await world.receive(mail("News", *marks), "crm+7@acme.example")
    note = await world.receive(mail("News", *marks), "portal+7@acme.example")

    assert (ticket.status, ticket.reason) == (InboundStatus.QUARANTINED, Reason.CLASS_POLICY)
    assert (activity.status, activity.reason) == (InboundStatus.SUPPRESSED, Reason.LIST_MAIL)
    assert note.status is InboundStatus.FORWARDED


async def test_an_automatic_answer_without_a_route_is_suppressed_not_unrouted(
    world: World,
) -> None:
    row = await world.receive(mail("Away", "Auto-Submitted: auto-replied"), "no@acme.example")

    assert (row.status, row.reason) == (InboundStatus.SUPPRESSED, Reason.AUTO_REPLY)


@pytest.mark.parametrize(
    "original", [f"Message-ID: <{SES_ID}@eu-west-1.amazonses.com>", "X-Relay-Attempt: ATTEMPT"]
)
async def test_a_hard_bounce_of_a_known_mail_suppresses_and_links(
    world: World, original: str
) -> None:
    email = await letter(world, "gone@client.example", "here@client.example")
    if "ATTEMPT" in original:
        original = original.replace("ATTEMPT", await attempt_of(world, email))

    row = await world.receive(report("gone@client.example", original), DESK)

    assert (row.status, row.reason, row.kind) == (
        InboundStatus.SUPPRESSED,
        Reason.BOUNCE,
        Kind.BOUNCE,
    )
    assert row.thread_id == email.thread_id
    used = next(s for s in await world.steps(row.id) if s.reason is Reason.REPORT_USED)
    assert used.evidence["email_id"] == email.id
    assert used.evidence["suppressed"] == "gone@client.example"
    both = ["gone@client.example", "here@client.example"]
    found = await world.db.read(suppressions.find, "acme", both)
    assert {a: (s.reason, s.source_email_id) for a, s in found.items()} == {
        "gone@client.example": (SuppressionReason.BOUNCE, email.id)
    }
    now = await world.db.read(emails.get, email.id)
    assert now is not None
    assert {r.address: r.status for r in now.recipients} == {
        "gone@client.example": RecipientStatus.BOUNCED,
        "here@client.example": RecipientStatus.DELIVERED,
    }
    assert [line.kind for line in await world.db.read(events.timeline, email.id)] == ["bounce"]
    assert world.target.calls == []


async def attempt_of(world: World, email: Email) -> str:
    from backend.model.outbound import Attempt, AttemptState
    from backend.store import attempts

    attempt = Attempt(
        id=world.ids.new("att"),
        email_id=email.id,
        number=1,
        state=AttemptState.SENT,
        started_at=world.clock.now(),
    )
    await world.db.write(attempts.add, attempt)
    return attempt.id


async def test_a_soft_bounce_suppresses_nobody(world: World) -> None:
    email = await letter(world, "full@client.example")
    original = f"Message-ID: <{SES_ID}@email.amazonses.com>"

    row = await world.receive(
        report("full@client.example", original, status="4.2.2", said="mailbox full"), DESK
    )

    assert row.reason is Reason.BOUNCE
    assert row.thread_id == email.thread_id
    assert await world.db.read(suppressions.find, "acme", ["full@client.example"]) == {}


@pytest.mark.parametrize(
    ("address", "original", "found_by"),
    [
        ("gone@client.example", "", "recipient"),
        ("stranger@client.example", "Message-ID: <forged@elsewhere.example>", None),
    ],
)
async def test_a_report_that_proves_nothing_changes_nothing(
    world: World, address: str, original: str, found_by: str | None
) -> None:
    await letter(world, "gone@client.example")

    row = await world.receive(report(address, original), DESK)

    assert (row.status, row.reason) == (InboundStatus.SUPPRESSED, Reason.BOUNCE)
    said = next(s for s in await world.steps(row.id) if s.reason is Reason.REPORT_UNPROVEN)
    assert said.evidence.get("found_by") == found_by
    assert await world.db.read(suppressions.find, "acme", [address]) == {}


async def test_a_stranger_named_in_a_proven_report_is_not_suppressed(world: World) -> None:
    await letter(world, "here@client.example")
    original = f"Message-ID: <{SES_ID}@email.amazonses.com>"

    await world.receive(report("stranger@client.example", original), DESK)

    assert await world.db.read(suppressions.find, "acme", ["stranger@client.example"]) == {}


async def test_a_report_to_another_tenant_finds_no_mail_of_ours(world: World) -> None:
    await letter(world, "gone@client.example")
    original = f"Message-ID: <{SES_ID}@email.amazonses.com>"

    await world.receive(report("gone@client.example", original), "support+globex@relay.example")

    assert await world.db.read(suppressions.find, "acme", ["gone@client.example"]) == {}


async def test_a_complaint_suppresses_the_one_who_complained(world: World) -> None:
    email = await letter(world, "angry@client.example")

    row = await world.receive(complaint("angry@client.example"), DESK)

    assert (row.status, row.reason) == (InboundStatus.SUPPRESSED, Reason.COMPLAINT)
    found = await world.db.read(suppressions.find, "acme", ["angry@client.example"])
    assert found["angry@client.example"].reason is SuppressionReason.COMPLAINT
    assert found["angry@client.example"].source_email_id == email.id


async def test_a_flooding_sender_is_held_and_others_are_not(world: World) -> None:
    limited(world, sender_limit=3, window=timedelta(minutes=10))
    flood = [await world.receive(mail(f"Mail {n}", body=f"No {n}"), DESK) for n in range(5)]
    other = await world.receive(mail("Other").replace(b"jo@client", b"di@client"), DESK)

    assert [row.status for row in flood] == [InboundStatus.FORWARDED] * 3 + [
        InboundStatus.QUARANTINED
    ] * 2
    assert flood[-1].reason is Reason.RATE_CIRCUIT_OPEN
    assert other.status is InboundStatus.FORWARDED

    (opened,) = await admin(world).breakers()
    assert opened.key == "jo@client.example"
    await admin(world).reset_breaker(opened, actor="ann")
    again = await world.receive(mail("Later"), DESK)
    assert again.status is InboundStatus.FORWARDED


async def test_a_flood_ends_with_its_window(world: World) -> None:
    limited(world, sender_limit=1, window=timedelta(minutes=10))
    await world.receive(mail("One"), DESK)
    world.clock.advance(timedelta(minutes=11))

    later = await world.receive(mail("Two"), DESK)

    assert later.status is InboundStatus.FORWARDED


async def test_a_rushing_conversation_is_held(world: World) -> None:
    limited(world, sender_limit=0, thread_limit=2, window=timedelta(minutes=10))
    await letter(world, "jo@client.example")
    answer = f"In-Reply-To: <{SES_ID}@email.amazonses.com>"
    rows = [await world.receive(mail(f"Re {n}", answer), DESK) for n in range(3)]

    assert [row.reply_match_status for row in rows] == [MatchStatus.MATCHED] * 3
    assert [row.status for row in rows] == [
        InboundStatus.FORWARDED,
        InboundStatus.FORWARDED,
        InboundStatus.QUARANTINED,
    ]
    assert rows[-1].reason is Reason.RATE_CIRCUIT_OPEN


async def test_a_message_on_the_shared_domain_meets_the_lists_of_its_tenant(world: World) -> None:
    wish = ListWish(kind=ListKind.BLOCK, pattern="jo@client.example", tenant_id="acme")
    await admin(world).add(wish, actor="ann")
    await letter(world, "jo@client.example")
    answer = f"In-Reply-To: <{SES_ID}@email.amazonses.com>"

    row = await world.receive(mail("Re", answer), "ticket+1@relay.example")

    assert (row.status, row.reason) == (InboundStatus.QUARANTINED, Reason.BLOCKLISTED)
    assert (await world.steps(row.id))[-2].stage is Stage.SCREEN


async def test_own_mail_that_comes_back_is_held(world: World) -> None:
    await letter(world, "jo@client.example")
    back = mail("Your ticket", f"Message-ID: <{SES_ID}@email.amazonses.com>")

    row = await world.receive(back, DESK)

    assert (row.status, row.reason) == (InboundStatus.QUARANTINED, Reason.OWN_MAIL)


async def test_a_dry_decision_counts_and_suppresses_nothing(world: World) -> None:
    from backend.inbound.decide import decide
    from backend.inbound.screen_facts import read_mail
    from backend.store import inbound as store

    await letter(world, "gone@client.example")
    raw = report("gone@client.example", f"Message-ID: <{SES_ID}@email.amazonses.com>")
    inbound_id = await world.arrive(raw, DESK, verdicts=PASSED)
    message = await world.db.read(store.get, inbound_id)
    assert message is not None

    before = await world.db.version()
    decision = await world.db.read(
        decide,
        message,
        read_mail(raw),
        world.inbound.inbound_domain,
        screener=world.inbound.screener(),
        tokens=world.inbound.tokens,
    )

    assert decision.rest is not None
    assert decision.rest.reason is Reason.BOUNCE
    assert await world.db.version() == before
