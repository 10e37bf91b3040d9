"""Acting on waiting mail by keys: the form, what it would do, the question, and undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backend import (
    Attach,
    Discard,
    MarkSpam,
    Reason,
    Release,
    Reroute,
    Restore,
    SenderPart,
    TargetName,
)
from relay_console.screens.area import AreaScreen
from relay_console.screens.quarantine import QuarantineScreen
from tests.console.driving import screen_text, until, until_shown, write
from tests.console.world import build_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App
    from textual.pilot import Pilot

    from relay_console.app import RelayApp
    from relay_console.viewmodel.window import Window
    from tests.console.world import World

    MakeApp = Callable[..., RelayApp]

SIZE = (80, 24)
WIDE = (120, 40)


def window_of(app: App[None]) -> Window:
    assert isinstance(app.screen, AreaScreen)
    return app.screen.table.window


def acts(world: World) -> list[object]:
    return [call[0] for call in world.calls]


async def begin(pilot: Pilot[None], line: str = "reason:spam_verdict") -> str:
    """Open the Quarantine under a filter and give the key of the row under the cursor."""
    await pilot.press("4", "slash")
    await write(pilot, line)
    await until_shown(pilot, f"filter: {line}")
    await until(pilot, lambda: window_of(pilot.app).current is not None)
    return window_of(pilot.app).chosen()[0]


async def test_a_message_is_released_after_what_it_would_do_was_shown(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=WIDE, notifications=True) as pilot:
        key = await begin(pilot, "state:held")
        sender = world.received[key].from_address
        await pilot.press("R")
        await until_shown(pilot, "Its sender")
        await write(pilot, "asked by phone")
        text = await until_shown(pilot, "Release 1 message?")
        assert sender[:30] in text
        assert "goes to psa: new ticket" in text
        assert world.calls == []
        await pilot.press("y")
        await until_shown(pilot, "Let go.")
    assert world.calls == [(Release(note="asked by phone"), (key,), "sam@ops")]


async def test_what_cannot_be_done_at_all_is_not_asked(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=WIDE, notifications=True) as pilot:
        await begin(pilot, "reason:virus_verdict")
        viruses = [m.id for m in world.received.values() if m.reason is Reason.VIRUS_VERDICT]
        window_of(pilot.app).marks.update(dict.fromkeys(viruses))
        await pilot.press("R")
        await until_shown(pilot, "Its sender")
        await write(pilot, "")
        text = await until_shown(pilot, "Nothing of it can be done.")
        assert "y yes" not in text
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, QuarantineScreen))
    assert world.calls == []


async def test_a_form_asks_of_the_list_only_when_one_is_meant(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=WIDE, notifications=True) as pilot:
        await begin(pilot, "state:held")
        await pilot.press("R")
        text = await until_shown(pilot, "Its sender")
        assert "How long" not in text
        await pilot.press("tab", "enter", "down", "enter")
        await until_shown(pilot, "How long")


async def test_a_release_can_allow_the_address_of_every_tenant_for_good(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=WIDE, notifications=True) as pilot:
        await begin(pilot, "state:held")
        await pilot.press("R")
        await until_shown(pilot, "Its sender")
        for field, steps in (("part", 1), ("of", 1), ("days", 3)):
            pilot.app.screen.query_one(f"#{field}").focus()
            await pilot.press("enter", *["down"] * steps, "enter")
        pilot.app.screen.query_one("#note").focus()
        await pilot.press("enter")
        await until_shown(pilot, "and allow the sender's address?")
        await pilot.press("y")
        await until(pilot, lambda: bool(world.calls))
    assert acts(world) == [Release(allow=SenderPart.ADDRESS, everywhere=True)]


async def test_no_changes_nothing_and_esc_leaves_a_form(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await begin(pilot, "state:held")
        await pilot.press("R")
        await until_shown(pilot, "Its sender")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, QuarantineScreen))
        await pilot.press("D")
        await until_shown(pilot, "Discard 1 message?")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, QuarantineScreen))
    assert world.calls == []


async def test_a_selection_says_which_messages_are_refused_and_why(
    make_app: MakeApp, world: World
) -> None:
    viruses = [m for m in world.received.values() if m.reason is Reason.VIRUS_VERDICT]
    async with make_app(world).run_test(size=WIDE, notifications=True) as pilot:
        await pilot.press("4")
        await until_shown(pilot, "25 messages wait")
        await pilot.press("asterisk")
        await until_shown(pilot, "25 marked")
        await pilot.press("R")
        await until_shown(pilot, "Its sender")
        await write(pilot, "")
        await until_shown(pilot, "Release 25 messages?")
        await until_shown(pilot, "not done: a virus is never released")
        await pilot.press("y")
        await until_shown(pilot, f"Not done to {len(viruses)} messages: a virus")
    (call,) = world.calls
    assert isinstance(call[1], tuple)
    assert len(call[1]) == 25


async def test_marks_in_sight_are_taken_away_by_the_same_key(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("4")
        await until_shown(pilot, "25 messages wait")
        await pilot.press("v")
        await until_shown(pilot, "1 marked")
        await pilot.press("asterisk")
        height = window_of(pilot.app).height
        await until_shown(pilot, f"{min(height, 25)} marked")
        await pilot.press("asterisk")
        await until(pilot, lambda: "marked" not in screen_text(pilot.app))


@pytest.mark.parametrize(
    ("key", "field", "typed", "act"),
    [
        ("M", "Ticket or contact", "1042", Reroute(target=TargetName.PSA, ref="1042")),
        ("M", "Ticket or contact", "", Reroute(target=TargetName.PSA)),
        ("A", "Ticket number", "ABC-1234", Attach(to="ABC-1234")),
    ],
)
async def test_a_message_is_sent_elsewhere(
    make_app: MakeApp, world: World, key: str, field: str, typed: str, act: object
) -> None:
    async with make_app(world).run_test(size=WIDE, notifications=True) as pilot:
        await begin(pilot, "state:failed")
        await pilot.press(key)
        await until_shown(pilot, field)
        await write(pilot, typed)
        await until_shown(pilot, "goes to psa")
        await pilot.press("y")
        await until(pilot, lambda: bool(world.calls))
    assert acts(world) == [act]


@pytest.mark.parametrize("key", ["D", "S"])
async def test_what_was_put_away_comes_back_with_undo(
    make_app: MakeApp, world: World, key: str
) -> None:
    before = dict(world.received)
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("4")
        await until_shown(pilot, "25 messages wait")
        await pilot.press("space", "space", key)
        if key == "S":
            await until_shown(pilot, "Its sender")
            await write(pilot, "")
        await until_shown(pilot, "u undoes this.")
        await pilot.press("y")
        await until_shown(pilot, "23 messages wait")
        await pilot.press("u")
        await until_shown(pilot, "25 messages wait")
        await pilot.press("u")
        await until_shown(pilot, "There is nothing of yours to undo.")
    assert world.received == before
    first, second = acts(world)
    assert first == (Discard() if key == "D" else MarkSpam())
    assert second == Restore()


async def test_a_message_is_acted_on_from_its_own_page(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=WIDE, notifications=True) as pilot:
        key = await begin(pilot, "state:held")
        await pilot.press("enter")
        await until_shown(pilot, "What happened, step by step")
        await pilot.press("D")
        await until_shown(pilot, "Discard 1 message?")
        await pilot.press("y")
        await until_shown(pilot, "discarded: Put away by a person")
        await pilot.press("escape", "u")
        await until_shown(pilot, "Restored.")
    assert acts(world) == [Discard(), Restore()]
    assert world.calls[0][1] == (key,)


async def test_many_messages_are_acted_on_when_their_number_was_typed(
    make_app: MakeApp,
) -> None:
    world = build_world(10, 120)
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("4")
        await until_shown(pilot, "messages wait")
        while (count := len(window_of(pilot.app).chosen())) <= 50:
            await pilot.press("asterisk", "pagedown")
            await until(pilot, lambda: window_of(pilot.app).current is not None)
        for typed in ("7", str(count)):
            await pilot.press("D")
            await until_shown(pilot, f"And {count - 20} more messages.")
            await pilot.press("y")
            await until_shown(pilot, f"Type {count} to go on.")
            assert world.calls == []
            await write(pilot, typed)
        await until(pilot, lambda: bool(world.calls))


async def test_a_read_only_console_acts_on_nothing(make_app: MakeApp, world: World) -> None:
    async with make_app(world, readonly=True).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("4")
        await until_shown(pilot, "25 messages wait")
        await pilot.press("R", "M", "A", "D", "S", "u", "P")
        await pilot.pause()
        assert isinstance(pilot.app.screen, QuarantineScreen)
    assert world.calls == []
