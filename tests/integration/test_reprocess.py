"""Reprocessing: the dry run tells every difference, the job acts on it, no mail arrives twice."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.errors import InvalidInputError, NotFoundError
from backend.inbound.quarantine_desk import QuarantineDesk
from backend.inbound.reprocess_desk import ReprocessDesk
from backend.inbound.reprocess_guard import refusal
from backend.inbound.reprocess_job import ReprocessStep, job_wish, selection_of
from backend.inbound.rules_desk import RoutingDesk
from backend.model.automated import Kind
from backend.model.decision_diff import Change, DecisionDiff, Selection
from backend.model.inbound import (
    ByHand,
    InboundMessage,
    InboundStatus,
    Reason,
    Route,
    ScanVerdict,
    ScanVerdicts,
    TargetAction,
    TargetName,
)
from backend.model.inbound_words import read_inbound_query
from backend.model.jobs import JobKind, JobState, LineOutcome
from backend.model.quarantine import Discard, Release
from backend.model.views import InboundQuery
from backend.model.work import WorkKind
from backend.queue import items
from backend.queue.jobs import JobRunner
from backend.queue.jobs_desk import JobDesk
from backend.store import deliveries, tenants
from backend.store import inbound as store
from backend.store.deliveries import Delivery, DeliveryState
from tests.integration.inbound_world import PASSED, SHARED, World, answer, mail
from tests.settable import START

if TYPE_CHECKING:
    from backend.model.jobs import Job

HELP = "support@acme.example"
SPAM = ScanVerdicts(
    spam=ScanVerdict.FAIL,
    virus=ScanVerdict.PASS,
    spf=ScanVerdict.PASS,
    dkim=ScanVerdict.PASS,
    dmarc=ScanVerdict.PASS,
)


def desk(world: World) -> ReprocessDesk:
    jobs = JobDesk(world.db, world.clock, world.ids, lambda: None)
    return ReprocessDesk(world.inbound, jobs, lambda: None)


async def preview(world: World, selection: Selection) -> list[DecisionDiff]:
    return [diff async for diff in desk(world).preview(selection)]


async def run_job(world: World, selection: Selection) -> tuple[Job, JobDesk]:
    jobs = JobDesk(world.db, world.clock, world.ids, lambda: None)
    runner = JobRunner(world.db, world.clock, {JobKind.REPROCESS: ReprocessStep(world.inbound)})
    begun = await desk(world).start(selection, actor="ann")
    lease = timedelta(seconds=30)
    while claimed := await world.db.write(
        items.claim, [WorkKind.JOB], "j", now=world.clock.now(), lease=lease, limit=1
    ):
        await runner.handle(claimed[0])
    return await jobs.get(begun.id), jobs


async def add_rule(world: World) -> None:
    rule = {
        "name": "Lost and found",
        "when": {"recipient": "lost@acme.example"},
        "then": {"action": "route", "target": "psa", "queue": "desk", "tags": ["found"]},
    }
    await RoutingDesk(world.inbound).add_rule("acme", rule, actor="ann")


async def test_a_dry_run_tells_old_and_new_of_every_message_and_writes_nothing(
    world: World,
) -> None:
    lost = await world.receive(mail("Lost one"), "lost@acme.example")
    spam = await world.receive(mail("Win"), "support@acme.example", verdicts=SPAM)
    gone = await world.receive(mail("Gone"), "lost@acme.example")
    done = await world.receive(mail("Fine"), "support@acme.example")
    (world.blobs._folder / gone.blob_key).unlink()
    await add_rule(world)
    before = await world.db.version()

    diffs = {diff.inbound_id: diff for diff in await preview(world, Selection())}

    assert await world.db.version() == before
    assert list(diffs) == [done.id, gone.id, spam.id, lost.id]
    assert diffs[lost.id].sentence == ("unrouted no_route -> forwarded rule_routed psa new_ticket")
    assert diffs[lost.id].changes["target"] == Change(old="", new="psa")
    assert diffs[lost.id].changes["thread"] == Change(old="", new="new")
    assert diffs[lost.id].changes["fields"].new == "queue=desk"
    assert diffs[lost.id].changes["tags"].new == "found"
    assert diffs[lost.id].changes["route"].new == "ok rules_applied, ok rule_routed"
    assert diffs[spam.id].sentence == "unchanged: quarantined spam_verdict"
    assert diffs[gone.id].sentence == "the raw message is no longer in the store"
    # the rules are read by now and say so; the course is the same
    assert diffs[done.id].old == diffs[done.id].new
    assert "reached psa already as" in diffs[done.id].refused
    written = json.loads(json.dumps(diffs[lost.id].as_json(), default=str))
    assert written["changes"]["status"] == {"old": "unrouted", "new": "forwarded"}


async def test_a_job_delivers_what_has_a_way_now_and_reports_each_message(world: World) -> None:
    lost = [await world.receive(mail(f"Lost {n}"), "lost@acme.example") for n in range(30)]
    spam = await world.receive(mail("Win"), "support@acme.example", verdicts=SPAM)
    done = await world.receive(mail("Fine"), "support@acme.example")
    await add_rule(world)
    assert len(world.target.calls) == 1

    job, jobs = await run_job(world, Selection())
    await world.work()

    assert (job.state, job.total, job.done) == (JobState.DONE, 32, 32)
    assert (job.changed, job.unchanged, job.refused, job.failed) == (30, 1, 1, 0)
    lines = {line.ref: line for line in await jobs.report(job.id, 0, 99)}
    assert lines[lost[0].id].before["status"] == "unrouted"
    assert lines[lost[0].id].after["status"] == "forwarded"
    assert lines[spam.id].outcome is LineOutcome.UNCHANGED
    assert lines[done.id].outcome is LineOutcome.REFUSED
    assert len(world.target.calls) == 31
    assert len({call.headers["idempotency-key"] for call in world.target.calls}) == 31
    assert (await world.row(lost[7].id)).status is InboundStatus.FORWARDED
    assert (await world.row(spam.id)).status is InboundStatus.QUARANTINED

    again, _ = await run_job(world, Selection())
    await world.work()
    assert (again.changed, again.unchanged, again.refused) == (0, 1, 31)
    assert len(world.target.calls) == 31


async def test_mail_on_its_way_is_refused_and_refused_mail_goes_again(world: World) -> None:
    world.target.script.append(answer(503))
    waiting = await world.receive(mail("Later"), "support@acme.example")
    world.target.script.append(answer(404, {"detail": "no"}))
    held = await world.receive(mail("Held"), f"ticket+1@{SHARED}")
    fresh = await world.arrive(mail("New"), "support@acme.example")
    chosen = Selection(ids=(waiting.id, "inb_none", held.id, fresh))

    job, jobs = await run_job(world, chosen)

    lines = await jobs.report(job.id, 0, 9)
    assert [line.ref for line in lines] == list(chosen.ids)
    assert [line.sentence for line in lines] == [
        "its target is being tried; wait for the outcome",
        "there is no such message",
        "held target_refused psa add_note 1 -> forwarded address_pattern psa add_note 1",
        "it is on its way; wait for the outcome",
    ]
    (delivery,) = await world.db.read(deliveries.of_message, waiting.id)
    assert delivery.attempts == 1
    with pytest.raises(NotFoundError, match="inb_none"):
        await preview(world, chosen)
    assert await desk(world).count(chosen) == 4


async def test_a_setting_that_changed_shows_as_the_target_it_opens(world: World) -> None:
    world.urls = {TargetName.CRM: world.target.url}
    world.connect()
    row = await world.receive(mail(), "support@acme.example")
    world.urls = {TargetName.PSA: world.target.url}
    world.connect()

    (diff,) = await preview(world, Selection(ids=(row.id,)))
    lines = await desk(world).queue([row.id, row.id, "inb_no"], actor="ann")
    await world.work()

    assert diff.changes.keys() == {"status", "reason"}
    assert [line.outcome for line in lines] == [LineOutcome.CHANGED, LineOutcome.FAILED]
    assert (await world.row(row.id)).status is InboundStatus.FORWARDED


LINES: dict[str, list[str]] = {
    "state:unrouted": ["Lost 50%"],
    "reason:spam_verdict,no_route": ["WIN", "Lost 50%"],
    "-state:forwarded": ["WIN", "Lost 50%"],
    "from:*@client.example to:lost@*": ["Lost 50%"],
    "from:client.example subject:win": ["WIN"],
    "from:client.example*": [],
    'subject:"50%"': ["Lost 50%"],
    "subject:5%": [],
    "since:30m": ["WIN", "Lost 50%"],
    "until:30m": ["Fine"],
    "tenant:acme kind:human fine": ["Fine"],
    "": ["WIN", "Lost 50%", "Fine"],
}


async def test_a_query_line_means_these_messages(world: World) -> None:
    await world.receive(mail("Fine"), HELP)
    world.clock.advance(timedelta(hours=1))
    await world.receive(mail("Lost 50%"), "lost@acme.example")
    await world.receive(mail("WIN"), HELP, verdicts=SPAM)
    names = await world.db.read(tenants.all_by_name)

    for line, subjects in LINES.items():
        query = read_inbound_query(line, names, world.clock.now())
        rows = await world.db.read(store.older, query, "", 9)
        assert [row.subject for row in rows] == subjects, line
        assert await world.db.read(store.count, query) == len(subjects)


async def test_a_job_of_too_many_ids_is_refused(world: World) -> None:
    with pytest.raises(InvalidInputError, match="use a query"):
        await desk(world).start(Selection(ids=("x",) * 10_001), actor="ann")


@pytest.mark.parametrize(
    "query",
    [
        InboundQuery(),
        InboundQuery(tenant_id=""),
        InboundQuery(
            tenant_id="acme",
            statuses=frozenset({InboundStatus.HELD, InboundStatus.FAILED}),
            reasons=frozenset({Reason.NO_ROUTE}),
            kinds=frozenset({Kind.LIST}),
            sender="*@x.example",
            subject="50%",
            since=START,
            text="a b",
        ),
    ],
)
def test_a_job_keeps_its_selection_exactly(query: InboundQuery) -> None:
    chosen = Selection(query=query)
    assert selection_of(json.loads(json.dumps(job_wish(chosen).params))) == chosen


async def test_what_a_person_decided_counts_in_the_dry_run_and_in_the_guard(world: World) -> None:
    quarantine = QuarantineDesk(world.inbound, lambda: None)
    spam = await world.receive(mail("Win"), HELP, verdicts=SPAM)
    world.target.script.append(answer(404, {"detail": "no"}))
    await quarantine.act([spam.id], Release(), actor="ann")
    await world.work()
    (released,) = await preview(world, Selection(ids=(spam.id,)))
    assert released.old == "held target_refused psa new_ticket"
    assert released.new == "forwarded custom_domain psa new_ticket"
    assert "screen" not in released.changes

    await quarantine.act([spam.id], Discard(), actor="ann")
    (away,) = await preview(world, Selection(ids=(spam.id,)))
    assert away.refused == "it was put away; restore it first"

    bounce = mail("Undelivered", "Auto-Submitted: auto-replied", "X-Autoreply: yes")
    quiet = await world.receive(bounce, HELP)
    assert quiet.status is InboundStatus.SUPPRESSED
    (kept,) = await preview(world, Selection(ids=(quiet.id,)))
    assert (kept.refused, kept.changed) == ("", False)


@pytest.mark.parametrize(
    ("status", "kind", "states", "said"),
    [
        ("held", "human", (), ""),
        ("held", "human", ("refused", "gave_up"), ""),
        ("suppressed", "list", (), ""),
        ("suppressed", "bounce", (), "report is counted once"),
        ("suppressed", "complaint", (), "report is counted once"),
        ("forwarded", "human", (), "its target has it already"),
        ("held", "human", ("refused", "done"), "reached psa already as T-9"),
        ("received", "human", (), "on its way"),
        ("held", "human", ("pending",), "being tried"),
        ("discarded", "human", (), "restore it first"),
    ],
)
def test_the_guard_lets_go_only_what_no_target_has(
    status: str, kind: str, states: tuple[str, ...], said: str
) -> None:
    message = InboundMessage(
        id="inb_1",
        tenant_id="acme",
        source="ses",
        blob_key="in/1",
        recipient=HELP,
        envelope_from="",
        status=InboundStatus(status),
        reason=Reason.STORED,
        received_at=START,
        size=1,
        verdicts=PASSED,
        kind=Kind(kind),
    )
    past = [
        Delivery(
            id=f"dlv_{state}",
            inbound_id="inb_1",
            target=TargetName.PSA,
            action=TargetAction.NEW_TICKET,
            ref="",
            idempotency_key="inb_1/psa",
            state=DeliveryState(state),
            created_at=START,
            updated_at=START,
            external_id="T-9",
        )
        for state in states
    ]

    why = refusal(message, past)

    assert said in why
    assert bool(said) is bool(why)
    crm = Route(target=TargetName.CRM, action=TargetAction.LOG_ACTIVITY, tenant_id="", ref="c")
    if "done" in states:
        assert refusal(replace(message, by_hand=ByHand(route=crm)), past) == ""
