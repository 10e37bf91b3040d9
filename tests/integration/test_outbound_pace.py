"""The pace: no process sends faster than the account allows, alone or together."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from backend.errors import SendingPausedError, ServiceUnavailableError
from backend.outbound import pace as outbound_pace
from backend.outbound.pace import AHEAD, Pacer, allowed_rate, lasts
from backend.store import pace
from backend.store.schema import pace as table
from tests.outbound_world import ACCOUNT, ScriptedTransport

if TYPE_CHECKING:
    from datetime import datetime

    from backend.model.views import AccountState
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import SettableClock


async def turns(
    db: Database, clock: SettableClock, pacers: list[Pacer], rate: float, n: int
) -> list[datetime]:
    """Ask the pacers in turn; give the moments they allowed."""
    calls = [pacers[i % len(pacers)].turn(db, clock, rate=rate, recipients=1) for i in range(n)]
    return sorted(moment for moment, ours in await asyncio.gather(*calls) if ours)


@pytest.mark.parametrize("processes", [1, 3])
async def test_processes_together_keep_the_rate(
    db: Database, clock: SettableClock, processes: int
) -> None:
    pacers = [Pacer() for _ in range(processes)]
    moments = await turns(db, clock, pacers, 14.0, 42)

    assert len(moments) == 42
    for first, fifteenth in zip(moments, moments[14:], strict=False):
        assert fifteenth - first >= timedelta(seconds=1) - timedelta(milliseconds=20)


async def test_after_a_throttle_half_the_rate_is_left_and_comes_back_within_a_minute(
    any_db: Database, clock: SettableClock
) -> None:
    async def share() -> float:
        return round(await any_db.read(pace.share, clock.now()), 3)

    await any_db.write(pace.slow_down, clock.now())
    assert await share() == 0.5
    moments = await turns(any_db, clock, [Pacer(), Pacer()], 14.0, 14)
    assert moments[7] - moments[0] >= timedelta(seconds=1) - timedelta(milliseconds=20)

    await any_db.write(pace.slow_down, clock.now())
    assert await share() == 0.25
    clock.advance(30)
    assert await share() == 0.5
    for _ in range(9):
        await any_db.write(pace.slow_down, clock.now())
    assert await share() == pace.LEAST
    clock.set(clock.now() - timedelta(hours=1))
    assert await share() == 1.0
    clock.set(clock.now() + timedelta(hours=1, minutes=2))
    assert await share() == 1.0


@pytest.mark.parametrize(
    ("most", "sent", "rate", "seconds"),
    [
        (-1.0, 9e9, 14.0, 60),
        (50_000.0, 0.0, 14.0, 60),
        (50_000.0, 49_720.0, 14.0, 10),
        (50_000.0, 49_990.0, 10.0, 1),
        (50_000.0, 49_999.5, 1.0, 1),
    ],
)
def test_what_is_left_of_the_quota_is_never_sent_faster_than_ses_is_asked_for_it(
    most: float, sent: float, rate: float, seconds: int
) -> None:
    state = replace(ACCOUNT, max_send_rate=14.0, max_24_hour_send=most, sent_last_24_hours=sent)
    assert allowed_rate(state) == rate
    assert lasts(state) == timedelta(seconds=seconds)


async def test_a_question_about_the_account_that_hangs_does_not_hold_up_the_mail(
    db: Database, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pacer, transport = Pacer(), ScriptedTransport(clock)
    await pacer.account(db, transport, clock)
    clock.advance(61)
    monkeypatch.setattr(outbound_pace, "ASK_FOR", 0.01)
    monkeypatch.setattr(transport, "account", asyncio.Event().wait)
    async with asyncio.timeout(5):
        assert await pacer.account(db, transport, clock) is not None


async def test_time_unused_is_not_saved_up(db: Database, clock: SettableClock) -> None:
    pacer = Pacer()
    await turns(db, clock, [pacer], 10.0, 1)
    clock.advance(600)
    moments = await turns(db, clock, [pacer], 10.0, 10)

    assert moments[-1] - moments[0] >= timedelta(milliseconds=890)


async def test_a_turn_far_off_is_refused_and_reserves_nothing(
    db: Database, clock: SettableClock
) -> None:
    pacer = Pacer()
    _, first = await pacer.turn(db, clock, rate=1.0, recipients=50)
    moment, second = await pacer.turn(db, clock, rate=1.0, recipients=1)

    assert (first, second) == (True, False)
    assert moment == clock.now() + timedelta(seconds=50)
    assert await db.read(_next_at) == moment


async def test_a_clock_set_back_does_not_stop_sending(db: Database, clock: SettableClock) -> None:
    pacer = Pacer()
    await turns(db, clock, [pacer], 10.0, 1)
    clock.set(clock.now() - timedelta(hours=1))
    (moment,) = await turns(db, clock, [pacer], 10.0, 1)

    assert moment - clock.now() <= AHEAD


async def test_the_account_is_asked_once_a_minute(db: Database, clock: SettableClock) -> None:
    pacer, transport = Pacer(), ScriptedTransport(clock)
    for _ in range(5):
        await pacer.account(db, transport, clock)
    assert transport.account_calls == 1

    clock.advance(61)
    await pacer.account(db, transport, clock)
    assert transport.account_calls == 2


async def test_a_second_process_uses_what_the_first_was_told(
    db: Database, clock: SettableClock
) -> None:
    transport = ScriptedTransport(clock)
    for pacer in (Pacer(), Pacer()):
        assert await pacer.account(db, transport, clock) == ACCOUNT
    assert transport.account_calls == 1


async def test_when_the_account_cannot_be_read_the_last_word_stands(
    db: Database, clock: SettableClock
) -> None:
    pacer, transport = Pacer(), ScriptedTransport(clock)
    transport.account_answers = [ServiceUnavailableError("away")]
    assert allowed_rate(await pacer.account(db, transport, clock)) == 1.0
    assert allowed_rate(await pacer.account(db, transport, clock)) == 1.0
    assert transport.account_calls == 1

    clock.advance(11)
    assert allowed_rate(await pacer.account(db, transport, clock)) == 1000.0
    clock.advance(61)
    transport.account_answers = [ServiceUnavailableError("away")]
    assert allowed_rate(await pacer.account(db, transport, clock)) == 1000.0


@pytest.mark.parametrize(
    "state",
    [replace(ACCOUNT, sending_enabled=False), replace(ACCOUNT, enforcement="SHUTDOWN")],
)
def test_a_paused_account_allows_nothing(state: AccountState) -> None:
    with pytest.raises(SendingPausedError, match="mail stays queued"):
        allowed_rate(state)


def _next_at(tx: Tx) -> datetime:
    moment: datetime = tx.execute(select(table.c.next_at)).scalar_one()
    return moment
