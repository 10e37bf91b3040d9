"""Opening the console: the one module of the command line that leads to Textual.

The app is on the screen before the backend is there; it asks for its service when it has painted.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from backend import ConfigError, RelayError
from relay_console.cli.opening import Common, actor, read_config, run
from relay_console.profile import prepare_environment, refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from backend import Backend, DemoSettings

    Opening = Callable[[], AbstractAsyncContextManager[Backend]]


def open_console(common: Common, *, workers: bool) -> None:
    """Open the console on the configured database; raises ConfigError before it draws."""
    _require_terminal()
    config = read_config(common)

    @asynccontextmanager
    async def backend() -> AsyncIterator[Backend]:
        from backend import open_backend

        async with open_backend(config, workers=workers) as opened:
            yield opened

    _run_app(backend, readonly=readonly, theme=theme, level=config.log_level)


def open_demo_console(common: Common, settings: DemoSettings) -> None:
    """Open the console on the demo world."""
    _require_terminal()

    @asynccontextmanager
    async def backend() -> AsyncIterator[Backend]:
        from backend import open_demo

        async with open_demo(settings) as running:
            yield running.backend

    _run_app(backend, readonly=common.readonly, theme=common.theme, level="info")


def _require_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(
            "the console needs a terminal; `relay-console --help` lists commands that do not"
        )
    if sentence := refusal(os.environ):
        raise ConfigError(sentence)


class Host:
    """Holds the backend in one task from first asked for until the app has ended.

    A context must be left by the task that entered it; the app's own tasks come and go.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._asked = asyncio.Event()
        self._leave = asyncio.Event()
        self._arrival: asyncio.Future[Backend] = asyncio.get_running_loop().create_future()

    async def service(self) -> Backend:
        """Ask for the backend and wait until it is there; raises RelayError when it cannot be."""
        self._asked.set()
        return await asyncio.shield(self._arrival)

    def leave(self) -> None:
        """Let the backend drain and close."""
        self._leave.set()
        self._asked.set()

    async def hold(self) -> None:
        """Open the backend when it is asked for and close it when told to leave."""
        await self._asked.wait()
        if self._leave.is_set():
            return
        try:
            async with self._opening() as backend:
                self._arrival.set_result(backend)
                await self._leave.wait()
        except RelayError as error:
            if self._arrival.done():
                raise
            self._arrival.set_exception(error)  # the app shows its sentence
