"""The command line before it does anything: help, version, and what they must not load."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from relay_console.cli.main import COMMANDS
from tests.acceptance.cli import Shell

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ["textual", "sqlalchemy", "boto3", "fastapi", "pydantic", "httpx", "asyncio"]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(home=tmp_path)


def loaded_by(*arguments: str) -> str:
    """Run a command in a fresh interpreter and give the heavy modules it left behind."""
    code = f"""
import sys
from relay_console.cli.main import main
try:
    main({list(arguments)!r})
except SystemExit as ending:
    print("code", ending.code, [name for name in {HEAVY} if name in sys.modules])
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    return ended.stdout.splitlines()[-1]


def test_version_is_that_of_the_package(shell: Shell) -> None:
    answer = shell.run_process("--version")

    assert (answer.code, answer.out) == (0, f"relay-console {version('relay-console')}\n")


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("send", "--help")])
def test_help_and_version_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
    without_asyncio = loaded_by(*arguments).replace("'asyncio'", "")

    assert without_asyncio == "code 0 []"


def test_a_command_without_the_console_does_not_load_textual() -> None:
    assert "textual" not in loaded_by("config", "--json")


def test_help_names_every_command(shell: Shell) -> None:
    out = shell.run_process("--help").out

    assert [name for name in COMMANDS if f"\n  {name} " not in out] == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(shell: Shell, name: str) -> None:
    answer = shell.run(name, "--help")

    assert answer.code == 0
    assert answer.out.startswith(f"Usage: relay-console {name}")
