"""An account that may not send: the queue waits, one mail at a time tries, all goes on again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from backend.errors import (
    ConfigError,
    CredentialsRefusedError,
    NotVerifiedError,
    QuotaSpentError,
    RefusedError,
    SendingPausedError,
    ServiceUnavailableError,
    ThrottledError,
)
from backend.model.outbound import AttemptState, EmailStatus
from backend.model.sending import SendState
from backend.outbound import batches
from backend.outbound.accept import accept
from backend.outbound.decide import state_of
from backend.outbound.hold import LADDERS
from backend.outbound.send import process
from backend.outbound.sending_desk import SendingDesk
from backend.store import attempts
from backend.store.schema import attempts as attempts_table
from tests.outbound_world import ACCOUNT, DRAFT, OTHER_TENANT, TENANT, World, make_world
from tests.waiting import until

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from backend.errors import RelayError
    from backend.model.sending_status import SendingStatus
    from backend.ports import OutgoingMail
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock


@pytest.fixture
async def world(db: Database, clock: SettableClock, ids: CountingIds) -> World:
    return await make_world(db, clock, ids)


@pytest.fixture
async def any_world(any_db: Database, clock: SettableClock, ids: CountingIds) -> World:
    return await make_world(any_db, clock, ids)


async def some_mail(world: World, n: int) -> list[str]:
    return [(await accept(world.outbound, TENANT, DRAFT)).email_id for _ in range(n)]


async def status(world: World) -> SendingStatus:
    return await SendingDesk(world.db, world.clock, world.ids).status()


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ThrottledError("Maximum sending rate exceeded"), SendState.THROTTLED),
        (QuotaSpentError("Daily message quota exceeded"), SendState.QUOTA_SPENT),
        (SendingPausedError("paused"), SendState.PAUSED),
        (CredentialsRefusedError("expired"), SendState.DENIED),
        (ConfigError("no credentials"), SendState.DENIED),
        (ServiceUnavailableError("no answer"), None),
        (RefusedError("bad content"), None),
    ],
)
def test_what_ses_says_is_about_the_account_or_about_one_mail(
    error: RelayError, state: SendState | None
) -> None:
    assert state_of(error) is state


async def test_one_refusal_stops_the_queue_and_one_success_opens_it(any_world: World) -> None:
    world, error, state = any_world, SendingPausedError("paused"), SendState.PAUSED
    mail = await some_mail(world, 5)
    world.transport.answers = [error, error, error]
    assert await world.work() == 5  # claimed before it was known: only the first ran into it
    assert len(world.transport.mails) == 1
    held = await status(world)
    assert held.hold is not None
    assert (held.state, held.hold.reason, held.hold.since) == (state, str(error), world.clock.now())

    assert await world.work() == 0
    for wait in (LADDERS[state].wait(0), LADDERS[state].wait(1)):
        world.clock.advance(wait)
        assert await world.work() == 1  # the one that tries
        assert await world.work() == 0
    world.clock.advance(LADDERS[state].wait(2))
    assert await world.work() == 1
    assert (await status(world)).state is SendState.OPEN
    assert await world.work() == 4

    assert [(await world.email(one)).status for one in mail] == [EmailStatus.SENT] * 5
    assert len(world.transport.mails) == 3 + 5
    tried = [attempt.state for attempt in await world.db.read(attempts.of_email, mail[0])]
    assert tried == [*[AttemptState.HELD] * 3, AttemptState.SENT]


async def test_a_hold_burns_no_patience_and_no_tries(world: World) -> None:
    (mail,) = await some_mail(world, 1)
    world.transport.answers = [SendingPausedError("paused")] * 3
    for _ in range(3):
        await world.work()
        world.clock.advance(timedelta(hours=20))
    world.transport.answers = [ServiceUnavailableError("no answer")]
    (item,) = await world.claim()
    assert item.attempts == 1
    await process(item, world.outbound)
    assert (await world.email(mail)).status is EmailStatus.QUEUED  # not given up after 60 hours

    world.clock.advance(timedelta(minutes=6))
    await world.work()
    assert (await world.email(mail)).status is EmailStatus.SENT


async def test_a_spent_quota_is_seen_before_ses_has_to_refuse(world: World) -> None:
    mail = await some_mail(world, 3)
    spent = replace(ACCOUNT, max_24_hour_send=200.0, sent_last_24_hours=200.0)
    world.transport.account_answers = [spent, spent, replace(spent, sent_last_24_hours=150.0)]
    await world.work()
    held = await status(world)
    assert (held.state, world.transport.mails) == (SendState.QUOTA_SPENT, [])
    assert held.hold is not None
    assert "200 of 200 recipients" in held.hold.reason

    for _ in range(4):
        world.clock.advance(timedelta(minutes=3))
        await world.work()
    assert (await status(world)).state is SendState.OPEN
    assert [(await world.email(one)).status for one in mail] == [EmailStatus.SENT] * 3
    assert world.transport.account_calls <= 5


async def test_a_paused_account_that_fails_otherwise_is_shown_as_that(world: World) -> None:
    await some_mail(world, 1)
    world.transport.answers = [ThrottledError("slow down"), SendingPausedError("paused")]
    await world.work()
    world.clock.advance(2)
    await world.work()
    assert (await status(world)).state is SendState.PAUSED


async def test_in_the_sandbox_mail_to_unverified_addresses_waits_for_production(
    world: World,
) -> None:
    (mail,) = await some_mail(world, 1)
    sandbox = replace(ACCOUNT, production_access=False)
    world.transport.account_answers = [sandbox] * 2
    world.transport.answers = [NotVerifiedError("Email address is not verified", status=400)] * 2
    await world.work()
    waiting = await world.email(mail)
    assert (waiting.status, (await status(world)).is_sandbox) == (EmailStatus.QUEUED, True)
    assert "the SES account is in the sandbox" in waiting.error
    assert (await status(world)).state is SendState.OPEN  # verified recipients still get theirs

    world.clock.advance(timedelta(minutes=16))
    await world.work()
    world.clock.advance(timedelta(minutes=31))
    await world.work()
    assert (await world.email(mail)).status is EmailStatus.SENT
    assert len(world.transport.mails) == 3


async def test_after_a_throttle_mail_goes_on_at_half_the_rate(any_world: World) -> None:
    world = any_world
    await some_mail(world, 3)
    world.transport.answers = [ThrottledError("Maximum sending rate exceeded")]
    await world.work()
    assert (await status(world)).share == 0.5
    world.clock.advance(1)
    await world.work()
    open_again = await status(world)
    assert (open_again.state, open_again.share < 0.52) == (SendState.OPEN, True)
    await world.work()
    world.clock.advance(60)
    assert (await status(world)).share == 1.0
    assert len(world.transport.mails) == 4


async def test_a_mail_denied_to_its_sender_alone_does_not_stop_that_of_others(
    world: World,
) -> None:
    mail = await some_mail(world, 2)
    denied = CredentialsRefusedError("not authorized to perform ses:SendEmail on identity/acme")
    world.transport.answers = [denied, denied]
    await world.work()
    for _ in range(2):
        world.clock.advance(LADDERS[SendState.DENIED].longest)
        await world.work()
    # the first try was the other mail's, the second one's turn came round again
    assert [len(await world.db.read(attempts.of_email, one)) for one in mail] == [2, 1]
    assert (await status(world)).state is SendState.OPEN
    await world.work()
    assert [(await world.email(one)).status for one in mail] == [EmailStatus.SENT] * 2


async def test_a_try_that_does_not_come_to_ask_ses_is_the_next_mails(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def brake(_: Tx, tenant_id: str) -> str:
        return "too many bounces" if tenant_id == OTHER_TENANT else ""

    other = replace(DRAFT, sender="a@globex.example")
    for _ in range(3):
        await accept(world.outbound, OTHER_TENANT, other)
    (free,) = await some_mail(world, 1)
    world.transport.answers = [SendingPausedError("paused")]
    await world.work()
    monkeypatch.setattr(batches, "held_back", brake)
    world.clock.advance(LADDERS[SendState.PAUSED].wait(0))
    for _ in range(4):
        await world.work()
    assert (await world.email(free)).status is EmailStatus.SENT
    assert (await status(world)).state is SendState.OPEN


async def test_while_ses_is_slow_no_turns_are_taken_that_would_make_a_burst(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await some_mail(world, 6)
    outbound = replace(world.outbound, calls=asyncio.Semaphore(2))
    turns, answer, send = [], asyncio.Event(), world.transport.send
    take = outbound.pacer.turn

    async def counted(*given: Any, **more: Any) -> tuple[datetime, bool]:
        turns.append(given)
        return await take(*given, **more)

    async def slow(mail: OutgoingMail) -> str:
        await answer.wait()
        return await send(mail)

    monkeypatch.setattr(outbound.pacer, "turn", counted)
    monkeypatch.setattr(world.transport, "send", slow)
    items = await world.claim()
    async with asyncio.TaskGroup() as group:
        for item in items:
            group.create_task(process(item, outbound))
        await until(lambda: len(turns) == 2)
        assert await world.db.read(_begun) <= 2
        answer.set()
    assert (len(turns), len(world.transport.mails)) == (6, 6)


def _begun(tx: Tx) -> int:
    return len(tx.execute(select(attempts_table.c.id)).all())


async def test_a_clock_set_back_does_not_make_the_hold_last(world: World) -> None:
    await some_mail(world, 1)
    world.transport.answers = [ThrottledError("slow down")]
    await world.work()
    world.clock.set(world.clock.now() - timedelta(hours=1))
    await some_mail(world, 1)
    assert await world.work() == 1


async def test_the_mail_of_a_braked_tenant_waits_and_that_of_others_goes_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def brake(_: Tx, tenant_id: str) -> str:
        return "too many bounces" if tenant_id == OTHER_TENANT else ""

    monkeypatch.setattr(batches, "held_back", brake)
    (free,) = await some_mail(world, 1)
    other = replace(DRAFT, sender="a@globex.example")
    braked = (await accept(world.outbound, OTHER_TENANT, other)).email_id
    await world.work()

    assert (await world.email(free)).status is EmailStatus.SENT
    waiting = await world.email(braked)
    assert (waiting.status, waiting.error) == (EmailStatus.QUEUED, "too many bounces")
    assert await world.db.read(attempts.of_email, braked) == ()
