"""``relay-console inbound ingest`` as a person or a script runs it."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING

import pytest

from relay_console.cli.exits import Exit
from tests.acceptance.cli import PROGRAM, Shell

if TYPE_CHECKING:
    from pathlib import Path

MAIL = (
    "From: Jo <jo@client.example>\nTo: ticket+{n}@relay.theonestack.com\n"
    "Subject: Mail {n}\nMessage-ID: <{n}@client.example>\n\nText {n}\n"
)
FROM = "From jo@client.example Mon Mar  2 09:00:00 2026\n"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(home=tmp_path)


def test_a_file_an_mbox_a_maildir_and_stdin_are_taken_in_once(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    (folder / "Maildir" / "new").mkdir(parents=True)
    (folder / "Maildir" / "cur").mkdir()
    (folder / "Maildir" / "new" / "1.host").write_text(MAIL.format(n=1))
    (folder / "box.mbox").write_text("\n".join(FROM + MAIL.format(n=n) for n in (1, 2, 3)))
    (folder / "four.eml").write_text(MAIL.format(n=4))
    first = shell.run("inbound", "ingest", str(folder), "--json").json
    again = shell.run("inbound", "ingest", str(folder))
    piped = shell.run("inbound", "ingest", "-", "--json", stdin=MAIL.format(n=5)).json
    listed = shell.run("logs", "--json").json_lines

    assert (first["read"], first["new"], first["known"], first["failed"]) == (5, 4, 1, 0)
    assert len(first["inbound_ids"]) == 4
    assert again.out == "5 read, 0 taken in, 5 known already, 0 failed\n"
    assert (piped["read"], piped["new"]) == (1, 1)
    assert {entry["recipient"] for entry in listed} == {
        f"ticket+{n}@relay.theonestack.com" for n in range(1, 6)
    }


def test_the_recipient_may_be_given(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_text(MAIL.format(n=1))
    to = ["--to", "crm+7@relay.theonestack.com", "--to", "support@acme.example"]
    answer = shell.run("inbound", "ingest", str(tmp_path / "a.eml"), *to, "--json")
    shown = shell.run("explain", answer.json["inbound_ids"][0], "--json").json

    assert answer.json["new"] == 2
    assert "crm+7@relay.theonestack.com" in str(shown)


def test_what_cannot_be_taken_in_is_named_and_the_rest_goes_on(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "empty.eml").write_text("")
    (tmp_path / "good.eml").write_text(MAIL.format(n=1))
    paths = [str(tmp_path / "empty.eml"), str(tmp_path / "good.eml")]
    answer = shell.run("inbound", "ingest", *paths)

    assert answer.code == Exit.FAILED
    assert "empty.eml: the file holds no mail" in answer.out
    assert answer.out.endswith("2 read, 1 taken in, 0 known already, 1 failed\n")


@pytest.mark.parametrize("arguments", [["nothing.eml"], ["-", "--to", "nobody"], []])
def test_a_wrong_command_line_is_told_before_anything_is_read(
    shell: Shell, arguments: list[str]
) -> None:
    assert shell.run("inbound", "ingest", *arguments).code == Exit.USAGE


def test_on_a_terminal_a_bar_shows_how_far_it_is(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_text(MAIL.format(n=1))
    ours, theirs = pty.openpty()
    ended = subprocess.run(
        [*PROGRAM, "inbound", "ingest", str(tmp_path / "a.eml")],
        env=shell.environ | {"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        timeout=60,
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)

    assert b"100%" in shown
    assert ended.stdout == b"1 read, 1 taken in, 0 known already, 0 failed\n"
