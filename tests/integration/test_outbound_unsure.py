"""Every order in which a call to SES, its answer, its event, the lease and the clock may come."""

from __future__ import annotations

import asyncio
from collections import Counter as Counts
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from backend.errors import (
    LeaseLostError,
    RefusedError,
    ServiceUnavailableError,
    UnknownOutcomeError,
)
from backend.feedback.apply import Stamp, apply_event
from backend.feedback.poller import FeedbackPoller
from backend.model.feedback import EventKind, FeedbackEvent
from backend.model.outbound import AttemptState, EmailStatus, OnUnknown
from backend.model.stats import Counter
from backend.outbound.accept import accept
from backend.outbound.drafts import dump_draft
from backend.outbound.hearing import DEAF_AT_MOST, GAP, Hearing
from backend.outbound.send import process
from backend.outbound.sender import make_sender
from backend.queue import items
from backend.queue.worker import WorkerSettings
from backend.store import attempts, counters
from backend.store.schema import email_bodies
from tests.outbound_world import DRAFT, TENANT, World, make_world
from tests.waiting import until_async

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.ports import Notice, OutgoingMail
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock

RESCUED_AFTER = 31  # seconds: the lease of the world's claims is 30


@pytest.fixture
async def world(db: Database, clock: SettableClock, ids: CountingIds) -> World:
    return await make_world(db, clock, ids)


async def accepted(world: World, on_unknown: OnUnknown = OnUnknown.RETRY) -> str:
    return (await accept(world.outbound, TENANT, replace(DRAFT, on_unknown=on_unknown))).email_id


async def send_event(world: World, email_id: str) -> None:
    """Bring the SEND event of a mail's first attempt."""
    attempt = (await world.db.read(attempts.of_email, email_id))[0]
    event = FeedbackEvent(
        source_id=world.ids.new("sns"),
        kind=EventKind.SEND,
        ses_message_id="ses-1",
        attempt_id=attempt.id,
        occurred_at=world.clock.now(),
        recipients=(),
    )
    await world.db.write(apply_event, event, Stamp(at=world.clock.now(), ids=world.ids))


def hear(world: World) -> tuple[World, Hearing]:
    """Give the world a queue of events that it polls."""
    hearing = Hearing(world.clock, polls=True)
    return replace(world, outbound=replace(world.outbound, hearing=hearing)), hearing


def listen(world: World, hearing: Hearing, seconds: float) -> None:
    """Let time pass while the queue answers every ten seconds."""
    for _ in range(int(seconds // 10)):
        world.clock.advance(10)
        hearing.heard()


class Overtaken:
    """A call to SES during which the lease runs out and another worker takes a turn."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch, wait: float) -> None:
        self._world, self._wait = world, wait
        self._send = world.transport.send
        self._is_first = True
        monkeypatch.setattr(world.transport, "send", self.send)

    async def send(self, mail: OutgoingMail) -> str:
        if self._is_first:
            self._is_first = False
            self._world.clock.advance(self._wait)
            await self._world.work()
        return await self._send(mail)


@pytest.mark.parametrize("policy", list(OnUnknown))
async def test_an_answer_that_comes_after_the_lease_was_lost_still_counts(
    world: World, monkeypatch: pytest.MonkeyPatch, policy: OnUnknown
) -> None:
    email_id = await accepted(world, policy)
    (item,) = await world.claim()
    Overtaken(world, monkeypatch, RESCUED_AFTER)
    with pytest.raises(LeaseLostError):
        await process(item, world.outbound)

    email = await world.email(email_id)
    assert (email.status, email.ses_message_id) == (EmailStatus.SENT, "ses-1")
    assert (await world.db.read(counters.totals))[Counter.SENT] == 1
    world.clock.advance(timedelta(hours=1))
    await world.work()
    assert len(world.transport.mails) == 1


async def test_a_refusal_that_comes_after_the_lease_was_lost_leaves_nothing_unknown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    email_id = await accepted(world, OnUnknown.HOLD)
    (item,) = await world.claim()
    Overtaken(world, monkeypatch, RESCUED_AFTER)
    world.transport.answers = [ServiceUnavailableError("no answer")]
    with pytest.raises(LeaseLostError):
        await process(item, world.outbound)
    (first,) = await world.db.read(attempts.of_email, email_id)
    assert first.state is AttemptState.DEFERRED

    world.clock.advance(121)
    await world.work()
    assert (await world.email(email_id)).status is EmailStatus.SENT


async def test_an_answer_that_comes_after_the_mail_was_sent_again_keeps_both_ids(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    email_id = await accepted(world)
    (item,) = await world.claim()
    Overtaken(world, monkeypatch, 121)
    with pytest.raises(LeaseLostError):
        await process(item, world.outbound)

    tries = await world.db.read(attempts.of_email, email_id)
    assert [one.state for one in tries] == [AttemptState.SENT] * 2
    email = await world.email(email_id)
    assert (email.status, email.possible_duplicate) == (EmailStatus.SENT, True)
    assert (await world.db.read(counters.totals))[Counter.SENT] == 1


@pytest.mark.parametrize("policy", list(OnUnknown))
@pytest.mark.parametrize("comes_after", [0, 60, 119])
async def test_an_event_within_two_minutes_ends_the_doubt(
    world: World, policy: OnUnknown, comes_after: int
) -> None:
    email_id = await accepted(world, policy)
    world.transport.answers = [UnknownOutcomeError("read timeout")]
    await world.work()
    world.clock.advance(comes_after)
    await send_event(world, email_id)
    world.clock.advance(timedelta(days=1))
    await world.work()

    email = await world.email(email_id)
    assert (email.status, email.possible_duplicate) == (EmailStatus.SENT, False)
    assert len(world.transport.mails) == 1


@pytest.mark.parametrize(
    ("policy", "mails", "flagged"), [(OnUnknown.RETRY, 2, True), (OnUnknown.HOLD, 1, False)]
)
async def test_a_late_event_finds_the_mail_sent_again_or_held(
    world: World, policy: OnUnknown, mails: int, flagged: bool
) -> None:
    email_id = await accepted(world, policy)
    world.transport.answers = [UnknownOutcomeError("read timeout")]
    await world.work()
    world.clock.advance(121)
    await world.work()
    await send_event(world, email_id)
    world.clock.advance(timedelta(days=1))
    await world.work()

    email = await world.email(email_id)
    assert (email.status, email.possible_duplicate) == (EmailStatus.SENT, flagged)
    assert len(world.transport.mails) == mails


async def test_time_in_which_no_event_could_be_heard_is_not_time_without_an_event(
    world: World,
) -> None:
    world, hearing = hear(world)
    hearing.heard()
    email_id = await accepted(world)
    world.transport.answers = [UnknownOutcomeError("the network is cut")]
    await world.work()
    world.clock.advance(600)  # SQS does not answer either
    await world.work()
    assert (await world.email(email_id)).status is EmailStatus.UNKNOWN

    hearing.heard()
    listen(world, hearing, 110)
    await world.work()
    assert len(world.transport.mails) == 1
    await send_event(world, email_id)
    listen(world, hearing, 600)
    await world.work()
    assert (await world.email(email_id)).possible_duplicate is False
    assert len(world.transport.mails) == 1


@pytest.mark.parametrize("jump", [timedelta(hours=1), -timedelta(hours=1)])
async def test_a_clock_that_jumps_does_not_make_a_mail_go_twice(
    world: World, jump: timedelta
) -> None:
    world, hearing = hear(world)
    hearing.heard()
    email_id = await accepted(world)
    world.transport.answers = [UnknownOutcomeError("read timeout")]
    await world.work()
    world.clock.set(world.clock.now() + jump)
    hearing.heard()
    listen(world, hearing, 60)
    await world.work()
    assert len(world.transport.mails) == 1

    await send_event(world, email_id)
    listen(world, hearing, 600)
    await world.work()
    assert (await world.email(email_id)).status is EmailStatus.SENT
    assert len(world.transport.mails) == 1


async def test_a_process_that_stays_deaf_sends_again_after_an_hour(world: World) -> None:
    world, hearing = hear(world)
    hearing.heard()
    await accepted(world)
    world.transport.answers = [UnknownOutcomeError("read timeout")]
    await world.work()
    for _ in range(int(DEAF_AT_MOST // 120) - 1):
        world.clock.advance(120)
        await world.work()
    assert len(world.transport.mails) == 1
    world.clock.advance(120)
    await world.work()
    assert len(world.transport.mails) == 2


async def test_the_poller_tells_that_it_hears(
    db: Database, clock: SettableClock, ids: CountingIds
) -> None:
    class Empty:
        async def receive(self, most: int, wait_seconds: int) -> Sequence[Notice]:
            return []

        async def acknowledge(self, notices: Sequence[Notice]) -> None:
            raise AssertionError(notices)

    hearing = Hearing(clock, polls=True)
    assert hearing.since() == clock.now()
    clock.advance(GAP)
    poller = FeedbackPoller(db, Empty(), clock=clock, ids=ids, heard=hearing.heard)
    await poller.poll()
    began = clock.now()
    clock.advance(30)
    await poller.poll()
    assert hearing.since() == began


async def test_a_mail_that_cannot_be_handled_fails_with_the_reason(world: World) -> None:
    email_id = await accepted(world)

    def spoil(tx: Tx) -> None:
        spoilt = dump_draft(replace(DRAFT, sender="nobody at all"))
        tx.execute(update(email_bodies).values(draft=spoilt))

    await world.db.write(spoil)
    settings = WorkerSettings(poll_seconds=0.01)
    worker = make_sender(world.outbound, owner="test:1:1", threads=1, settings=settings)

    async def over() -> bool:
        return (await world.email(email_id)).status is EmailStatus.FAILED

    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run())
        await until_async(over)
        worker.stop()
    assert "it could not be handled: from: " in (await world.email(email_id)).error
    assert await world.claim() == []
    assert (await world.db.read(counters.totals))[Counter.FAILED] == 1


async def test_an_end_in_the_middle_of_thirty_sends_leaves_few_in_doubt_and_none_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = [await accepted(world) for _ in range(30)]
    outbound = replace(world.outbound, calls=asyncio.Semaphore(4))
    send, called = world.transport.send, []

    async def hang(mail: OutgoingMail) -> str:
        called.append(mail)
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(world.transport, "send", hang)
    settings = WorkerSettings(poll_seconds=0.01, drain_seconds=0.05)
    worker = make_sender(outbound, owner="gone:1:1", threads=4, settings=settings)

    async def all_called() -> bool:
        return len(called) == 4

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = group.create_task(worker.run())
        await until_async(all_called)
        worker.stop()
        await running

    monkeypatch.setattr(world.transport, "send", send)
    assert await world.db.write(items.release, "gone:1:1") == 30
    while await world.work():
        pass
    statuses = [(await world.email(one)).status for one in mail]
    assert Counts(statuses) == {EmailStatus.SENT: 26, EmailStatus.UNKNOWN: 4}
    world.clock.advance(121)
    while await world.work():
        pass
    found = [await world.email(one) for one in mail]
    assert {one.status for one in found} == {EmailStatus.SENT}
    assert sum(one.possible_duplicate for one in found) == 4


async def test_a_refusal_is_final_though_its_lease_was_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    email_id = await accepted(world)
    (item,) = await world.claim()
    Overtaken(world, monkeypatch, RESCUED_AFTER)
    world.transport.answers = [RefusedError("bad content")] * 2
    with pytest.raises(LeaseLostError):
        await process(item, world.outbound)
    world.clock.advance(121)
    await world.work()
    email = await world.email(email_id)
    assert (email.status, email.error) == (EmailStatus.FAILED, "bad content")
