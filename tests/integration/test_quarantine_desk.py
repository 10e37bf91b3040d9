"""What a person does with mail that waits, each act to its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from backend.errors import InvalidInputError
from backend.inbound.release import INSTEAD, RELEASABLE
from backend.model.inbound import (
    InboundStatus,
    MatchStatus,
    Reason,
    Route,
    TargetAction,
    TargetName,
)
from backend.model.quarantine import (
    Attach,
    Discard,
    MarkSpam,
    Release,
    Reroute,
    Restore,
    SenderPart,
)
from backend.model.screening import ListKind
from backend.model.tenant import CatchAll
from backend.store import deliveries, domains, threads
from backend.store import inbound as store
from backend.store.blobs import FolderBlobs
from backend.store.threads import Thread
from tests.integration.inbound_world import PASSED, SHARED, LoopbackTarget, World, answer, mail
from tests.integration.quarantine_world import (
    FORGED,
    SAM,
    SPAM,
    SUPPORT,
    VIRUS,
    Quarantine,
    only_call,
    with_file,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from backend.model.quarantine import Act
    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock

QUARANTINED = InboundStatus.QUARANTINED
TO_CRM = Reroute(target=TargetName.CRM, ref="c-7")
NEW_TICKET = Reroute(target=TargetName.PSA)
NOTE_1042 = Reroute(target=TargetName.PSA, ref="1042")


@pytest.fixture
async def q(
    db: Database, clock: SettableClock, ids: CountingIds, tmp_path: Path
) -> AsyncIterator[Quarantine]:
    target = LoopbackTarget()
    await target.start()
    async with httpx.AsyncClient() as client:
        world = World(db, clock, ids, FolderBlobs(tmp_path / "blobs"), target, client)
        await world.settle_tenants()
        yield Quarantine(world)
    await target.stop()


async def conversation(q: Quarantine, ref: str = "1042", tenant: str = "acme") -> Thread:
    """A conversation of a tenant on a ticket, with nobody in it."""
    route = Route(target=TargetName.PSA, action=TargetAction.ADD_NOTE, tenant_id=tenant, ref=ref)
    thread = Thread(
        id=f"thr_{tenant}_{ref}",
        tenant_id=tenant,
        subject="Printer",
        created_at=q.world.clock.now(),
        route=route if ref else None,
        ticket_number=f"ACM-{ref}" if ref else "",
    )
    await q.world.db.write(threads.add, thread)
    return thread


# release


async def test_a_released_message_goes_on_once_and_says_who_let_it(q: Quarantine) -> None:
    held = await q.world.receive(mail(), SUPPORT, verdicts=SPAM)
    assert (held.status, held.reason) == (QUARANTINED, Reason.SPAM_VERDICT)

    row = await q.done(Release(note="asked by phone"), held.id)
    again = await q.act(Release(), held.id)

    assert (row.status, row.reason) == (InboundStatus.FORWARDED, Reason.DELIVERED)
    assert row.by_hand.waived == {Reason.SPAM_VERDICT}
    assert (row.by_hand.released_by, row.by_hand.released_at) == (SAM, q.world.clock.now())
    assert [one.changed for one in again.done] == [False]
    assert len(q.world.target.calls) == 1
    first, _, waived, *_ = await q.world.steps(held.id)
    assert first.reason is Reason.RELEASED
    assert first.evidence["note"] == "asked by phone"
    assert (waived.reason, waived.evidence["reasons"]) == (Reason.WAIVED, "spam_verdict")
    (entry,) = [one for one in await q.audited() if one.action == "inbound.released"]
    assert (entry.actor, entry.subject, entry.tenant_id) == (SAM, held.id, "acme")
    assert q.woken == ["x"]


async def test_only_the_holding_reason_is_lifted_and_the_next_one_holds_again(
    q: Quarantine,
) -> None:
    spam_and_file = with_file("run.bat")
    held = await q.world.receive(spam_and_file, SUPPORT, verdicts=SPAM)
    assert held.reason is Reason.UNSAFE_ATTACHMENT

    second = await q.done(Release(), held.id)
    third = await q.done(Release(), held.id)

    assert (second.status, second.reason) == (QUARANTINED, Reason.SPAM_VERDICT)
    assert third.status is InboundStatus.FORWARDED
    assert third.by_hand.waived == {Reason.UNSAFE_ATTACHMENT, Reason.SPAM_VERDICT}


async def test_an_unsafe_attachment_stays_behind_and_the_ticket_says_so(q: Quarantine) -> None:
    held = await q.world.receive(with_file("run.bat"), SUPPORT)
    (seen,) = await q.desk.preview([held.id], Release())

    row = await q.done(Release(), held.id)

    assert seen.status is InboundStatus.FORWARDING
    assert seen.warning == "without run.bat: .bat"
    assert row.status is InboundStatus.FORWARDED
    body = only_call(q.world)
    (file,) = body["attachments"]
    assert (file["content"], file["url"], file["omitted"]) == (None, None, "unsafe")
    assert body["description"].endswith("\n\n[Relay left out what can do harm: run.bat]")
    assert body["raw_url"] is None
    assert "attachment_left_out" in await q.reasons(held.id)


@pytest.mark.parametrize(
    ("raw", "verdicts", "words"),
    [
        (mail(), VIRUS, "a virus is never released; ask the sender for a clean mail"),
        (mail("x", "X-Relay-Loop: 1"), PASSED, "it goes in circles"),
        (
            mail().replace(b"jo@client.example", b"support@acme.example"),
            PASSED,
            "it is our own mail",
        ),
    ],
)
async def test_what_may_never_be_released_says_what_to_do_instead(
    q: Quarantine, raw: bytes, verdicts: object, words: str
) -> None:
    held = await q.world.receive(raw, SUPPORT, verdicts=verdicts)  # type: ignore[arg-type]

    assert (await q.why(Release(), held.id)).startswith(words)
    (seen,) = await q.desk.preview([held.id], Release())
    assert seen.sentence.startswith(f"not done: {words}")


async def test_a_blocked_sender_is_not_released_but_taken_off_the_list(q: Quarantine) -> None:
    first = await q.world.receive(mail(), SUPPORT, verdicts=SPAM)
    await q.act(MarkSpam(block=SenderPart.ADDRESS), first.id)
    held = await q.world.receive(mail(), SUPPORT)

    assert held.reason is Reason.BLOCKLISTED
    assert "lists block remove" in await q.why(Release(), held.id)


async def test_every_reason_at_which_a_message_can_rest_is_answered() -> None:
    passing = {
        *("stored", "message_id_collision", "parsed", "parsed_with_defects", "clean", "classified"),
        *("verdict_missing", "verdict_undecided", "verdict_failed", "allowlisted"),
        *("attachment_flagged", "report_used", "report_unproven", "reply_matched", "not_a_reply"),
        *("reply_unmatched", "answer_ticket", "address_pattern", "custom_domain", "thread_target"),
        *("rule_routed", "rules_applied", "rules_read", "catch_all_ticket", "delivered"),
        *("already_delivered", "target_unavailable", "reprocessed", "released", "waived"),
        *("attachment_left_out", "routed_by_hand", "attached_by_hand", "restored"),
        *("auto_response_due", "auto_response_withheld", "auto_response_sent"),
        "auto_response_refused",
    }
    told = {reason.value for reason in (*RELEASABLE, *INSTEAD)}

    assert not RELEASABLE & INSTEAD.keys()
    assert {reason.value for reason in Reason} - told - passing == set()


async def test_a_stranger_in_a_conversation_is_let_in(q: Quarantine) -> None:
    thread = Thread(
        id="thr_1", tenant_id="acme", subject="Your ticket", created_at=q.world.clock.now()
    )
    await q.world.sent("0100-abc", "acme", thread)
    raw = mail("Re: Your ticket", "In-Reply-To: <0100-abc@email.amazonses.com>")
    held = await q.world.receive(
        raw.replace(b"jo@client.example", b"stranger@else.example"), SUPPORT
    )
    assert held.reason is Reason.SENDER_NOT_PARTICIPANT

    row = await q.done(Release(), held.id)

    assert row.status is InboundStatus.FORWARDED


async def test_a_released_catch_all_message_opens_a_ticket(q: Quarantine) -> None:
    domain = await q.world.db.read(domains.by_name, "acme.example")
    assert domain is not None
    await q.world.db.write(domains.save_routing, replace(domain, catch_all=CatchAll.QUARANTINE))
    held = await q.world.receive(mail(), "anybody@acme.example")
    assert held.reason is Reason.CATCH_ALL_QUARANTINE

    row = await q.done(Release(), held.id)

    assert (row.status, row.route and row.route.action) == (
        InboundStatus.FORWARDED,
        TargetAction.NEW_TICKET,
    )


async def test_an_automatic_answer_that_was_none_is_released(q: Quarantine) -> None:
    held = await q.world.receive(mail("Out of office", "Auto-Submitted: auto-replied"), SUPPORT)
    assert (held.status, held.reason) == (InboundStatus.SUPPRESSED, Reason.AUTO_REPLY)

    row = await q.done(Release(), held.id)

    assert row.status is InboundStatus.FORWARDED
    assert only_call(q.world)["no_auto_response"] is True


async def test_a_release_can_allow_the_sender_for_a_time(q: Quarantine) -> None:
    held = await q.world.receive(mail(), SUPPORT, verdicts=SPAM)
    other = await q.world.receive(mail("Another"), SUPPORT, verdicts=SPAM)
    wish = Release(allow=SenderPart.ADDRESS, lasting=timedelta(days=30), note="a new monitor")

    await q.done(wish, held.id, other.id)
    later = await q.world.receive(mail("A third"), SUPPORT, verdicts=SPAM)
    q.world.clock.advance(timedelta(days=31))
    expired = await q.world.receive(mail("A fourth"), SUPPORT, verdicts=SPAM)

    (entry,) = await q.listed(ListKind.ALLOW)
    assert (entry.pattern, entry.tenant_id, entry.created_by) == ("jo@client.example", "acme", SAM)
    assert entry.note == "a new monitor"
    assert later.status is InboundStatus.FORWARDED
    assert expired.reason is Reason.SPAM_VERDICT


async def test_who_allows_an_unproven_sender_is_warned(q: Quarantine) -> None:
    held = await q.world.receive(mail(), SUPPORT, verdicts=FORGED)

    (seen,) = await q.desk.preview([held.id], Release(allow=SenderPart.ADDRESS))

    assert seen.status is InboundStatus.FORWARDING
    assert "whoever forges this From is allowed too" in seen.warning


async def test_a_public_provider_is_not_allowed_as_a_whole(q: Quarantine) -> None:
    raw = mail().replace(b"jo@client.example", b"jo@gmail.com")
    held = await q.world.receive(raw, SUPPORT, verdicts=SPAM)

    why = await q.why(Release(allow=SenderPart.DOMAIN), held.id)

    assert why == "gmail.com gives mailboxes to everybody; allow the address instead"
    assert await q.listed(ListKind.ALLOW) == []


async def test_a_selection_is_answered_one_by_one(q: Quarantine) -> None:
    spam = await q.world.receive(mail(), SUPPORT, verdicts=SPAM)
    virus = await q.world.receive(mail(), SUPPORT, verdicts=VIRUS)
    sent = await q.world.receive(mail(), SUPPORT)
    waiting = await q.world.arrive(mail(), SUPPORT)

    report = await q.act(Release(), spam.id, virus.id, sent.id, waiting, "inb_none", spam.id)

    assert [one.id for one in report.done] == [spam.id]
    assert {one.id: one.why.partition(";")[0] for one in report.refused} == {
        virus.id: "a virus is never released",
        sent.id: "its target has it already",
        waiting: "it is on its way",
        "inb_none": "there is no such message",
    }


# reroute


@pytest.mark.parametrize(
    ("act", "path"),
    [
        (NEW_TICKET, "/tickets"),
        (NOTE_1042, "/tickets/1042/notes"),
        (TO_CRM, "/contacts/c-7/activities"),
        (Reroute(target=TargetName.PORTAL, ref="1042"), "/tickets/1042/replies"),
    ],
)
async def test_a_message_without_a_route_goes_where_a_person_says(
    q: Quarantine, act: Reroute, path: str
) -> None:
    lost = await q.world.receive(mail(), "nobody@acme.example")
    assert lost.status is InboundStatus.UNROUTED
    (seen,) = await q.desk.preview([lost.id], act)

    row = await q.done(act, lost.id)

    assert row.status is InboundStatus.FORWARDED
    assert seen.route == row.route
    (call,) = q.world.target.calls
    assert (call.path, call.body["tenant_id"]) == (path, "acme")
    (step,) = [s for s in await q.world.steps(lost.id) if s.stage == "route"]
    assert (step.reason, step.evidence["by"]) == (Reason.ROUTED_BY_HAND, SAM)


async def test_mail_of_no_tenant_needs_one_for_a_new_ticket(q: Quarantine) -> None:
    lost = await q.world.receive(mail(), "support@unknown.example")
    assert (lost.tenant_id, lost.reason) == ("", Reason.MISSING_DOMAIN)

    assert "say for which tenant" in await q.why(NEW_TICKET, lost.id)
    row = await q.done(replace(NEW_TICKET, tenant_id="acme"), lost.id)

    assert (row.status, row.tenant_id) == (InboundStatus.FORWARDED, "acme")
    assert only_call(q.world)["tenant_id"] == "acme"


async def test_screening_still_holds_a_rerouted_message_until_it_is_released(
    q: Quarantine,
) -> None:
    held = await q.world.receive(mail(), SUPPORT, verdicts=SPAM)
    (seen,) = await q.desk.preview([held.id], TO_CRM)

    still = await q.done(TO_CRM, held.id)
    row = await q.done(Release(), held.id)

    assert (seen.status, seen.reason) == (QUARANTINED, Reason.SPAM_VERDICT)
    assert (still.status, still.reason) == (QUARANTINED, Reason.SPAM_VERDICT)
    assert row.status is InboundStatus.FORWARDED
    assert q.world.target.calls[0].path == "/contacts/c-7/activities"


async def test_a_delivered_message_never_reaches_the_same_target_twice(q: Quarantine) -> None:
    sent = await q.world.receive(mail(), SUPPORT)

    why = await q.why(NOTE_1042, sent.id)
    assert why == "psa has it already as T-1; it is never sent there twice"
    assert "ask for it again" in await q.why(TO_CRM, sent.id)
    row = await q.done(replace(TO_CRM, again=True), sent.id)

    assert row.status is InboundStatus.FORWARDED
    assert [call.path for call in q.world.target.calls] == ["/tickets", "/contacts/c-7/activities"]
    kept = await q.world.db.read(deliveries.of_message, sent.id)
    assert [one.target for one in kept] == [TargetName.PSA, TargetName.CRM]
    repeated = await q.act(replace(TO_CRM, again=True), sent.id)
    assert [one.changed for one in repeated.done] == [False]
    other = Reroute(target=TargetName.CRM, ref="c-8", again=True)
    assert "crm has it already as" in await q.why(other, sent.id)


async def test_a_message_its_target_refused_can_be_sent_elsewhere_there(q: Quarantine) -> None:
    q.world.target.script.append(answer(404, {"detail": "no such ticket"}))
    held = await q.world.receive(mail(), f"ticket+9@{SHARED}")
    assert held.reason is Reason.TARGET_REFUSED

    row = await q.done(NOTE_1042, held.id)

    assert row.status is InboundStatus.FORWARDED
    assert [call.path for call in q.world.target.calls][-1] == "/tickets/1042/notes"


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (Reroute(target=TargetName.CRM), "crm needs the id of a contact"),
        (Reroute(target=TargetName.PORTAL), "portal needs the id of a ticket"),
        (Reroute(target=TargetName.PSA, ref="x" * 300), "at most 200"),
        (Attach(to="  "), "name a thread"),
        (Release(everywhere=True), "say whether the address or the domain"),
        (Release(allow=SenderPart.ADDRESS, lasting=timedelta(days=-1)), "give a time"),
        (Discard(note="x" * 501), "more than 500"),
    ],
)
async def test_an_act_that_is_wrong_in_itself_is_one_sentence(
    q: Quarantine, act: Act, words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words):
        await q.act(act, "inb_1")
    with pytest.raises(InvalidInputError, match=words):
        await q.desk.preview(["inb_1"], act)


# attach


@pytest.mark.parametrize("named", ["thread", "number", "subject", "mail"])
async def test_an_attached_message_joins_the_ticket_and_teaches_the_matcher(
    q: Quarantine, named: str
) -> None:
    thread = await conversation(q)
    email = await q.world.sent("0100-one", "acme", thread)
    to = {
        "thread": thread.id,
        "number": "acm-1042",
        "subject": "[Ticket #ACM-1042]",
        "mail": email.id,
    }[named]
    other = b"pat@elsewhere.example"
    cites = "References: <root@elsewhere.example> <0100-two@other.example>"
    raw = mail("About the printer", cites).replace(b"jo@client.example", other)
    lost = await q.world.receive(raw, "nobody@acme.example")
    assert lost.reply_match_status is MatchStatus.UNMATCHED

    row = await q.done(Attach(to=to), lost.id)

    assert (row.status, row.thread_id) == (InboundStatus.FORWARDED, thread.id)
    assert row.reply_match_status is MatchStatus.MATCHED
    assert q.world.target.calls[0].path == "/tickets/1042/notes"
    # the next mail of the same person in the same exchange finds it by itself
    next_one = mail("Re: About the printer", "In-Reply-To: <root@elsewhere.example>")
    later = await q.world.receive(
        next_one.replace(b"jo@client.example", other), "nobody@acme.example"
    )
    assert (later.status, later.thread_id) == (InboundStatus.FORWARDED, thread.id)
    assert q.world.target.calls[1].path == "/tickets/1042/notes"
    assert (await q.act(Attach(to=to), lost.id)).done[0].changed is False


async def test_a_conversation_of_another_tenant_is_none(q: Quarantine) -> None:
    foreign = await conversation(q, tenant="globex")
    lost = await q.world.receive(mail(), "nobody@acme.example")

    for to in (foreign.id, "ACM-1042", "thr_none"):
        assert "there is no conversation" in await q.why(Attach(to=to), lost.id)


async def test_a_conversation_without_a_ticket_gets_one(q: Quarantine) -> None:
    thread = await conversation(q, ref="")
    lost = await q.world.receive(mail(), "nobody@acme.example")

    row = await q.done(Attach(to=thread.id), lost.id)

    assert (row.route and row.route.action, row.thread_id) == (TargetAction.NEW_TICKET, thread.id)
    kept = await q.world.db.read(threads.get, thread.id)
    assert kept is not None
    assert kept.route is not None
    assert kept.route.ref == "T-1"


async def test_mail_that_was_delivered_is_attached_without_a_second_copy(q: Quarantine) -> None:
    thread = await conversation(q)
    cites = "In-Reply-To: <root@elsewhere.example>"
    sent = await q.world.receive(mail("Hello", cites), SUPPORT)
    assert sent.reply_match_status is MatchStatus.UNMATCHED

    row = await q.done(Attach(to=thread.id), sent.id)
    later = await q.world.receive(mail("Re: Hello", cites), SUPPORT)

    assert (row.status, row.thread_id) == (InboundStatus.FORWARDED, thread.id)
    assert [call.path for call in q.world.target.calls] == ["/tickets", "/tickets/1042/notes"]
    assert later.thread_id == thread.id


# discard, restore, spam


@pytest.mark.parametrize("act", [Discard(note="noise"), MarkSpam(note="noise")])
async def test_what_was_put_away_is_kept_and_comes_back_as_it_was(q: Quarantine, act: Act) -> None:
    held = await q.world.receive(mail(), SUPPORT, verdicts=SPAM)
    lost = await q.world.receive(mail(), "nobody@acme.example")

    away = await q.done(act, held.id, lost.id)
    twice = await q.act(act, held.id)
    refused = await q.why(Release(), held.id)
    back = await q.done(Restore(), held.id, lost.id)

    assert away.status is InboundStatus.DISCARDED
    assert refused.endswith("restore it first")
    assert [one.changed for one in twice.done] == [False]
    assert back == held
    assert await q.world.row(lost.id) == lost
    reasons = await q.reasons(held.id)
    assert reasons[-2:] == [away.reason.value, "restored"]
    assert "spam_verdict" in reasons
    assert (await q.act(Restore(), held.id)).done[0].changed is False


async def test_a_spam_mark_blocks_the_sender_and_its_undo_unblocks_them(q: Quarantine) -> None:
    held = await q.world.receive(mail(), SUPPORT, verdicts=SPAM)

    await q.act(MarkSpam(block=SenderPart.DOMAIN), held.id)
    (entry,) = await q.listed(ListKind.BLOCK)
    blocked = await q.world.receive(mail(), SUPPORT)
    await q.act(Restore(), held.id)

    assert (entry.pattern, entry.tenant_id) == ("client.example", "acme")
    assert blocked.reason is Reason.BLOCKLISTED
    assert await q.listed(ListKind.BLOCK) == []
    actions = {one.action for one in await q.audited()}
    assert {"list.block.add", "list.block.remove", "inbound.marked_as_spam"} <= actions


async def test_a_block_that_was_there_before_stays_after_the_undo(q: Quarantine) -> None:
    one = await q.world.receive(mail(), SUPPORT, verdicts=SPAM)
    two = await q.world.receive(mail(), SUPPORT, verdicts=SPAM)
    wish = MarkSpam(block=SenderPart.ADDRESS)

    await q.act(wish, one.id)
    await q.act(wish, two.id)
    await q.act(Restore(), two.id)

    assert len(await q.listed(ListKind.BLOCK)) == 1


async def test_what_has_its_target_or_none_by_policy_is_not_put_away(q: Quarantine) -> None:
    sent = await q.world.receive(mail(), SUPPORT)
    suppressed = await q.world.receive(mail("x", "Auto-Submitted: auto-replied"), SUPPORT)

    assert await q.why(Discard(), sent.id) == "its target has it already"
    assert await q.why(MarkSpam(), suppressed.id) == "it goes to no target as it is"
    assert await q.why(Restore(), sent.id) == "it is not discarded"


# previews


@pytest.mark.parametrize(
    "act", [Release(), NEW_TICKET, Discard(), MarkSpam(block=SenderPart.ADDRESS)]
)
async def test_a_preview_tells_what_the_act_then_does_and_writes_nothing(
    q: Quarantine, act: Act
) -> None:
    spam = await q.world.receive(mail(), SUPPORT, verdicts=SPAM)
    both = await q.world.receive(with_file("run.bat"), SUPPORT, verdicts=SPAM)
    lost = await q.world.receive(mail(), "nobody@acme.example")
    chosen = [spam.id, both.id, lost.id, "inb_none"]
    before = (await q.world.db.version(), [await q.world.row(one) for one in chosen[:3]])

    seen = {one.id: one for one in await q.desk.preview(chosen, act)}
    assert (await q.world.db.version(), [await q.world.row(one) for one in chosen[:3]]) == before
    report = await q.act(act, *chosen)
    await q.world.work()

    assert {one.id: one.why for one in report.refused} == {
        one.id: one.why for one in seen.values() if one.why
    }
    for done in report.done:
        row = await q.world.row(done.id)
        if seen[done.id].status is InboundStatus.FORWARDING:
            assert (row.status, row.route) == (InboundStatus.FORWARDED, seen[done.id].route)
        else:
            assert (row.status, row.reason) == (seen[done.id].status, seen[done.id].reason)


async def test_a_message_whose_raw_form_is_gone_is_not_attached(q: Quarantine) -> None:
    thread = await conversation(q)
    lost = await q.world.receive(mail(), "nobody@acme.example")
    await q.world.db.write(_forget_raw, lost.id)

    assert "raw message is gone" in await q.why(Attach(to=thread.id), lost.id)
    (seen,) = await q.desk.preview([lost.id], Attach(to=thread.id))
    assert seen.why == "its raw message is gone"


def _forget_raw(tx: object, inbound_id: str) -> None:
    from sqlalchemy import update

    from backend.store.schema import inbound

    tx.execute(  # type: ignore[attr-defined]
        update(inbound).where(inbound.c.id == inbound_id).values(blob_key="in/gone")
    )


async def test_the_row_keeps_what_people_decided(q: Quarantine) -> None:
    held = await q.world.receive(mail(), SUPPORT, verdicts=SPAM)
    await q.act(TO_CRM, held.id)
    await q.world.work()
    await q.act(MarkSpam(), held.id)

    row = await q.world.db.read(store.get, held.id)

    assert row is not None
    hand = row.by_hand
    assert hand.route is not None
    assert (hand.route.target, hand.route.ref, hand.routed_by) == (TargetName.CRM, "c-7", SAM)
    assert hand.put_away is not None
    assert (hand.put_away.status, hand.put_away.reason) == (QUARANTINED, Reason.SPAM_VERDICT)
