"""Opening the console: the one module of the command line that leads to Textual.

The app is on the screen before the backend is there; it asks for its service when it has painted.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from backend import ConfigError, RelayError, SystemClock, configure_logging, console_log
from relay_console.cli.opening import Common, actor, read_config, run
from relay_console.profile import prepare_environment, profile_from, refusal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from contextlib import AbstractAsyncContextManager

    from backend import Backend, Demo, DemoSettings

    Opening = Callable[[], AbstractAsyncContextManager[Backend]]


def open_console(common: Common, *, workers: bool) -> None:
    """Open the console on the configured database; raises ConfigError before it draws."""
    _require_terminal()
    config = read_config(common)
    configure_logging(config.log_level, console_log())

    @asynccontextmanager
    async def opening() -> AsyncGenerator[Backend]:
        from backend import open_backend

        async with open_backend(config, workers=workers) as backend:
            yield backend

    run(_run_app(common, opening))


def open_demo_console(common: Common, settings: DemoSettings) -> None:
    """Open the console on the demo world."""
    _require_terminal()
    configure_logging("info", console_log())

    @asynccontextmanager
    async def opening() -> AsyncGenerator[Backend]:
        # in a thread: what the demo imports would keep the first paint waiting
        open_demo = await asyncio.to_thread(_import_demo)
        async with open_demo(settings) as demo:
            yield demo.backend

    run(_run_app(common, opening))


def _import_demo() -> Callable[..., AbstractAsyncContextManager[Demo]]:
    from backend import open_demo

    return open_demo


def _require_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(
            "the console needs a terminal; `relay-console --help` lists commands that do not"
        )
    if not sys.stderr.isatty():
        raise ConfigError(
            "the console draws on standard error, which goes elsewhere; run it without 2>"
        )
    if sentence := refusal(os.environ):
        raise ConfigError(sentence)


async def _run_app(common: Common, opening: Opening) -> None:
    prepare_environment(os.environ)  # before Textual is imported: it reads this once
    from relay_console.app import RelayApp

    profile = profile_from(os.environ)
    host = Host(opening)
    app = RelayApp(
        host.service,
        actor=actor(),
        clock=SystemClock().now,
        readonly=common.readonly,
        profile=replace(profile, theme=common.theme or profile.theme),
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(host.hold())
        try:
            await app.run_async()
        finally:
            host.leave()
    if app.return_code:
        raise click.exceptions.Exit(app.return_code)


class Host:
    """Holds the backend in one task from when it is first asked for until the app has ended.

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
