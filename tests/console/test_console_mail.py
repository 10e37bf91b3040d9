"""What may still be done to a mail of ours: call it off, another time, again, give up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from backend import EmailStatus
from tests.console.driving import screen_text, until, until_shown, write
from tests.console.world import NOW, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from relay_console.app import RelayApp

    MakeApp = Callable[..., RelayApp]

SIZE = (100, 30)
FIRST = f"msg_{0:026d}"
LATER = NOW + timedelta(days=1)


async def open_first(pilot: Pilot[None]) -> str:
    """Open the newest mail of the log."""
    await until_shown(pilot, "220 mails")
    await pilot.press("enter")
    return await until_shown(pilot, f"Sent mail {FIRST}")


def make(world: World, status: EmailStatus) -> None:
    at = LATER if status is EmailStatus.SCHEDULED else None
    world.emails[FIRST] = replace(world.emails[FIRST], status=status, scheduled_at=at)


async def test_a_scheduled_mail_gets_another_time_and_is_called_off(
    make_app: MakeApp, world: World
) -> None:
    make(world, EmailStatus.SCHEDULED)
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        text = await open_first(pilot)
        assert "t other time" in text
        assert "send again" not in text
        await until_shown(pilot, "x calls it off, t gives it another time.")
        await pilot.press("u")
        await until_shown(pilot, "nothing of yours to undo")
        await pilot.press("t")
        await until_shown(pilot, "When is it to go out? Now it is 2026-11-21 14:30:00 UTC.")
        await write(pilot, "2026-12-01T08:30+00:00")
        await until_shown(pilot, "2026-12-01 08:30:00 UTC; u undoes this.")
        await pilot.press("u")
        await until_shown(pilot, "2026-11-21 14:30:00 UTC again.")
        await pilot.press("x")
        await until_shown(pilot, "Call this mail off?")
        await pilot.press("y")
        await until_shown(pilot, "canceled: Called off before its time.")
        assert "call off" not in screen_text(pilot.app).splitlines()[-1]
        await pilot.press("x")
        await until_shown(pilot, "This mail is canceled; only")
        await until_shown(pilot, "u undo")
        await pilot.press("u")
        await until_shown(pilot, "scheduled: ")
        await pilot.press("u")
        await until_shown(pilot, "nothing of yours to undo")
    assert world.calls == [
        ("reschedule", FIRST, datetime(2026, 12, 1, 8, 30, tzinfo=UTC), "sam@ops"),
        ("reschedule", FIRST, LATER, "sam@ops"),
        ("cancel", FIRST, "sam@ops"),
        ("restore", FIRST, "sam@ops"),
    ]


async def test_undoing_a_calling_off_asks_when_the_mail_would_go_out_at_once(
    make_app: MakeApp, world: World
) -> None:
    make(world, EmailStatus.SCHEDULED)
    world.emails[FIRST] = replace(world.emails[FIRST], scheduled_at=NOW - timedelta(minutes=5))
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await open_first(pilot)
        await pilot.press("x")
        await until_shown(pilot, "Call this mail off?")
        await pilot.press("y")
        await until_shown(pilot, "canceled: Called off")
        await pilot.press("u")
        await until_shown(pilot, "Its time was 2026-11-20 14:25:00 UTC, which is over.")
        await pilot.press("n")
        await until(pilot, lambda: "which is over" not in screen_text(pilot.app))
        assert [call[0] for call in world.calls] == ["cancel"]
        await pilot.press("u")
        await until_shown(pilot, "Send this mail now after all?")
        await pilot.press("y")
        await until_shown(pilot, "scheduled: ")
    assert [call[0] for call in world.calls] == ["cancel", "restore"]


async def test_a_mail_of_unknown_fate_is_sent_again_and_marked_as_maybe_double(
    make_app: MakeApp, world: World
) -> None:
    make(world, EmailStatus.UNKNOWN)
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        text = await open_first(pilot)
        assert "S send again  F give up" in text
        assert "call off" not in text
        await pilot.press("S")
        await until_shown(pilot, "It may arrive twice.")
        await pilot.press("y")
        text = await until_shown(pilot, "sent again though SES may have had it")
        assert "maybe twice" in text
        await pilot.press("F")
        await until_shown(pilot, "This mail is queued; there is nothing")
    assert world.calls == [("send_again", FIRST, "sam@ops")]


async def test_a_read_only_console_offers_nothing_of_it(make_app: MakeApp, world: World) -> None:
    make(world, EmailStatus.SCHEDULED)
    async with make_app(world, readonly=True).run_test(size=SIZE) as pilot:
        text = await open_first(pilot)
        await pilot.press("x", "t", "S", "F", "u")
        await pilot.pause()
        assert len(pilot.app.screen_stack) == 2
        assert "calls it off" not in text
        assert world.calls == []
