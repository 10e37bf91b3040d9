"""One message's whole way over a real database, real files and a target on a socket."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from backend.errors import LeaseLostError
from backend.inbound.pipeline import process
from backend.inbound.reprocess import reprocess
from backend.model.inbound import (
    AttachmentInfo,
    Finding,
    InboundStatus,
    MatchStatus,
    Reason,
    Route,
    ScanVerdict,
    ScanVerdicts,
    Stage,
    TargetAction,
    TargetName,
)
from backend.model.stats import Counter
from backend.model.work import WorkKind
from backend.queue import items
from backend.store import audit, counters, deliveries, outbox, threads
from backend.store import inbound as store
from backend.store.deliveries import DeliveryState
from backend.store.threads import Thread
from tests.integration.inbound_world import KEY, SHARED, World, answer, mail

SES_ID = "0100019abc-1111-000000"


def _thread(world: World, tenant_id: str = "acme", route: Route | None = None) -> Thread:
    return Thread(
        id=world.ids.new("thr"),
        tenant_id=tenant_id,
        subject="Your ticket",
        created_at=world.clock.now(),
        route=route,
    )


async def _delivery(world: World, inbound_id: str) -> deliveries.Delivery:
    return (await world.db.read(deliveries.of_message, inbound_id))[0]


async def _counted(world: World) -> dict[Counter, int]:
    return await world.db.read(counters.totals)


@pytest.mark.parametrize(
    ("recipient", "path", "action", "tenant_id"),
    [
        (f"ticket+1042@{SHARED}", "/tickets/1042/notes", TargetAction.ADD_NOTE, ""),
        (f"support+acme@{SHARED}", "/tickets", TargetAction.NEW_TICKET, "acme"),
        (f"SUPPORT+ACME@{SHARED.upper()}", "/tickets", TargetAction.NEW_TICKET, "acme"),
        (f"crm+c-7@{SHARED}", "/contacts/c-7/activities", TargetAction.LOG_ACTIVITY, ""),
        (f"portal+1042@{SHARED}", "/tickets/1042/replies", TargetAction.ADD_REPLY, ""),
        ("support@acme.example", "/tickets", TargetAction.NEW_TICKET, "acme"),
        ("ticket+9@acme.example", "/tickets/9/notes", TargetAction.ADD_NOTE, "acme"),
        ("support+acme@acme.example", "/tickets", TargetAction.NEW_TICKET, "acme"),
    ],
)
async def test_each_address_pattern_reaches_its_target(
    world: World, recipient: str, path: str, action: TargetAction, tenant_id: str
) -> None:
    row = await world.receive(mail(), recipient)

    assert (row.status, row.reason) == (InboundStatus.FORWARDED, Reason.DELIVERED)
    assert [call.path for call in world.target.calls] == [path]
    assert row.route is not None
    assert (row.route.action, row.tenant_id) == (action, tenant_id)


async def test_a_new_ticket_is_told_as_the_contract_says(world: World) -> None:
    row = await world.receive(mail(), "support@acme.example")

    call = world.target.calls[0]
    assert call.headers["authorization"] == f"Bearer {KEY}"
    assert call.headers["idempotency-key"] == f"{row.id}/psa"
    assert call.body == {
        "inbound_id": row.id,
        "tenant_id": "acme",
        "subject": "Printer is down",
        "description": "It prints stripes.\r\n",
        "html": None,
        "from": {"address": "jo@client.example", "name": "Jo Client"},
        "recipient": "support@acme.example",
        "message_id": row.message_id,
        "received_at": "2026-03-02T09:00:00.000Z",
        "attachments": [],
        "raw_url": None,
        "queue": None,
        "priority": None,
        "fields": {},
        "tags": [],
        "no_auto_response": False,
        "thread": {"id": row.thread_id, "reply_to_email_id": None},
    }
    assert row.thread_id is not None


async def test_a_forwarded_message_leaves_row_explanation_delivery_event_and_counts(
    world: World,
) -> None:
    row = await world.receive(mail(), "support@acme.example")

    assert row.external_id == "T-1"
    assert [(step.stage, step.reason) for step in await world.steps(row.id)] == [
        (Stage.INTAKE, Reason.STORED),
        (Stage.PARSE, Reason.PARSED),
        (Stage.SCREEN, Reason.CLEAN),
        (Stage.MATCH, Reason.NOT_A_REPLY),
        (Stage.ROUTE, Reason.CUSTOM_DOMAIN),
        (Stage.DELIVER, Reason.DELIVERED),
        (Stage.SETTLE, Reason.DELIVERED),
    ]
    assert (await _delivery(world, row.id)).state is DeliveryState.DONE
    (event,) = await world.db.read(outbox.unpublished, 10)
    assert event.type == "relay.email.inbound"
    assert event.data["sender"] == "jo@client.example"
    assert event.data["target"] == "psa"
    assert event.data["action"] == "new_ticket"
    assert await _counted(world) == {Counter.RECEIVED: 1, Counter.FORWARDED_PSA: 1}
    assert await world.claim() is None


async def test_a_reply_follows_its_conversation_without_an_address_pattern(world: World) -> None:
    note = Route(target=TargetName.PSA, action=TargetAction.ADD_NOTE, tenant_id="acme", ref="T-77")
    email = await world.sent(SES_ID, "acme", _thread(world, route=note))
    reply = mail("Re: Your ticket", f"In-Reply-To: <{SES_ID}@eu-west-1.amazonses.com>")

    row = await world.receive(reply, f"noreply@{SHARED}")

    assert world.target.calls[0].path == "/tickets/T-77/notes"
    assert world.target.calls[0].body["thread"]["reply_to_email_id"] == email.id
    assert (row.reply_match_status, row.tenant_id) == (MatchStatus.MATCHED, "acme")
    assert (await _counted(world))[Counter.THREADED] == 1


async def test_after_a_new_ticket_the_replies_of_its_thread_become_notes(world: World) -> None:
    first = await world.receive(mail(), "support@acme.example")
    assert first.thread_id is not None
    thread = await world.db.read(threads.get, first.thread_id)
    assert thread is not None
    await world.sent(SES_ID, "acme", thread)
    reply = mail("Re: Printer", f"In-Reply-To: <{SES_ID}@email.amazonses.com>")

    second = await world.receive(reply, "support@acme.example")

    assert [call.path for call in world.target.calls] == ["/tickets", "/tickets/T-1/notes"]
    assert second.thread_id == first.thread_id


async def test_a_mail_of_another_tenant_is_never_matched(world: World) -> None:
    await world.sent(SES_ID, "globex", _thread(world, "globex"))
    reply = mail("Re: x", f"In-Reply-To: <{SES_ID}@email.amazonses.com>")

    row = await world.receive(reply, "support@acme.example")

    assert (row.reply_match_status, row.reply_to_email_id) == (MatchStatus.UNMATCHED, None)
    assert row.tenant_id == "acme"


@pytest.mark.parametrize(
    ("recipient", "reason"),
    [
        ("support@nobody.example", Reason.MISSING_DOMAIN),
        ("support@globex.example", Reason.MISSING_DOMAIN),
        (f"support+nobody@{SHARED}", Reason.UNKNOWN_TENANT),
        ("support+globex@acme.example", Reason.UNKNOWN_TENANT),
        (f"support@{SHARED}", Reason.NO_ROUTE),
        ("hello@acme.example", Reason.NO_ROUTE),
        (f"ticket+@{SHARED}", Reason.NO_ROUTE),
        ("no address at all", Reason.MISSING_DOMAIN),
    ],
)
async def test_what_has_no_target_keeps_a_row_and_a_reason(
    world: World, recipient: str, reason: Reason
) -> None:
    row = await world.receive(mail(), recipient)

    assert (row.status, row.reason) == (InboundStatus.UNROUTED, reason)
    assert row.subject == "Printer is down"
    assert world.target.calls == []
    assert (await world.db.read(outbox.unpublished, 10))[0].data["status"] == "unrouted"


@pytest.mark.parametrize(
    ("verdicts", "reason"),
    [
        (ScanVerdicts(spam=ScanVerdict.FAIL), Reason.SPAM_VERDICT),
        (ScanVerdicts(virus=ScanVerdict.FAIL), Reason.VIRUS_VERDICT),
        (
            ScanVerdicts(dmarc=ScanVerdict.FAIL, dmarc_policy="reject"),
            Reason.AUTHENTICATION_FAILED,
        ),
    ],
)
async def test_a_failed_verdict_quarantines(
    world: World, verdicts: ScanVerdicts, reason: Reason
) -> None:
    row = await world.receive(mail(), "support@acme.example", verdicts=verdicts)

    assert (row.status, row.reason) == (InboundStatus.QUARANTINED, reason)
    assert world.target.calls == []
    assert (await _counted(world))[Counter.QUARANTINED] == 1


async def test_an_automatic_answer_is_stored_and_goes_nowhere(world: World) -> None:
    row = await world.receive(mail("Away", "Auto-Submitted: auto-replied"), "support@acme.example")

    assert (row.status, row.reason) == (InboundStatus.SUPPRESSED, Reason.AUTO_REPLY)


async def test_an_alert_of_a_machine_becomes_a_ticket(world: World) -> None:
    alert = mail("Disk full", "Auto-Submitted: auto-generated")

    assert (await world.receive(alert, "support@acme.example")).status is InboundStatus.FORWARDED


async def test_a_message_that_breaks_a_limit_is_quarantined_as_unreadable(world: World) -> None:
    bomb = mail("Bomb", 'Content-Type: multipart/mixed; boundary="b"', body="--b\r\n\r\n" * 600)

    row = await world.receive(bomb, "support@acme.example")

    assert (row.status, row.reason) == (InboundStatus.QUARANTINED, Reason.UNREADABLE)
    assert row.subject == "Bomb"


async def test_a_target_without_url_holds_and_reprocessing_delivers_later(world: World) -> None:
    world.urls = {TargetName.CRM: world.target.url}
    world.connect()
    row = await world.receive(mail(), "support@acme.example")
    assert (row.status, row.reason) == (InboundStatus.HELD, Reason.TARGET_NOT_CONFIGURED)

    world.urls = {TargetName.PSA: world.target.url}
    world.connect()
    queued = await reprocess(world.db, world.clock, world.ids, [row.id, "inb_no"], actor="ann")
    await world.work()

    assert queued == 1
    again = await world.row(row.id)
    assert (again.status, again.thread_id) == (InboundStatus.FORWARDED, row.thread_id)
    assert (await world.steps(row.id))[0].reason is Reason.REPROCESSED
    (entry,) = await world.db.read(audit.newest, 5)
    assert (entry.actor, entry.subject) == ("ann", row.id)


async def test_a_delivered_message_cannot_be_reprocessed(world: World) -> None:
    row = await world.receive(mail(), "support@acme.example")

    assert await reprocess(world.db, world.clock, world.ids, [row.id], actor="ann") == 0
    assert (await world.row(row.id)).status is InboundStatus.FORWARDED


async def test_a_refusal_holds_with_the_sentence_of_the_target(world: World) -> None:
    world.target.script.append(answer(404, {"detail": "There is no ticket 1042."}))

    row = await world.receive(mail(), f"ticket+1042@{SHARED}")

    assert (row.status, row.reason) == (InboundStatus.HELD, Reason.TARGET_REFUSED)
    refusal = (await world.steps(row.id))[-2]
    assert refusal.evidence["answer"] == "There is no ticket 1042."


async def test_a_conflict_counts_as_delivered_before(world: World) -> None:
    world.target.script.append(answer(409, {"ticket_id": "T-5"}))

    row = await world.receive(mail(), "support@acme.example")

    assert (row.status, row.reason) == (InboundStatus.FORWARDED, Reason.ALREADY_DELIVERED)
    assert row.external_id == "T-5"


async def test_a_target_that_is_away_is_tried_again_under_the_same_key(world: World) -> None:
    world.target.script += [answer(503), answer(503), None]
    inbound_id = await world.arrive(mail(), "support@acme.example")
    for _ in range(4):
        await world.work()
        world.clock.advance(timedelta(minutes=5))

    assert (await world.row(inbound_id)).status is InboundStatus.FORWARDED
    keys = {call.headers["idempotency-key"] for call in world.target.calls}
    assert (len(world.target.calls), keys) == (4, {f"{inbound_id}/psa"})
    tries = [s for s in await world.steps(inbound_id) if s.finding is Finding.RETRY]
    assert len(tries) == 2  # one for each different error, not for each try


async def test_between_tries_the_row_says_forwarding(world: World) -> None:
    world.target.script.append(answer(500))

    row = await world.receive(mail(), "support@acme.example")

    assert row.status is InboundStatus.FORWARDING
    assert (await _delivery(world, row.id)).attempts == 1


async def test_retry_after_is_obeyed(world: World) -> None:
    world.target.script.append(answer(429, Retry_After="90"))
    await world.receive(mail(), "support@acme.example")

    world.clock.advance(89)
    assert await world.work() == 0
    world.clock.advance(1)
    assert await world.work() == 1


async def test_after_the_retry_period_the_message_fails_and_waits(world: World) -> None:
    world.target.script += [answer(503), answer(503)]
    inbound_id = await world.arrive(mail(), "support@acme.example")
    await world.work()
    world.clock.advance(timedelta(hours=25))
    await world.work()

    row = await world.row(inbound_id)
    assert (row.status, row.reason) == (InboundStatus.FAILED, Reason.GAVE_UP)
    assert (await _delivery(world, inbound_id)).state is DeliveryState.GAVE_UP


async def test_a_missing_raw_message_is_looked_for_five_times_then_fails(world: World) -> None:
    inbound_id = await world.arrive(mail(), "support@acme.example")
    key = (await world.row(inbound_id)).blob_key
    (world.blobs._folder / key).unlink()
    tries = 0
    while (handled := await world.work()) or tries < 5:
        tries += handled
        world.clock.advance(60)

    row = await world.row(inbound_id)
    assert (tries, row.status, row.reason) == (5, InboundStatus.FAILED, Reason.RAW_MISSING)


async def test_a_crash_between_decision_and_answer_repeats_the_same_call(world: World) -> None:
    inbound_id = await world.arrive(mail(), "support@acme.example")
    item = await world.claim()
    assert item is not None
    world.target.script.append(answer(201, {"ticket_id": "T-1"}))
    running = asyncio.ensure_future(process(item, world.inbound))
    await asyncio.wait_for(world.target.called.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    world.clock.advance(60)
    await world.work()

    assert (await world.row(inbound_id)).status is InboundStatus.FORWARDED
    first, second = world.target.calls
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


async def test_a_worker_that_lost_its_lease_writes_nothing(world: World) -> None:
    inbound_id = await world.arrive(mail(), "support@acme.example")
    late = await world.claim()
    assert late is not None
    world.clock.advance(60)
    other = await world.claim()
    assert other is not None

    with pytest.raises(LeaseLostError):
        await process(late, world.inbound)

    assert (await world.row(inbound_id)).status is InboundStatus.RECEIVED
    assert world.target.calls == []
    await process(other, world.inbound)
    assert (await world.row(inbound_id)).status is InboundStatus.FORWARDED


async def test_an_item_of_a_settled_message_is_simply_done(world: World) -> None:
    row = await world.receive(mail(), "support@acme.example")
    now = world.clock.now()
    await world.db.write(items.enqueue, WorkKind.INBOUND, row.id, run_at=now, now=now)

    assert await world.work() == 1
    assert len(world.target.calls) == 1


async def test_attachments_are_told_and_kept(world: World) -> None:
    parts = '--b\r\n\r\nHi\r\n--b\r\nContent-Type: image/png; name="a.png"\r\n\r\nPNG\r\n--b--'
    raw = mail("Files", 'Content-Type: multipart/mixed; boundary="b"', body=parts)

    row = await world.receive(raw, "support@acme.example")

    (kept,) = await world.db.read(store.attachments, row.id)
    assert isinstance(kept, AttachmentInfo)
    assert (kept.name, kept.size) == ("a.png", 3)
    assert world.target.calls[0].body["attachments"][0]["sha256"] == kept.sha256
