"""Each screen as a picture, at two sizes; ``pytest --snapshot-update`` draws them anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relay_console.screens.beside import WIDE
from tests.console.driving import until_shown
from tests.console.world import build_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from relay_console.app import RelayApp

SIZES = [(80, 24), (120, 40)]
SCREENS = {
    "logs": (("1", "220 mails"),),
    "suppressions": (("2", "24 suppressed"),),
    "domains": (("3", "bounce.harbour-dental"),),
    "quarantine": (("4", "25 messages wait"),),
    "charts": (("5", "▒ bounced 28"),),
    "alerts": (("6", "3 alerts"),),
    "detail": (("4", "25 messages wait"), ("enter", "step by step")),
}

BESIDE = {"logs": "Timeline, UTC", "quarantine": "If you release it"}
"""What the pane of a wide terminal says in the end."""


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_the_screen_looks_as_it_did(
    name: str,
    size: tuple[int, int],
    make_app: Callable[..., RelayApp],
    snap_compare: Callable[..., bool],
) -> None:
    async def walk(pilot: Pilot[None]) -> None:
        for key, words in SCREENS[name]:
            await pilot.press(key)
            await until_shown(pilot, words)
        if name == "charts":
            await until_shown(pilot, "REVIEW RISK")
        if name in BESIDE and size[0] >= WIDE:
            await until_shown(pilot, BESIDE[name])

    world = build_world()
    if name in {"alerts", "charts"}:
        world.compliance.go_wrong()
    assert snap_compare(make_app(world), terminal_size=size, run_before=walk)
