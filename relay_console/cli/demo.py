"""``relay-console demo``: the living demo world, watched on the console or counted headless."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relay_console.cli.exits import Exit
from relay_console.cli.opening import Common, on_stop, pass_common, run
from relay_console.cli.output import write_json, write_pairs

if TYPE_CHECKING:
    from backend import DemoSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Headless:
    """How a run without the console goes: how long, and how it writes."""

    seconds: float | None
    as_json: bool


@click.command()
@click.option("--seed", default=7, show_default=True, help="The same seed, the same world.")
@click.option("--headless", is_flag=True, help="No console: write the connection, then a summary.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    help="Length of a headless run; without it until Ctrl-C.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON lines; needs --headless.")
@click.option(
    "--keep",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the database and the mail in this folder.",
)
@click.option("--quiet-world", is_flag=True, help="Start everything, but no traffic.")
@pass_common
@click.pass_context
def demo(
    context: click.Context,
    common: Common,
    *,
    seed: int,
    headless: bool,
    seconds: float | None,
    as_json: bool,
    keep: Path | None,
    quiet_world: bool,
) -> None:
    """Run sandbox, desk, backend and API on this machine with a world of several tenants.

    Headless it exits 1 when mail was lost or came twice.
    """
    if not headless and (as_json or seconds is not None):
        raise click.UsageError("--json and --seconds need --headless")
    require_sandbox()
    from backend import DemoSettings

    settings = DemoSettings(seed=seed, folder=keep, quiet=quiet_world)
    if headless:
        context.exit(run(watch(settings, Headless(seconds=seconds, as_json=as_json))))
    from relay_console.cli.console import open_demo_console

    open_demo_console(common, settings)


def require_sandbox() -> None:
    """Say in one sentence what to install when the sandbox extra is missing."""
    from importlib.util import find_spec

    from backend import ConfigError

    missing = [name for name in ("moto", "aiosmtpd", "flask", "flask_cors") if not find_spec(name)]
    if missing:
        raise ConfigError(
            f"the local AWS needs {', '.join(missing)}; install relay-console with [sandbox]"
        )


async def watch(settings: DemoSettings, how: Headless) -> Exit:
    """Run the world headless for a time or until told to stop, and write how it ended."""
    from backend import configure_logging, open_demo

    configure_logging("warning")
    stop = asyncio.Event()
    on_stop(stop.set)
    async with open_demo(settings) as running:
        _write_connection(running.connection(), as_json=how.as_json)
        with contextlib.suppress(TimeoutError):  # the seconds are over, as asked
            await asyncio.wait_for(stop.wait(), how.seconds)
        summary = await running.finish()
    counts = summary.as_json()
    write_json(counts) if how.as_json else write_pairs(_readable(counts))
    return Exit.OK if summary.ok else Exit.FAILED


def _write_connection(connection: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        write_json(connection)
        return
    write_pairs((name.replace("_", " "), value) for name, value in connection.items())


def _readable(counts: dict[str, object]) -> list[tuple[str, object]]:
    """Give the counts by name, those of the targets on one line, and a line for all astray."""
    lines: list[tuple[str, object]] = []
    for name, value in counts.items():
        if isinstance(value, dict):
            lines.append((name, ", ".join(f"{n} to {target}" for target, n in value.items())))
        elif isinstance(value, list):
            lines += [(one["what"], "{way} {marker} {id}: {stood}".format(**one)) for one in value]
        else:
            lines.append((name, str(value)))
    return lines
