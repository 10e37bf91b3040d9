"""What every command does first: read the settings, open the backend, run to the end."""

from __future__ import annotations

import asyncio
import getpass
import os
import signal
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from backend import Backend, Config

T = TypeVar("T")
Command = TypeVar("Command", bound="Callable[..., Any]")


@dataclass(slots=True)
class Common:
    """What was said before the command's name; click hands it to every command."""

    database: str | None = None
    readonly: bool = False
    theme: str | None = None
    debug: bool = False


pass_common = click.make_pass_decorator(Common, ensure=True)
"""Give the command the Common as its first argument."""


def _keep_database(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(Common).database = value


def database_option(command: Command) -> Command:
    """Add ``--database``; it overrides RELAY_DATABASE."""
    return click.option(
        "--database",
        metavar="PATH|URL",
        expose_value=False,
        callback=_keep_database,
        help="SQLite file or postgresql:// URL instead of RELAY_DATABASE.",
    )(command)


json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")


def read_config(common: Common, **overrides: object) -> Config:
    """Read the settings of this run; raises ConfigError."""
    from backend import load_config

    return load_config(os.environ, database=common.database, **overrides)


@asynccontextmanager
async def opened(common: Common) -> AsyncIterator[Backend]:
    """Open the backend without workers: a command asks and goes, a server does the work."""
    from backend import configure_logging, open_backend

    configure_logging("error")
    async with open_backend(read_config(common), workers=False) as backend:
        yield backend


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; Ctrl-C cancels it cleanly and raises KeyboardInterrupt."""
    return asyncio.run(coroutine)


def on_stop(call: Callable[[], object]) -> None:
    """Call this, once, on the first SIGINT or SIGTERM; a second one ends the program hard."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        call()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


def actor() -> str:
    """Name the person at the keyboard for the audit log: the user and where the SSH comes from."""
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container without a passwd entry
        user = f"uid {os.getuid()}"
    came_from = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    return f"{user}@{came_from}" if came_from else user
