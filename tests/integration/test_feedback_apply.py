"""Applying SES events to real rows: recipients, counters, suppressions, and repetition."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.feedback.apply import Stamp, apply_event
from backend.model.feedback import EventKind, FeedbackEvent, RecipientNews
from backend.model.outbound import EmailStatus
from backend.model.stats import Counter
from backend.model.suppression import Suppression, SuppressionReason
from backend.model.views import SuppressionQuery
from backend.outbound.accept import accept
from backend.store import attempts, compliance, counters, events, outbox, suppressions
from tests.outbound_world import DRAFT, TENANT, World, make_world
from tests.settable import START

if TYPE_CHECKING:
    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock

K = EventKind
ANN, BOB = "ann@client.example", "bob@client.example"
BARE_ANN = RecipientNews(address=ANN)
DRAFT_AT = START


@pytest.fixture
async def world(db: Database, clock: SettableClock, ids: CountingIds) -> World:
    return await make_world(db, clock, ids)


async def sent(world: World, *cc: str) -> str:
    email_id = (await accept(world.outbound, TENANT, replace(DRAFT, cc=cc))).email_id
    await world.work()
    return email_id


def event(kind: K, *who: str, subtype: str = "", ses_id: str = "ses-1") -> FeedbackEvent:
    return FeedbackEvent(
        source_id=f"sns-{kind}-{'-'.join(who)}-{subtype}",
        kind=kind,
        ses_message_id=ses_id,
        attempt_id=None,
        occurred_at=DRAFT_AT,
        recipients=tuple(RecipientNews(address=a, detail="550 no", status="5.1.1") for a in who),
        subtype=subtype,
        feedback_id=f"fb-{kind}-{subtype}",
    )


async def tell(world: World, *told: FeedbackEvent) -> list[bool]:
    stamp = Stamp(at=world.clock.now(), ids=world.ids)
    return [await world.db.write(apply_event, one, stamp) for one in told]


async def listed(world: World) -> list[Suppression]:
    return await world.db.read(suppressions.page, SuppressionQuery(), 0, 100)


async def test_each_recipient_of_one_mail_has_a_fate_of_its_own(world: World) -> None:
    email_id = await sent(world, BOB)
    await tell(world, event(K.DELIVERY, ANN), event(K.BOUNCE, BOB, subtype="Permanent/General"))

    assert await world.statuses(email_id) == ["delivered", "bounced"]
    assert (await world.email(email_id)).status is EmailStatus.BOUNCED
    assert [entry.address for entry in await listed(world)] == [BOB]


async def test_a_late_bounce_beats_delivered_and_both_are_counted_once(world: World) -> None:
    email_id = await sent(world)
    bounce = event(K.BOUNCE, ANN, subtype="Permanent/General")
    await tell(world, event(K.DELIVERY, ANN), bounce, bounce)

    assert await world.statuses(email_id) == ["bounced"]
    totals = await world.db.read(counters.totals)
    assert (totals[Counter.DELIVERED], totals[Counter.BOUNCED]) == (1, 1)


async def test_one_fact_in_two_envelopes_is_one_row(world: World) -> None:
    email_id = await sent(world)
    delivery = event(K.DELIVERY, ANN)

    assert await tell(world, delivery, delivery, replace(delivery, source_id="sns-copy")) == [
        True,
        False,
        False,
    ]
    assert len(await world.db.read(events.timeline, email_id)) == 1


@pytest.mark.parametrize(
    ("told", "status", "reason"),
    [
        (event(K.BOUNCE, ANN, subtype="Permanent/General"), "bounced", SuppressionReason.BOUNCE),
        (event(K.BOUNCE, ANN, subtype="Permanent/Suppressed"), "bounced", SuppressionReason.BOUNCE),
        (event(K.BOUNCE, ANN, subtype="Permanent/OnAccountSuppressionList"), "bounced", None),
        (event(K.BOUNCE, ANN, subtype="Transient/MailboxFull"), "bounced", None),
        (event(K.BOUNCE, ANN, subtype="Undetermined/Undetermined"), "bounced", None),
        (event(K.COMPLAINT, ANN, subtype="abuse"), "complained", SuppressionReason.COMPLAINT),
        (event(K.COMPLAINT, ANN), "complained", SuppressionReason.COMPLAINT),
        (event(K.COMPLAINT, ANN, subtype="not-spam"), "sent", None),
        (event(K.COMPLAINT, ANN, BOB, subtype="abuse"), "complained", None),
    ],
    ids=lambda value: value.source_id if isinstance(value, FeedbackEvent) else "",
)
async def test_only_hard_bounces_and_sure_complaints_suppress(
    world: World, told: FeedbackEvent, status: str, reason: SuppressionReason | None
) -> None:
    email_id = await sent(world, BOB)
    await tell(world, told)

    assert (await world.statuses(email_id))[0] == status
    expected = [] if reason is None else [(ANN, reason, email_id)]
    assert [(e.address, e.reason, e.source_email_id) for e in await listed(world)] == expected


async def test_an_out_of_office_answer_is_no_bounce(world: World) -> None:
    email_id = await sent(world)
    note = event(K.BOUNCE, ANN, subtype="Transient/General")
    note = replace(note, recipients=(RecipientNews(address=ANN),))
    await tell(world, event(K.DELIVERY, ANN), note)

    assert await world.statuses(email_id) == ["delivered"]
    assert len(await world.db.read(events.timeline, email_id)) == 2


@pytest.mark.parametrize("first", [K.BOUNCE, K.COMPLAINT])
async def test_a_complaint_is_the_reason_on_the_list_whichever_came_first(
    world: World, first: K
) -> None:
    await sent(world)
    told = [event(K.BOUNCE, ANN, subtype="Permanent/General"), event(K.COMPLAINT, ANN)]
    await tell(world, *sorted(told, key=lambda one: one.kind is not first))

    assert [e.reason for e in await listed(world)] == [SuppressionReason.COMPLAINT]


async def test_an_entry_of_a_person_is_kept(world: World) -> None:
    by_hand = Suppression(
        id="sup_x",
        tenant_id=TENANT,
        address=ANN,
        reason=SuppressionReason.BOUNCE,
        created_at=START,
        created_by="jo",
    )
    await sent(world)
    await world.db.write(suppressions.insert, by_hand)
    await tell(world, event(K.COMPLAINT, ANN))

    assert [e.id for e in await listed(world)] == ["sup_x"]


@pytest.mark.parametrize("kind", [K.COMPLAINT, K.BOUNCE, K.DELIVERY, K.DELIVERY_DELAY])
async def test_news_without_a_name_stands_against_nobody_of_many_but_is_kept(
    world: World, kind: K
) -> None:
    many = tuple(f"p{n}@client.example" for n in range(49))
    email_id = await sent(world, *many)
    told = replace(event(kind), subtype="Permanent/General" if kind is K.BOUNCE else "")
    await tell(world, told)

    assert set(await world.statuses(email_id)) == {"sent"}
    assert await listed(world) == []
    assert len(await world.db.read(events.timeline, email_id)) == 1
    assert (await world.db.read(counters.totals))[Counter.SENT] == 50


async def test_news_without_a_name_means_the_only_recipient(world: World) -> None:
    email_id = await sent(world)
    await tell(world, replace(event(K.COMPLAINT), subtype="abuse"))

    assert await world.statuses(email_id) == ["complained"]
    assert [e.address for e in await listed(world)] == [ANN]


async def test_partial_news_of_fifty_moves_and_suppresses_only_whom_it_names(world: World) -> None:
    many = tuple(f"p{n:02}@client.example" for n in range(49))
    email_id = await sent(world, *many)
    redacted = event(K.COMPLAINT, many[0], "redacted@client.example", subtype="abuse")
    hard = event(K.BOUNCE, *many[1:4], "other@x.example", subtype="Permanent/NoEmail")
    await tell(world, hard, redacted, hard, replace(hard, source_id="copy"))

    email = await world.email(email_id)
    ends = {r.address: r.status.value for r in email.recipients if r.status.value != "sent"}
    assert ends == {many[0]: "complained", **dict.fromkeys(many[1:4], "bounced")}
    assert sorted(e.address for e in await listed(world)) == list(many[1:4])
    totals = await world.db.read(counters.totals)
    assert (totals[Counter.BOUNCED], totals[Counter.COMPLAINED]) == (3, 1)


async def test_praise_and_absence_are_not_announced_as_bad_news(world: World) -> None:
    await sent(world)
    note = replace(event(K.BOUNCE, ANN, subtype="Transient/General"), recipients=(BARE_ANN,))
    await tell(world, note, event(K.COMPLAINT, ANN, subtype="not-spam"))

    types = [e.type for e in await world.db.read(outbox.unpublished, 9)]
    assert not {"relay.email.bounced", "relay.email.complained"} & set(types)


async def test_a_soft_bounce_before_a_hard_one_does_not_hide_it_from_the_rate(
    world: World,
) -> None:
    for number, kinds in enumerate((["Transient", "Permanent"], ["Permanent", "Transient"]), 1):
        await sent(world)
        for kind in kinds:
            told = event(K.BOUNCE, ANN, subtype=f"{kind}/General", ses_id=f"ses-{number}")
            told = replace(told, source_id=f"{number}{kind}", detail=told.subtype)
            await tell(world, told, replace(told, source_id=f"{number}{kind}-copy"))
        for entry in await listed(world):
            await world.db.write(suppressions.remove, entry.id)

    (day,) = await world.db.read(compliance.days, START.date())
    assert (day.eligible, day.hard_bounces) == (2, 2)
    assert (await world.db.read(counters.totals))[Counter.BOUNCED] == 2


async def test_an_old_notice_replayed_after_the_entry_was_removed_does_not_bring_it_back(
    world: World,
) -> None:
    email_id = await sent(world)
    bounce = event(K.BOUNCE, ANN, subtype="Permanent/General")
    await tell(world, bounce)
    (entry,) = await listed(world)
    await world.db.write(suppressions.remove, entry.id)
    world.clock.advance(timedelta(days=40))

    assert await tell(world, bounce, replace(bounce, source_id="replayed")) == [False, False]
    assert await listed(world) == []
    assert await world.statuses(email_id) == ["bounced"]


async def test_mail_to_the_simulator_puts_nobody_on_the_list(world: World) -> None:
    mailbox = "bounce+doctor@simulator.amazonses.com"
    await sent(world, mailbox)
    await tell(world, event(K.BOUNCE, mailbox, subtype="Permanent/General"))

    assert await listed(world) == []


async def test_an_address_the_mail_never_went_to_is_not_suppressed(world: World) -> None:
    await sent(world)
    await tell(world, event(K.BOUNCE, "stranger@x.example", subtype="Permanent/General"))

    assert await listed(world) == []


async def test_an_event_of_unknown_mail_is_kept_under_no_tenant(world: World) -> None:
    assert await tell(world, event(K.BOUNCE, ANN, subtype="Permanent/General", ses_id="?")) == [
        True
    ]
    assert await listed(world) == []
    assert await world.db.read(outbox.unpublished, 9) == []


async def test_an_event_before_the_send_call_returned_finds_its_mail(world: World) -> None:
    email_id = (await accept(world.outbound, TENANT, DRAFT)).email_id
    take = world.transport.send

    async def bounce_first(mail: object) -> str:
        ses_id = await take(mail)  # type: ignore[arg-type]
        early = event(K.BOUNCE, ANN, subtype="Permanent/General", ses_id=ses_id)
        (attempt,) = await world.db.read(attempts.of_email, email_id)
        await tell(world, replace(early, attempt_id=attempt.id))
        return ses_id

    world.transport.send = bounce_first  # type: ignore[method-assign]
    await world.work()

    email = await world.email(email_id)
    assert (email.status, email.ses_message_id) == (EmailStatus.BOUNCED, "ses-1")
    assert (await world.db.read(counters.totals))[Counter.SENT] == 1


async def test_every_fact_is_announced_once(world: World) -> None:
    await sent(world)
    click = replace(event(K.CLICK, ANN), detail="https://acme.example")
    await tell(world, event(K.SEND), event(K.DELIVERY, ANN), event(K.OPEN, ANN), click, click)

    types = [
        e.type.removeprefix("relay.email.") for e in await world.db.read(outbox.unpublished, 9)
    ]
    assert types == ["accepted", "sent", "delivered", "opened", "clicked"]
