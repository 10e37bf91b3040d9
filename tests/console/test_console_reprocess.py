"""Processing again in the console: difference first, the question, progress, report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from backend import InboundStatus, JobState, Selection
from relay_console.screens.confirm_count import ConfirmCount
from relay_console.screens.job_progress import JobProgress
from relay_console.screens.quarantine import QuarantineScreen
from relay_console.screens.reprocess_preview import TYPED, ReprocessPreview
from relay_console.viewmodel.reprocess import bar
from tests.console.driving import until, until_shown, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from relay_console.app import RelayApp
    from tests.console.world import World

    MakeApp = Callable[..., RelayApp]

SIZE = (100, 30)


def lose(world: World, count: int | None = None) -> int:
    """Make waiting messages unrouted, all or so many; give how many."""
    waiting = [
        message
        for message in world.received.values()
        if message.status is not InboundStatus.FORWARDED
    ][:count]
    for message in waiting:
        world.received[message.id] = replace(message, status=InboundStatus.UNROUTED)
    return len(waiting)


async def test_the_message_under_the_cursor_goes_again_after_preview_and_yes(
    make_app: MakeApp, world: World
) -> None:
    lose(world)
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("4")
        await until_shown(pilot, "messages wait")
        await pilot.press("P")
        text = await until_shown(pilot, "1 message of 1 looked at")
        assert "-> forwarded rule_routed psa new_ticket" in text
        assert "target: - -> psa" in text
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, QuarantineScreen))
        assert world.calls == []
        await pilot.press("P")
        await until_shown(pilot, "enter processes 1 message again")
        await pilot.press("enter")
        await until_shown(pilot, "Process 1 message again?")
        await pilot.press("y")
        text = await until_shown(pilot, "Every item was looked at")
        assert "[########################################] 1 of 1" in text
        assert isinstance(pilot.app.screen, JobProgress)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, QuarantineScreen))
    ((verb, selection, actor),) = world.calls
    assert (verb, actor) == ("reprocess", "sam@ops")
    assert isinstance(selection, Selection)
    assert len(selection.ids) == 1


async def test_marked_messages_are_a_selection_and_the_marks_go_when_it_is_begun(
    make_app: MakeApp, world: World
) -> None:
    lose(world)
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("4")
        await until_shown(pilot, "messages wait")
        await pilot.press("space", "space", "P")
        await until_shown(pilot, "enter processes 2 messages again")
        await pilot.press("escape")
        await until_shown(pilot, "2 marked")
        await pilot.press("P")
        await until_shown(pilot, "enter processes 2 messages again")
        await pilot.press("enter")
        await until_shown(pilot, "Process 2 messages again?")
        await pilot.press("y")
        await until_shown(pilot, "2 of 2")
        await pilot.press("escape")
        assert "marked" not in await until_shown(pilot, "messages wait")
    selection = world.calls[0][1]
    assert isinstance(selection, Selection)
    assert len(selection.ids) == 2


async def test_a_whole_filter_wants_its_number_typed_and_can_be_stopped(
    make_app: MakeApp, world: World
) -> None:
    lost = lose(world)
    assert lost > TYPED
    world.reprocessing.a_look = 0
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("4")
        await until_shown(pilot, "messages wait")
        await pilot.press("B")
        text = await until_shown(pilot, f"enter processes {lost} messages again")
        assert "The first 20" in text
        for typed in ("7", str(lost)):
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmCount))
            await write(pilot, typed)
            if typed == "7":
                await until(pilot, lambda: isinstance(pilot.app.screen, ReprocessPreview))
                assert world.calls == []
        await until_shown(pilot, "x stops it")
        await pilot.press("x")
        text = await until_shown(pilot, JobState.CANCELLED.sentence)
        assert f"0 of {lost}" in text
        assert [call[0] for call in world.calls] == ["reprocess", "cancel"]


async def test_nothing_to_change_is_said_and_nothing_is_started(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("4")
        await until_shown(pilot, "messages wait")
        await pilot.press("slash", *"state:quarantined", "enter")
        await pilot.press("B")
        await until_shown(pilot, "Nothing would go another way.")
        await pilot.press("enter")
        await until_shown(pilot, "so there is nothing to do")
    assert world.calls == []


async def test_a_read_only_console_has_no_such_keys(make_app: MakeApp, world: World) -> None:
    async with make_app(world, readonly=True).run_test(size=SIZE) as pilot:
        await pilot.press("4")
        await until_shown(pilot, "messages wait")
        await pilot.press("P", "B")
        await pilot.pause()
        assert isinstance(pilot.app.screen, QuarantineScreen)


@pytest.mark.parametrize(
    ("done", "total", "said"),
    [
        (0, 0, "0"),
        (0, 10, f"[{'.' * 40}] 0 of 10"),
        (5, 10, f"[{'#' * 20}{'.' * 20}] 5 of 10"),
        (12, 10, f"[{'#' * 40}] 12 of 10"),
    ],
)
def test_a_bar_is_drawn_without_colour(done: int, total: int, said: str) -> None:
    assert bar(done, total) == said
