"""Sending: one call per turn, and every way that call can fail."""

from __future__ import annotations

import email as stdlib_email
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.errors import (
    ConfigError,
    InvalidInputError,
    LeaseLostError,
    RefusedError,
    RelayError,
    SendingPausedError,
    ServiceUnavailableError,
    ThrottledError,
    UnknownOutcomeError,
)
from backend.feedback.apply import Stamp, apply_event
from backend.model.feedback import EventKind, FeedbackEvent
from backend.model.outbound import AttemptState, EmailStatus, OnUnknown
from backend.model.stats import Counter
from backend.model.suppression import SuppressionWish
from backend.outbound.accept import accept
from backend.outbound.send import process
from backend.outbound.sending_desk import SendingDesk
from backend.store import account, attempts, counters, emails
from backend.store.audit import Hand
from backend.suppression.by_hand import add
from tests.outbound_world import ACCOUNT, DRAFT, TENANT, World, make_world

if TYPE_CHECKING:
    from backend.ports import OutgoingMail
    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock


@pytest.fixture
async def world(db: Database, clock: SettableClock, ids: CountingIds) -> World:
    return await make_world(db, clock, ids)


async def accepted(world: World) -> str:
    return (await accept(world.outbound, TENANT, DRAFT)).email_id


async def tell(world: World, kind: EventKind, attempt_id: str | None, ses_id: str) -> None:
    event = FeedbackEvent(
        source_id=world.ids.new("sns"),
        kind=kind,
        ses_message_id=ses_id,
        attempt_id=attempt_id,
        occurred_at=world.clock.now(),
        recipients=(),
    )
    await world.db.write(apply_event, event, Stamp(at=world.clock.now(), ids=world.ids))


async def states(world: World, email_id: str) -> list[AttemptState]:
    return [a.state for a in await world.db.read(attempts.of_email, email_id)]


async def test_a_sent_mail_carries_its_attempt_and_tenant_and_hides_its_blind_copies(
    world: World,
) -> None:
    draft = replace(DRAFT, cc=("c@x.example",), bcc=("b@x.example",), tags={"product": "psa"})
    email_id = (await accept(world.outbound, TENANT, draft)).email_id
    await world.work()

    (mail,) = world.transport.mails
    (attempt,) = await world.db.read(attempts.of_email, email_id)
    parsed = stdlib_email.message_from_bytes(mail.raw)
    assert mail.tags == {"product": "psa", "relay-attempt": attempt.id, "relay-tenant": TENANT}
    assert parsed["X-Relay-Attempt"] == attempt.id
    assert (mail.to, mail.cc, mail.bcc) == (
        ("Ann@client.example",),
        ("c@x.example",),
        ("b@x.example",),
    )
    assert b"b@x.example" not in mail.raw
    assert mail.configuration_set == "relay-events"


async def test_a_sent_mail_is_recorded_counted_and_leaves_the_queue(world: World) -> None:
    email_id = await accepted(world)
    await world.work()

    email = await world.email(email_id)
    assert (email.status, email.ses_message_id) == (EmailStatus.SENT, "ses-1")
    assert await states(world, email_id) == [AttemptState.SENT]
    assert (await world.db.read(counters.totals))[Counter.SENT] == 1
    world.clock.advance(timedelta(days=2))
    assert await world.work() == 0


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ThrottledError("Maximum sending rate exceeded"), AttemptState.HELD),
        (ServiceUnavailableError("no answer"), AttemptState.DEFERRED),
        (SendingPausedError("paused"), AttemptState.HELD),
        (ConfigError("no credentials"), AttemptState.HELD),
    ],
)
async def test_a_mail_that_was_not_taken_is_sent_later(
    world: World, error: RelayError, state: AttemptState
) -> None:
    email_id = await accepted(world)
    world.transport.answers = [error]
    await world.work()

    assert await world.statuses(email_id) == ["queued"]
    assert (await world.email(email_id)).error == str(error)
    world.clock.advance(120)
    await world.work()
    assert (await world.email(email_id)).status is EmailStatus.SENT
    assert await states(world, email_id) == [state, AttemptState.SENT]


async def test_a_refused_mail_fails_with_the_reason_at_once(world: World) -> None:
    email_id = await accepted(world)
    world.transport.answers = [RefusedError("Email address is not verified", status=400)]
    await world.work()

    email = await world.email(email_id)
    assert (email.status, email.error) == (EmailStatus.FAILED, "Email address is not verified")
    assert (await world.db.read(counters.totals))[Counter.FAILED] == 1
    world.clock.advance(timedelta(days=2))
    assert await world.work() == 0


async def test_an_outage_longer_than_a_day_ends_in_failure(world: World) -> None:
    email_id = await accepted(world)
    world.transport.answers = [ServiceUnavailableError("no answer")] * 200
    for _ in range(120):
        await world.work()
        world.clock.advance(timedelta(minutes=16))

    email = await world.email(email_id)
    assert email.status is EmailStatus.FAILED
    assert "given up after 24 hours" in email.error


async def test_a_paused_account_never_ends_in_failure(world: World) -> None:
    email_id = await accepted(world)
    world.transport.account_answers = [replace(ACCOUNT, sending_enabled=False)] * 4
    for _ in range(4):
        await world.work()
        world.clock.advance(timedelta(hours=20))
    assert world.transport.mails == []
    paused = await world.db.read(account.get)
    assert paused is not None
    assert not paused.sending_enabled

    await world.work()
    assert (await world.email(email_id)).status is EmailStatus.SENT


async def test_a_lost_answer_is_waited_for_and_settled_by_the_send_event(world: World) -> None:
    email_id = await accepted(world)
    world.transport.answers = [UnknownOutcomeError("read timeout")]
    await world.work()
    assert (await world.email(email_id)).status is EmailStatus.UNKNOWN
    assert await world.work() == 0

    (attempt,) = await world.db.read(attempts.of_email, email_id)
    world.clock.advance(5)
    await tell(world, EventKind.SEND, attempt.id, "ses-x")
    assert await world.work() == 1  # the item was woken, found nothing to do and is gone

    email = await world.email(email_id)
    assert (email.status, email.ses_message_id) == (EmailStatus.SENT, "ses-x")
    assert await states(world, email_id) == [AttemptState.SENT]
    world.clock.advance(timedelta(hours=1))
    assert await world.work() == 0
    assert len(world.transport.mails) == 1


@pytest.mark.parametrize("answer_lost", [False, True])
async def test_an_event_that_comes_before_the_answer_settles_the_mail(
    world: World, monkeypatch: pytest.MonkeyPatch, answer_lost: bool
) -> None:
    email_id = await accepted(world)
    send = world.transport.send

    async def overtaken(mail: OutgoingMail) -> str:
        await tell(world, EventKind.SEND, mail.tags["relay-attempt"], "ses-1")
        await tell(world, EventKind.DELIVERY, None, "ses-1")
        return await send(mail)

    monkeypatch.setattr(world.transport, "send", overtaken)
    world.transport.answers = [UnknownOutcomeError("read timeout")] if answer_lost else ["ses-1"]
    await world.work()

    email = await world.email(email_id)
    assert (email.status, email.ses_message_id) == (EmailStatus.DELIVERED, "ses-1")
    assert await states(world, email_id) == [AttemptState.SENT]
    assert (await world.db.read(counters.totals))[Counter.SENT] == 1
    world.clock.advance(3600)
    assert (await world.work(), len(world.transport.mails)) == (0, 1)


async def test_without_a_send_event_the_mail_is_sent_again_and_flagged(world: World) -> None:
    email_id = await accepted(world)
    world.transport.answers = [UnknownOutcomeError("read timeout")]
    await world.work()
    world.clock.advance(119)
    assert await world.work() == 0
    world.clock.advance(2)
    await world.work()

    first, second = await world.db.read(attempts.of_email, email_id)
    assert (first.state, second.state) == (AttemptState.UNKNOWN, AttemptState.SENT)
    assert "sent again as attempt 2" in first.error
    assert (await world.email(email_id)).possible_duplicate


async def test_a_mail_that_must_not_go_twice_is_held_until_its_event_or_a_person_comes(
    world: World,
) -> None:
    draft = replace(DRAFT, on_unknown=OnUnknown.HOLD)
    early, late = [(await accept(world.outbound, TENANT, draft)).email_id for _ in range(2)]
    world.transport.answers = [UnknownOutcomeError("read timeout")] * 2
    await world.work()
    world.clock.advance(121)
    assert await world.work() == 2
    world.clock.advance(timedelta(days=3))
    assert await world.work() == 0
    held = await world.email(late)
    assert (held.status, held.possible_duplicate) == (EmailStatus.UNKNOWN, False)
    assert "it is held" in held.error

    (attempt,) = await world.db.read(attempts.of_email, early)
    await tell(world, EventKind.SEND, attempt.id, "ses-late")
    desk = SendingDesk(world.db, world.clock, world.ids)
    await desk.send_again(late, actor="ann")
    await world.work()

    assert len(world.transport.mails) == 3
    assert (await world.email(early)).ses_message_id == "ses-late"
    again = await world.email(late)
    assert (again.status, again.possible_duplicate) == (EmailStatus.SENT, True)
    with pytest.raises(InvalidInputError, match="is sent, not unknown"):
        await desk.send_again(late, actor="ann")


async def test_what_a_person_gives_up_is_failed_unless_its_event_comes_after_all(
    world: World,
) -> None:
    email_id = (
        await accept(world.outbound, TENANT, replace(DRAFT, on_unknown=OnUnknown.HOLD))
    ).email_id
    world.transport.answers = [UnknownOutcomeError("read timeout")]
    await world.work()
    await SendingDesk(world.db, world.clock, world.ids).give_up(email_id, actor="ann")
    assert (await world.email(email_id)).error == "given up by ann; SES may have it"
    assert await world.statuses(email_id) == ["failed"]

    (attempt,) = await world.db.read(attempts.of_email, email_id)
    await tell(world, EventKind.SEND, attempt.id, "ses-late")
    world.clock.advance(3600)
    await world.work()
    assert await world.statuses(email_id) == ["sent"]
    assert len(world.transport.mails) == 1


async def test_a_send_event_after_the_second_send_finds_the_first_attempt(world: World) -> None:
    email_id = await accepted(world)
    world.transport.answers = [UnknownOutcomeError("read timeout")]
    await world.work()
    world.clock.advance(121)
    await world.work()
    first, _ = await world.db.read(attempts.of_email, email_id)
    await tell(world, EventKind.SEND, first.id, "ses-late")

    assert await states(world, email_id) == [AttemptState.SENT, AttemptState.SENT]
    for local_part in ("ses-late", "ses-2"):
        found = await world.db.read(emails.by_ses_message_id, local_part, TENANT)
        assert found is not None
        assert found.id == email_id
    assert (await world.db.read(counters.totals))[Counter.SENT] == 1


async def test_a_worker_that_died_after_the_attempt_row_is_not_followed_by_a_blind_send(
    world: World,
) -> None:
    email_id = await accepted(world)
    (item,) = await world.claim()
    world.transport.answers = [OSError("power cut")]
    with pytest.raises(OSError, match="power cut"):
        await process(item, world.outbound)
    assert await states(world, email_id) == [AttemptState.SENDING]

    world.clock.advance(31)
    await world.work()
    assert len(world.transport.mails) == 1
    assert (await world.email(email_id)).status is EmailStatus.UNKNOWN


async def test_a_worker_whose_lease_was_lost_sends_nothing(world: World) -> None:
    await accepted(world)
    (late,) = await world.claim()
    world.clock.advance(31)
    (item,) = await world.claim()

    with pytest.raises(LeaseLostError):
        await process(late, world.outbound)
    assert world.transport.mails == []
    await process(item, world.outbound)
    assert len(world.transport.mails) == 1


async def test_who_is_suppressed_after_acceptance_is_left_out(world: World) -> None:
    draft = replace(DRAFT, cc=("bob@client.example",))
    email_id = (await accept(world.outbound, TENANT, draft)).email_id
    hand = Hand(actor="ann", at=world.clock.now(), ids=world.ids)
    await world.db.write(add, hand, SuppressionWish(address="bob@client.example", tenant_id=TENANT))
    await world.work()

    assert world.transport.mails[0].cc == ()
    assert b"bob@client.example" not in world.transport.mails[0].raw
    assert await world.statuses(email_id) == ["sent", "suppressed"]


async def test_a_mail_whose_every_recipient_came_onto_the_list_is_not_sent(world: World) -> None:
    email_id = await accepted(world)
    hand = Hand(actor="ann", at=world.clock.now(), ids=world.ids)
    await world.db.write(add, hand, SuppressionWish(address="ann@client.example", tenant_id=TENANT))
    await world.work()

    assert world.transport.mails == []
    assert (await world.email(email_id)).status is EmailStatus.SUPPRESSED
    world.clock.advance(3600)
    assert await world.work() == 0
