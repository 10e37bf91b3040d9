"""``relay-console inspect``: one JSON line a message, in order, whatever the files are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relay_console.cli.exits import Exit
from tests.acceptance.cli import Shell

if TYPE_CHECKING:
    from pathlib import Path

REPLY = (
    b"From: Jo <jo@client.example>\r\nSubject: Re: Printer\r\nMessage-ID: <r1@client.example>\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n'
    b"Yes, it does.\r\n\r\nOn Mon, 2 Mar 2026 at 09:00, Support <s@desk.example> wrote:\r\n"
    b"> Does it print?\r\n\r\n--b\r\nContent-Type: text/csv; name=a.csv\r\n"
    b"Content-Disposition: attachment\r\n\r\nabc\r\n--b--\r\n"
)
BOUNCE = (
    b"From: MAILER-DAEMON@mx.example\r\nReturn-Path: <>\r\nSubject: Undelivered Mail\r\n"
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    b"--b\r\n\r\nIt failed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
    b"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; gone@client.example\r\n"
    b"Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n--b--\r\n"
)
TEXT = b"I will come.\n\nOn Mon, 2 Mar 2026 at 09:00, Al <al@desk.example> wrote:\n> Will you?\n"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(home=tmp_path)


def put(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def test_a_reply_a_bounce_and_a_bare_text_are_told_in_the_form_of_the_contract(
    shell: Shell, tmp_path: Path
) -> None:
    paths = [
        put(tmp_path, "reply.eml", REPLY),
        put(tmp_path, "bounce", BOUNCE),
        put(tmp_path, "text.txt", TEXT),
    ]

    answer = shell.run("inspect", *paths, "--json")

    assert answer.code == Exit.OK
    reply, bounce, text = answer.json_lines
    assert [reply["path"], bounce["path"], text["path"]] == paths
    assert reply.pop("ms") < 2_000
    assert reply["reply_text"].strip() == "Yes, it does."
    assert reply.pop("reply_text") + reply.pop("elided_text") == reply.pop("text")
    assert reply == {
        "path": paths[0],
        "from_email": "jo@client.example",
        "from_name": "Jo",
        "subject": "Re: Printer",
        "message_id": "r1@client.example",
        "attachments": [
            {"name": "a.csv", "size": 3, "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d"}
        ],
        "kind": "human",
        "recipients": [],
        "defects": [],
    }
    assert bounce["kind"] == "bounce"
    assert [(r["address"], r["status"], r["hard"]) for r in bounce["recipients"]] == [
        ("gone@client.example", "5.1.1", True)
    ]
    assert "no such user" in bounce["recipients"][0]["diagnostic"]
    assert (text["reply_text"].strip(), text["from_email"]) == ("I will come.", "")


def test_an_unreadable_path_is_a_line_with_an_error_and_the_rest_is_read(
    shell: Shell, tmp_path: Path
) -> None:
    there = put(tmp_path, "a.eml", REPLY)

    answer = shell.run("inspect", str(tmp_path / "none.eml"), str(tmp_path), there)

    assert answer.code == Exit.FAILED
    missing, folder, read = answer.json_lines
    assert "No such file" in missing["error"]
    assert "directory" in folder["error"]
    assert read["subject"] == "Re: Printer"


def test_several_processes_give_the_same_lines_in_the_same_order(
    shell: Shell, tmp_path: Path
) -> None:
    paths = [
        put(tmp_path, f"{n}.eml", REPLY.replace(b"Re: Printer", b"Number %d" % n))
        for n in range(250)
    ]
    listed = put(tmp_path, "paths", "\n".join(paths).encode())

    answer = shell.run_process("inspect", "--paths-from", listed, "--jobs", "2")

    assert answer.code == Exit.OK
    assert [line["path"] for line in answer.json_lines] == paths
    assert [line["subject"] for line in answer.json_lines] == [f"Number {n}" for n in range(250)]


def test_without_a_path_the_use_is_explained(shell: Shell) -> None:
    answer = shell.run("inspect")

    assert answer.code == Exit.USAGE
    assert "--paths-from" in answer.err
