"""Scheduled mail: in words, called off, moved, and too late for either."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.errors import InvalidInputError, NotFoundError, TooLateError
from backend.model.outbound import EmailStatus
from backend.model.stats import Counter
from backend.outbound.accept import accept
from backend.outbound.mail_desk import MailDesk
from backend.outbound.send import process
from backend.store import counters, outbox
from tests.outbound_world import DRAFT, OTHER_TENANT, TENANT, World, make_world

if TYPE_CHECKING:
    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock


@pytest.fixture
async def world(db: Database, clock: SettableClock, ids: CountingIds) -> World:
    return await make_world(db, clock, ids)


@pytest.fixture
async def any_world(any_db: Database, clock: SettableClock, ids: CountingIds) -> World:
    return await make_world(any_db, clock, ids)


def desk_of(world: World) -> MailDesk:
    return MailDesk(world.outbound, lambda: None)


async def scheduled(world: World, at: str = "in 2 hours") -> str:
    accepted = await accept(world.outbound, TENANT, replace(DRAFT, scheduled_at=at))
    assert accepted.status is EmailStatus.SCHEDULED
    return accepted.email_id


async def too_late_for_both(desk: MailDesk, email_id: str, hint: str) -> None:
    with pytest.raises(TooLateError, match=hint):
        await desk.cancel_email(email_id, actor="ann")
    with pytest.raises(TooLateError, match=hint):
        await desk.reschedule_email(email_id, "in 1 hour", actor="ann")


async def test_words_are_read_when_the_mail_comes_and_a_repeat_is_the_same_mail(
    world: World,
) -> None:
    draft = replace(DRAFT, scheduled_at="in 2 hours")
    first = await accept(world.outbound, TENANT, draft, idempotency_key="k")
    world.clock.advance(60)
    again = await accept(world.outbound, TENANT, draft, idempotency_key="k")
    email = await world.email(first.email_id)

    assert again.email_id == first.email_id
    assert email.scheduled_at == email.created_at + timedelta(hours=2)
    for wrong in ("in 31 days", "whenever"):
        with pytest.raises(InvalidInputError) as refused:
            await accept(world.outbound, TENANT, replace(DRAFT, scheduled_at=wrong))
        assert refused.value.field == "scheduled_at"


async def test_a_cancelled_mail_is_never_sent_and_is_counted_and_announced(
    any_world: World,
) -> None:
    email_id = await scheduled(any_world)
    desk = desk_of(any_world)
    email = await desk.cancel_email(email_id, actor="ann", tenant_id=TENANT)
    again = await desk.cancel_email(email_id, actor="ann", tenant_id=TENANT)

    assert email.status is again.status is EmailStatus.CANCELED
    assert await any_world.statuses(email_id) == ["canceled"]
    assert (await any_world.db.read(counters.totals))[Counter.CANCELED] == 1
    types = [event.type for event in await any_world.db.read(outbox.unpublished, 9)]
    assert types == ["relay.email.accepted", "relay.email.cancelled"]
    any_world.clock.advance(timedelta(hours=3))
    await any_world.work()
    assert any_world.transport.mails == []
    assert await any_world.claim() == [], "its work is done with"
    with pytest.raises(TooLateError, match="was called off"):
        await desk.reschedule_email(email_id, "in 1 hour", actor="ann")


async def test_calling_off_is_undone_as_if_it_had_not_been(any_world: World) -> None:
    email_id = await scheduled(any_world)
    desk = desk_of(any_world)
    with pytest.raises(TooLateError, match="is not called off: it is scheduled"):
        await desk.restore_email(email_id, actor="ann")
    called_off = await desk.cancel_email(email_id, actor="ann")
    any_world.clock.advance(90)
    await any_world.work()
    back = await desk.restore_email(email_id, actor="ann", tenant_id=TENANT)

    assert back.status is EmailStatus.SCHEDULED
    assert back.scheduled_at == called_off.scheduled_at
    assert (await any_world.db.read(counters.totals)).get(Counter.CANCELED, 0) == 0
    told = [event.type for event in await any_world.db.read(outbox.unpublished, 9)]
    assert told[-2:] == ["relay.email.cancelled", "relay.email.accepted"]
    await any_world.work()
    assert any_world.transport.mails == [], "not before its time"
    any_world.clock.advance(timedelta(hours=2))
    await any_world.work()
    assert len(any_world.transport.mails) == 1
    with pytest.raises(NotFoundError):
        await desk.restore_email(email_id, actor="eve", tenant_id=OTHER_TENANT)


async def test_a_mail_whose_time_passed_while_it_was_called_off_goes_out_at_once(
    world: World,
) -> None:
    email_id = await scheduled(world)
    desk = desk_of(world)
    await desk.cancel_email(email_id, actor="ann")
    world.clock.advance(timedelta(hours=3))
    await world.work()
    await desk.restore_email(email_id, actor="ann")
    await world.work()
    assert (await world.email(email_id)).status is EmailStatus.SENT
    assert len(world.transport.mails) == 1


async def test_a_moved_mail_goes_at_its_new_time(world: World) -> None:
    email_id = await scheduled(world)
    desk = desk_of(world)
    moved = await desk.reschedule_email(email_id, "in 4 hours", actor="ann")
    world.clock.advance(timedelta(hours=3))
    assert await world.work() == 0
    world.clock.advance(timedelta(hours=1))
    assert await world.work() == 1

    assert moved.scheduled_at == moved.created_at + timedelta(hours=4)
    assert (await world.email(email_id)).status is EmailStatus.SENT
    for verb in (
        desk.cancel_email(email_id, actor="a"),
        desk.reschedule_email(email_id, "in 1 h", actor="a"),
    ):
        with pytest.raises(TooLateError, match="it is sent"):
            await verb


async def test_mail_in_a_workers_hands_and_mail_without_a_time_is_left_alone(world: World) -> None:
    email_id = await scheduled(world, "in 1 min")
    world.clock.advance(61)
    (item,) = await world.claim()
    desk = desk_of(world)
    for verb in (
        desk.cancel_email(email_id, actor="a"),
        desk.reschedule_email(email_id, "in 1 h", actor="a"),
    ):
        with pytest.raises(TooLateError, match="on its way"):
            await verb
    await process(item, world.outbound)
    assert len(world.transport.mails) == 1

    plain = await accept(world.outbound, TENANT, DRAFT)
    with pytest.raises(TooLateError, match="was not scheduled"):
        await desk.cancel_email(plain.email_id, actor="a")


async def test_a_mail_is_sent_or_called_off_however_the_two_race(any_world: World) -> None:
    waiting = [await scheduled(any_world, "in 1 min") for _ in range(16)]
    any_world.clock.advance(61)
    desk = desk_of(any_world)
    off: dict[str, bool] = {}

    async def call_off() -> None:
        for email_id in reversed(waiting):
            try:
                await desk.cancel_email(email_id, actor="ann", tenant_id=TENANT)
                off[email_id] = True
            except TooLateError:
                off[email_id] = False

    async def work() -> None:
        while claimed := await any_world.claim(limit=2):
            for item in claimed:
                await process(item, any_world.outbound)

    await asyncio.gather(work(), call_off(), work())

    ends = {email_id: (await any_world.email(email_id)).status for email_id in waiting}
    assert ends == {
        email_id: EmailStatus.CANCELED if off[email_id] else EmailStatus.SENT
        for email_id in waiting
    }
    assert set(off.values()) == {True, False}
    assert len(any_world.transport.mails) == list(off.values()).count(False)


async def test_nobody_touches_the_mail_of_another_tenant(world: World) -> None:
    email_id = await scheduled(world)
    for tenant_id, mail in ((OTHER_TENANT, email_id), (TENANT, "msg_none")):
        with pytest.raises(NotFoundError):
            await desk_of(world).cancel_email(mail, actor="a", tenant_id=tenant_id)
    with pytest.raises(InvalidInputError):
        await desk_of(world).reschedule_email(email_id, "yesterday", actor="a")

    assert (await world.email(email_id)).status is EmailStatus.SCHEDULED
