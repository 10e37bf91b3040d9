"""``relay-console``: finds the command, runs it, and turns how it ended into an exit code."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, NoReturn

import click

from backend import RelayError
from relay_console.cli.exits import Exit, exit_for
from relay_console.cli.opening import Common, database_option, pass_common
from relay_console.safe import safe_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "cancel": "schedule:cancel",
    "compliance": "compliance:compliance",
    "config": "config:config",
    "demo": "demo:demo",
    "doctor": "doctor:doctor",
    "domains": "domains:domains",
    "explain": "explain:explain",
    "inbound": "ingest:inbound",
    "inspect": "inspect:inspect",
    "jobs": "jobs:jobs",
    "keys": "keys:keys",
    "limits": "limits:limits",
    "lists": "lists:lists",
    "logs": "logs:logs",
    "quarantine": "quarantine:quarantine",
    "reprocess": "reprocess:reprocess",
    "reschedule": "schedule:reschedule",
    "retention": "retention:retention",
    "rules": "rules:rules",
    "sandbox": "sandbox:sandbox",
    "send": "send:send",
    "serve": "serve:serve",
    "show": "show:show",
    "status": "status:status",
    "templates": "templates:templates",
    "suppressions": "suppressions:suppressions",
    "tenants": "tenants:tenants",
    "usage": "usage:usage",
    "webhooks": "webhooks:webhooks",
}
"""Each command and where it is: ``module:object`` in relay_console.cli."""


class Commands(click.Group):
    """Imports a command's module when the command is first asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give all commands by name."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command, None when there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(f"relay_console.cli.{module}"), name)
        return command if isinstance(command, click.Command) else None


def _print_version(context: click.Context, _option: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        click.echo(f"relay-console {version('relay-console')}")
        context.exit()


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@database_option
@click.option("--no-workers", is_flag=True, help="Look and act, but leave the work to a server.")
@click.option(
    "--readonly", is_flag=True, envvar="RELAY_READONLY", help="Hide every action that writes."
)
@click.option("--theme", metavar="NAME", envvar="RELAY_THEME", help="Colours of the console.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Write the version and stop.",
)
@pass_common
@click.pass_context
def cli(
    context: click.Context,
    common: Common,
    no_workers: bool,
    readonly: bool,
    theme: str | None,
    debug: bool,
) -> None:
    """Watch mail go out through Amazon SES and come in to PSA, CRM and Portal.

    Without a command the console opens on the database that the settings name.
    """
    common.readonly, common.theme, common.debug = readonly, theme, debug
    if context.invoked_subcommand is None:
        from relay_console.cli.console import open_console

        open_console(common, workers=not no_workers)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with a code of relay_console.cli.exits."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a Latin-1 terminal gets escapes
    common = Common()
    try:
        code = cli.main(arguments, prog_name="relay-console", standalone_mode=False, obj=common)
        sys.stdout.flush()
    except click.ClickException as error:
        code = error.exit_code
        shown = io.StringIO()
        error.show(file=shown)
        _complain(shown.getvalue())
    except (KeyboardInterrupt, click.Abort):
        code = Exit.INTERRUPTED
    except BrokenPipeError:
        # Python would complain once more when it flushes stdout on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = Exit.FAILED
    except (RelayError, OSError, UnicodeEncodeError) as error:
        foreign = isinstance(error, UnicodeEncodeError) and not _garbled(arguments or sys.argv)
        if common.debug or foreign:
            raise
        code = exit_for(error)
        _complain(f"relay-console: {_sentence(error)}")
    sys.exit(code)


def _garbled(arguments: Sequence[str]) -> bool:
    """Tell whether some argument held bytes that are no UTF-8; Python keeps them as surrogates."""
    return any("\ud800" <= char <= "\udfff" for text in arguments for char in text)


def _sentence(error: RelayError | OSError | UnicodeEncodeError) -> str:
    """Say what was wrong: a file that cannot be had, an argument that is no text, or our own."""
    if isinstance(error, UnicodeEncodeError):
        return "an argument is not UTF-8 text; check where it was copied from"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _complain(text: str) -> None:
    """Write an error; whatever a stranger wrote into it, no terminal obeys it."""
    for line in safe_lines(text):
        click.echo(line, err=True)
