"""Messages out of .eml files, mboxes, Maildirs and folders of these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relay_console.cli.mail_files import find_files, read_mails

if TYPE_CHECKING:
    from pathlib import Path

FIRST = b"Subject: one\n\nFrom here on nothing is quoted\n>From the start\n>>From before\n\n"
SECOND = b"Subject: two\n\nno blank line before\nFrom nowhere 2026\n"
MBOX = (
    b"From jo@client.example Mon Mar  2 09:00:00 2026\n"
    + FIRST
    + b"From MAILER-DAEMON Mon Mar  2 09:00:01 2026\n"
    + SECOND
)


def test_an_mbox_is_cut_at_from_lines_after_an_empty_line_and_unquoted(tmp_path: Path) -> None:
    (tmp_path / "box").write_bytes(MBOX)
    found = list(read_mails(str(tmp_path / "box")))

    assert [mail.raw for mail in found] == [
        b"Subject: one\n\nFrom here on nothing is quoted\nFrom the start\n>From before\n\n",
        SECOND,
    ]
    assert [mail.place for mail in found] == [f"{tmp_path}/box:1", f"{tmp_path}/box:2"]
    assert sum(mail.size for mail in found) == len(MBOX)


@pytest.mark.parametrize("raw", [b"", b"Subject: x\n\nFrom me\n", b"From: jo@client.example\n\nx"])
def test_anything_else_is_one_message(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "a.eml").write_bytes(raw)

    assert [mail.raw for mail in read_mails(str(tmp_path / "a.eml"))] == [raw]


def test_of_a_maildir_only_delivered_messages_are_read(tmp_path: Path) -> None:
    for folder in ("new", "cur", "tmp", ".Sent/cur", ".Sent/new"):
        (tmp_path / "Maildir" / folder).mkdir(parents=True)
        name = folder.replace("/", "-").strip(".")
        (tmp_path / "Maildir" / folder / f"17000.M1.host-{name}:2,S").write_bytes(b"a: b\n\n")
    (tmp_path / "Maildir" / "dovecot-uidlist").write_bytes(b"3 V1 N2")
    (tmp_path / "loose.eml").write_bytes(b"a: b\n\n")
    (tmp_path / ".hidden").write_bytes(b"x")
    found = [name.removeprefix(f"{tmp_path}/") for name, _ in find_files([str(tmp_path)])]

    assert found == [
        "Maildir/.Sent/cur/17000.M1.host-Sent-cur:2,S",
        "Maildir/.Sent/new/17000.M1.host-Sent-new:2,S",
        "Maildir/cur/17000.M1.host-cur:2,S",
        "Maildir/new/17000.M1.host-new:2,S",
        "loose.eml",
    ]


def test_a_name_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        find_files([str(tmp_path / "nothing")])
