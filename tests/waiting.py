"""Wait for something to become true, by looking, never for a fixed time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

DEADLINE = 20.0  # seconds; reached only when a test fails


async def until(condition: Callable[[], bool], *, seconds: float = DEADLINE) -> None:
    """Return once ``condition()`` is true; raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # it may change in another process
            await asyncio.sleep(0.005)


async def until_async(
    condition: Callable[[], Awaitable[bool]], *, seconds: float = DEADLINE
) -> None:
    """Return once ``await condition()`` is true; raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  # likewise
            await asyncio.sleep(0.005)
