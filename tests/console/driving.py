"""Reading the screen and waiting for it, without sleeping for fixed times."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from textual.widgets import Input

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App
    from textual.pilot import Pilot

T = TypeVar("T")


def screen_text(app: App[T]) -> str:
    """Give what is on the screen, as lines of text."""
    screen = app.screen
    lines = screen._compositor.render_strips(screen.size)
    return "\n".join(strip.text for strip in lines)


async def until(pilot: Pilot[T], fact: Callable[[], bool], seconds: float = 8.0) -> None:
    """Wait until a fact holds; fail with the screen when it does not in time."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not fact():
        if loop.time() > end:
            raise AssertionError(f"it did not come to be; the screen:\n{screen_text(pilot.app)}")
        await pilot.pause(0.02)


async def until_shown(pilot: Pilot[T], text: str) -> str:
    """Wait until a text is on the screen and give the whole screen."""
    await until(pilot, lambda: text in screen_text(pilot.app))
    return screen_text(pilot.app)


async def write(pilot: Pilot[T], text: str) -> None:
    """Put a text into the field that has the keys, as a paste would, and press enter."""
    field = pilot.app.focused
    assert isinstance(field, Input)
    field.value = text
    await pilot.press("enter")
