"""The parts of docs/ that are made from the program.

``python -m tests.architecture.documents`` writes them anew; a test holds them equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from backend.config import Config
from relay_console.cli.config import settings
from relay_console.cli.exits import Exit
from relay_console.cli.main import cli
from tests.architecture.tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 96
MADE = {
    "docs/configuration.md": ("settings",),
    "docs/cli.md": ("exit codes", "commands"),
}
"""The documents and the names of their made parts."""


def made(part: str) -> str:
    """Make one part anew."""
    match part:
        case "settings":
            return settings_table()
        case "exit codes":
            return exit_table()
        case _:
            return command_reference()


def settings_table() -> str:
    """Give every setting as a Markdown table."""
    rows = [
        f"| `{setting.environment}` | {f'`{setting.default}`' if setting.default else ''} |"
        f" {setting.description.replace('|', chr(92) + '|')} |"
        for setting in settings(Config())
    ]
    return "\n".join(["| name | default | what it is |", "|---|---|---|", *rows])


def exit_table() -> str:
    """Give every exit code as a Markdown table."""
    rows = [f"| {int(code)} | {code.sentence} |" for code in Exit]
    return "\n".join(["| code | when |", "|---|---|", *rows])


def command_reference() -> str:
    """Give the help of every command, as the program prints it."""
    top = click.Context(
        cli,
        info_name="relay-console",
        terminal_width=WIDTH,
        # click keeps the help option of a command that has run, so leave it no choice
        help_option_names=cli.context_settings["help_option_names"],
    )
    return "\n\n".join(
        f"### {context.command_path}\n\n```text\n{context.get_help()}\n```"
        for context in contexts(top)
    )


def contexts(parent: click.Context) -> Iterator[click.Context]:
    """Give the context of a command and of all below it."""
    yield parent
    if isinstance(parent.command, click.Group):
        for name in parent.command.list_commands(parent):
            command = parent.command.get_command(parent, name)
            if command is not None:
                own: dict[str, Any] = dict(command.context_settings)
                yield from contexts(click.Context(command, parent=parent, info_name=name, **own))


def parts_of(document: str) -> dict[str, str]:
    """Read the made parts of a document as they stand in the file."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return {part: _between(text, part) for part in MADE[document]}


def _between(text: str, part: str) -> str:
    return text.partition(_begin(part))[2].partition(_end(part))[0].strip("\n")


def _begin(part: str) -> str:
    return f"<!-- {part}: begin -->"


def _end(part: str) -> str:
    return f"<!-- {part}: end -->"


def write() -> None:
    """Write every made part into its document."""
    for document, parts in MADE.items():
        path = ROOT / document
        text = path.read_text(encoding="utf-8")
        for part in parts:
            head, begin, rest = text.partition(_begin(part))
            _old, end, tail = rest.partition(_end(part))
            text = f"{head}{begin}\n\n{made(part)}\n\n{end}{tail}"
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
