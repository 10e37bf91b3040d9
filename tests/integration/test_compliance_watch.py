"""The watch over real rows: what counts, alerts raised and cleared, and a tenant held back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.analytics.compliance_desk import ComplianceDesk
from backend.analytics.standing import BrakeRule
from backend.analytics.watch import Watch
from backend.errors import InvalidInputError, NotFoundError
from backend.feedback.apply import Stamp, apply_event
from backend.model.compliance import AlertKind
from backend.model.feedback import EventKind, FeedbackEvent, RecipientNews
from backend.model.outbound import EmailStatus
from backend.outbound.accept import accept
from backend.store import audit, compliance, outbox
from tests.outbound_world import DRAFT, TENANT, World, make_world

if TYPE_CHECKING:
    from datetime import date

    from backend.model.compliance import ReputationDay
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock

K = EventKind


@pytest.fixture
async def world(db: Database, clock: SettableClock, ids: CountingIds) -> World:
    return await make_world(db, clock, ids)


@pytest.fixture
def desk(world: World) -> ComplianceDesk:
    return ComplianceDesk(world.db, world.clock, world.ids, lambda: None)


async def sent(world: World, address: str) -> str:
    email_id = (await accept(world.outbound, TENANT, replace(DRAFT, to=(address,)))).email_id
    await world.work()
    return email_id


async def tell(world: World, kind: K, address: str, ses_id: str, subtype: str = "") -> None:
    event = FeedbackEvent(
        source_id=f"{kind}-{address}-{ses_id}",
        kind=kind,
        ses_message_id=ses_id,
        attempt_id=None,
        occurred_at=world.clock.now(),
        recipients=(RecipientNews(address=address),),
        subtype=subtype,
        feedback_id=f"fb-{ses_id}",
    )
    await world.db.write(apply_event, event, Stamp(at=world.clock.now(), ids=world.ids))


async def test_only_what_aws_counts_is_counted(world: World, desk: ComplianceDesk) -> None:
    told = [
        ("a@client.example", K.BOUNCE, "Permanent/General"),
        ("b@client.example", K.BOUNCE, "Permanent/OnAccountSuppressionList"),
        ("c@client.example", K.BOUNCE, "Permanent/Suppressed"),
        ("d@client.example", K.BOUNCE, "Transient/MailboxFull"),
        ("e@client.example", K.COMPLAINT, "abuse"),
        ("f@client.example", K.COMPLAINT, "not-spam"),
        ("bounce@simulator.amazonses.com", K.BOUNCE, "Permanent/General"),
        ("complaint@simulator.amazonses.com", K.COMPLAINT, "abuse"),
    ]
    for number, (address, kind, subtype) in enumerate(told, start=1):
        await sent(world, address)
        await tell(world, kind, address, f"ses-{number}", subtype)
    report = await desk.report()

    rates = report.standing
    assert (rates.eligible, rates.hard_bounces, rates.complaints) == (6, 2, 1)
    assert [one.tenant_id for one in report.tenants] == [TENANT]


async def test_an_alert_is_raised_once_changed_and_cleared(
    world: World, desk: ComplianceDesk
) -> None:
    watch = Watch(db=world.db, clock=world.clock, ids=world.ids, rule=BrakeRule(volume=10**6))
    await sent(world, "a@client.example")
    await tell(world, K.BOUNCE, "a@client.example", "ses-1", "Permanent/General")
    await watch.look()
    before = await world.db.version()
    await watch.look()
    quiet = await world.db.version()
    raised = await desk.alerts()
    world.clock.advance(timedelta(days=91))
    await watch.look()
    told = await world.db.read(outbox.unpublished, 100)

    assert {(one.kind, one.subject) for one in raised} == {
        (AlertKind.BOUNCES, ""),
        (AlertKind.BOUNCES, TENANT),
    }
    assert quiet == before
    assert await desk.alerts() == []
    assert {one.cleared_at is not None for one in await desk.past_alerts()} == {True}
    assert sorted(one.type for one in told if "alert" in one.type) == [
        *["relay.alert.cleared"] * 2,
        *["relay.alert.raised"] * 2,
    ]


async def test_a_tenant_over_the_limit_is_held_back_until_a_person_lifts_it(
    world: World, desk: ComplianceDesk
) -> None:
    watch = Watch(db=world.db, clock=world.clock, ids=world.ids, rule=BrakeRule(volume=1))
    await sent(world, "a@client.example")
    await tell(world, K.BOUNCE, "a@client.example", "ses-1", "Permanent/General")
    await watch.look()
    (brake,) = (await desk.report()).brakes
    waiting = await sent(world, "b@client.example")
    held = await world.email(waiting)
    woken = await desk.lift(TENANT, actor="jo")
    await watch.look()
    await world.work()
    after = await world.email(waiting)

    assert (brake.automatic, brake.reason) == (True, "bounce rate 100.0% (brake at 10.0%)")
    assert (held.status, "bounce rate" in held.error) == (EmailStatus.QUEUED, True)
    assert (woken, after.status) == (1, EmailStatus.SENT)
    assert (await desk.report()).brakes == ()
    actions = [entry.action for entry in await world.db.read(audit.newest, 2)]
    assert actions == ["tenant.released", "tenant.braked"]


async def test_mail_of_which_ses_tells_nothing_is_noticed(
    world: World, desk: ComplianceDesk
) -> None:
    watch = Watch(db=world.db, clock=world.clock, ids=world.ids)
    await sent(world, "a@client.example")
    await watch.look()
    early = await desk.alerts()
    world.clock.advance(timedelta(minutes=16))
    await watch.look()
    late = await desk.alerts()
    await tell(world, K.DELIVERY, "a@client.example", "ses-1")
    await watch.look()

    assert early == []
    assert [one.kind for one in late] == [AlertKind.NO_EVENTS]
    assert "1 mail was sent since" in late[0].sentence
    assert await desk.alerts() == []


async def test_a_straggler_does_not_hide_that_no_more_events_come(
    world: World, desk: ComplianceDesk
) -> None:
    watch = Watch(db=world.db, clock=world.clock, ids=world.ids)
    await sent(world, "slow@client.example")
    world.clock.advance(timedelta(minutes=1))
    await sent(world, "a@client.example")
    await tell(world, K.DELIVERY, "a@client.example", "ses-2")
    world.clock.advance(timedelta(minutes=16))
    await watch.look()
    only_slow = await desk.alerts()
    await sent(world, "b@client.example")
    await watch.look()
    too_early = await desk.alerts()
    world.clock.advance(timedelta(minutes=16))
    await watch.look()

    assert (only_slow, too_early) == ([], [])
    assert ["1 mail was sent" in one.sentence for one in await desk.alerts()] == [True]


async def test_mail_that_waited_long_before_it_was_sent_is_given_its_time_for_an_event(
    world: World, desk: ComplianceDesk
) -> None:
    await accept(world.outbound, TENANT, DRAFT)
    world.clock.advance(timedelta(minutes=20))
    await world.work()
    await desk.look()

    assert await desk.alerts() == []


async def test_a_brake_and_its_alert_come_in_one_look_that_reads_the_rates_once(
    world: World, desk: ComplianceDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    reckoned: list[int] = []
    real = compliance.days

    def counted(tx: Tx, since: date) -> list[ReputationDay]:
        reckoned.append(1)
        return real(tx, since)

    monkeypatch.setattr(compliance, "days", counted)
    watch = Watch(db=world.db, clock=world.clock, ids=world.ids, rule=BrakeRule(volume=1))
    await watch.look()
    quiet = len(reckoned)
    await sent(world, "a@client.example")
    await tell(world, K.BOUNCE, "a@client.example", "ses-1", "Permanent/General")
    await watch.look()

    assert quiet == 1
    assert AlertKind.BRAKE in {one.kind for one in await desk.alerts()}
    assert [one.tenant_id for one in await world.db.read(compliance.brakes)] == [TENANT]


async def test_a_complaint_counts_once_however_many_it_names_and_not_when_ses_did_not_send(
    world: World, desk: ComplianceDesk
) -> None:
    people = tuple(f"{name}@client.example" for name in "abc")
    for number in (1, 2):
        await accept(world.outbound, TENANT, replace(DRAFT, to=people))
        await world.work()
        subtype = "abuse" if number == 1 else "OnAccountSuppressionList"
        told = FeedbackEvent(
            source_id=f"sns-{number}",
            kind=K.COMPLAINT,
            ses_message_id=f"ses-{number}",
            attempt_id=None,
            occurred_at=world.clock.now(),
            recipients=tuple(RecipientNews(address=one) for one in people),
            subtype=subtype,
            feedback_id=f"fb-{number}",
        )
        await world.db.write(apply_event, told, Stamp(at=world.clock.now(), ids=world.ids))

    rates = (await desk.report()).standing
    assert (rates.eligible, rates.complaints) == (6, 1)


async def test_mail_to_the_simulator_is_taken_off_the_day_it_was_sent_on(
    world: World, desk: ComplianceDesk
) -> None:
    await sent(world, "success@simulator.amazonses.com")
    world.clock.advance(timedelta(days=1))
    await tell(world, K.DELIVERY, "success@simulator.amazonses.com", "ses-1")

    assert (await desk.report()).standing.eligible == 0


async def test_a_brake_needs_a_reason_and_a_tenant(desk: ComplianceDesk) -> None:
    with pytest.raises(InvalidInputError, match="reason"):
        await desk.brake(TENANT, reason="\x1b[2J", actor="jo")
    with pytest.raises(NotFoundError):
        await desk.brake("ten_nobody", reason="x", actor="jo")
    with pytest.raises(NotFoundError):
        await desk.lift(TENANT, actor="jo")
