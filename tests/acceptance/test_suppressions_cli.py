"""``relay-console suppressions`` from a shell."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine

from backend.config import environment_name
from backend.model.tenant import Tenant
from backend.sandbox import Sandbox, SandboxSettings
from backend.store import tenants
from relay_console.cli.exits import Exit
from relay_console.cli.main import main
from tests.acceptance.cli import PROGRAM, Answer
from tests.settable import START

if TYPE_CHECKING:
    from pathlib import Path


class Here:
    """Runs commands in this process, each on a loop of its own: starting a process takes longer."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        self.home, self.capsys = home, capsys
        for name in [name for name in os.environ if name.startswith(("RELAY_", "XDG_"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
        monkeypatch.setenv("RELAY_DATABASE", str(home / "relay.db"))

    def run(self, *arguments: str) -> Answer:
        """Run ``suppressions`` with these arguments."""
        with pytest.raises(SystemExit) as ended:
            main(["suppressions", *arguments])
        told = self.capsys.readouterr()
        return Answer(code=int(ended.value.code or 0), out=told.out, err=told.err)


@pytest.fixture
def shell(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Here:
    here = Here(tmp_path, monkeypatch, capsys)
    engine = create_engine(sqlite_url)
    with engine.begin() as tx:
        tenants.add(tx, Tenant(id="ten_1", name="Acme", created_at=START))
    engine.dispose()
    return here


def test_an_address_and_a_domain_are_added_checked_listed_and_removed(shell: Here) -> None:
    arguments = ("add", "Kim@Client.example", "*.spam.example", "--note", "asked", "--days", "7")
    added = shell.run(*arguments, "--json").json_lines
    checked = shell.run(
        "check", "kim@client.example", "a@b.spam.example", "free@x.example",
        "--tenant", "Acme", "--json",
    ).json_lines  # fmt: skip
    everywhere = shell.run("check", "kim@client.example")
    listed = shell.run("list", "--kind", "domain")
    removed = shell.run("remove", "kim@client.example", added[1]["id"])
    again = shell.run("remove", "kim@client.example")

    assert [one["address"] for one in added] == ["kim@client.example", "*.spam.example"]
    assert [one["suppressed"] for one in checked] == [True, True, False]
    assert checked[1]["entry"]["id"] == added[1]["id"]
    assert everywhere.out == "kim@client.example is free\n"
    assert [line.split()[1] for line in listed.out.splitlines()] == ["ADDRESS", "*.spam.example"]
    assert (removed.code, len(removed.out.splitlines())) == (Exit.OK, 2)
    assert (again.code, "not on the suppression list" in again.err) == (Exit.NOT_FOUND, True)
    nonsense = shell.run("add", "nonsense", "--global")
    assert (nonsense.code, "write name@example.com" in nonsense.err) == (Exit.INVALID_INPUT, True)


def test_a_file_is_tried_imported_exported_and_undone(shell: Here, tmp_path: Path) -> None:
    file, copy = tmp_path / "list.csv", tmp_path / "copy.csv"
    file.write_text("email,reason\n=a@in.example,bounce\nbroken\nb@in.example,\n", encoding="utf-8")
    dry = shell.run("import", str(file), "--global", "--dry-run")
    done = shell.run("import", str(file), "--global", "--json")
    exported = shell.run("export", "--global", "-o", str(copy))
    undone = shell.run("undo", done.json["id"], "--json")
    listed = shell.run("imports", "--json").json_lines

    assert (dry.code, dry.err.splitlines()[0][:16]) == (Exit.INVALID_INPUT, "line 3: address:")
    assert "would add  2" in dry.out
    assert (done.code, done.json["added"], done.json["fault_count"]) == (Exit.INVALID_INPUT, 2, 1)
    assert (exported.code, copy.stat().st_mode & 0o777) == (Exit.OK, 0o600)
    with copy.open(encoding="utf-8", newline="") as text:
        assert sorted(row[0] for row in csv.reader(text)) == [
            "'=a@in.example",
            "address",
            "b@in.example",
        ]
    assert undone.json["removed"] == 2
    assert [(one["source"], one["state"]) for one in listed] == [("list.csv", "undone")]
    assert shell.run("import", str(tmp_path / "none.csv")).code == Exit.USAGE


def test_the_list_of_ses_is_compared_and_pushed(
    shell: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Sandbox(SandboxSettings())
    at = sandbox.start()
    try:
        monkeypatch.setenv(environment_name("aws_endpoint_url"), at.aws_endpoint)
        shell.run("add", "here@client.example", "--reason", "bounce")
        dry = shell.run("sync", "--dry-run")
        done = shell.run("sync", "--push", "--json").json
        again = shell.run("sync", "--dry-run", "--json").json
    finally:
        sandbox.stop()

    (line,) = [line for line in dry.out.splitlines() if line.startswith("only here")]
    assert line.split()[2:] == ["1", "here@client.example"]
    assert (done["added_there"], done["drift"]["only_here"]) == (1, 1)
    assert (again["drift"]["in_both"], again["drift"]["only_here"]) == (1, 0)


def test_review_without_anything_to_decide_is_an_empty_list(shell: Here) -> None:
    assert shell.run("review", "--json").out == ""
    assert shell.run("review", "accept", "sup_1").code == Exit.NOT_FOUND


def test_standard_input_is_a_file_too(shell: Here) -> None:
    command = [*PROGRAM, "suppressions", "import", "-", "--tenant", "Acme", "--json"]
    ended = subprocess.run(
        command,
        input=b'{"emailAddress":"in@x.example","reason":"BOUNCE"}\n',
        capture_output=True,
        check=True,
    )

    assert b'"added": 1' in ended.stdout
    assert (
        shell.run("list", "--import", json.loads(ended.stdout)["id"], "--json").json["reason"]
        == "bounce"
    )
