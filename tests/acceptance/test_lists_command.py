"""``relay-console lists`` from a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relay_console.cli.exits import Exit
from tests.acceptance.cli import Shell

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    home: Path = tmp_path_factory.mktemp("lists")
    return Shell(home=home, extra={"RELAY_DATABASE": str(home / "relay.db")})


def test_a_blocked_sender_is_listed_until_it_is_removed(shell: Shell) -> None:
    added = shell.run("lists", "block", "add", "*.Spam.example", "--note", "floods", "--json").json

    listed = shell.run("lists", "block", "list", "--json").json_lines
    removed = shell.run("lists", "block", "remove", "*.spam.example", "--json").json
    again = shell.run("lists", "block", "remove", "*.spam.example")

    assert listed == [added]
    assert (added["kind"], added["pattern"], added["note"]) == ("block", "*.spam.example", "floods")
    assert removed == added
    assert (again.code, again.out) == (Exit.NOT_FOUND, "")
    assert shell.run("lists", "block", "list", "--json").out == ""


def test_a_tenant_trusts_a_sender_for_some_days(shell: Shell) -> None:
    tenant = shell.run("tenants", "add", "Northwind", "--json").json
    arguments = ("jo@client.example", "--tenant", "Northwind", "--days", "7", "--json")
    added = shell.run("lists", "allow", "add", *arguments).json

    assert added["tenant_id"] == tenant["id"]
    assert added["expires_at"] > added["created_at"]
    assert shell.run("lists", "block", "list", "--json").out == ""


def test_what_is_no_sender_is_refused(shell: Shell) -> None:
    answer = shell.run("lists", "block", "add", "nonsense")

    assert answer.code == Exit.INVALID_INPUT
    assert "*.example.com" in answer.err
