"""What the parser makes of one message each; the messages and the answers are files."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from backend.mime.parse import UNREADABLE, parse

CASES = sorted((Path(__file__).parents[1] / "golden/inbound/mails").glob("*.json"))
FROM = b"From: Jo <jo@client.example>\r\nSubject: Kept\r\n"


def _shown(value: Any, name: str) -> Any:
    if name == "attachments":
        return [[f.name, f.content_type, f.size, f.inline] for f in value]
    if name == "date":
        return value and value.isoformat()
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_golden_mail_is_read_as_written_down(path: Path) -> None:
    expect = json.loads(path.read_text(encoding="utf-8"))
    mail = parse(path.with_suffix(".eml").read_bytes())

    assert {name: _shown(getattr(mail, name), name) for name in expect} == expect


def test_there_are_golden_mails() -> None:
    assert len(CASES) >= 30


def _nested(levels: int) -> bytes:
    begin = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
    return FROM + b"".join(begin % (level, level) for level in range(levels))


@pytest.mark.parametrize(
    ("raw", "limit"),
    [
        (FROM + b"\r\n" + b"x" * (40 * 1024 * 1024), "larger than 40 MB"),
        (FROM + b"X: " + b"x" * 300_000 + b"\r\n\r\n", "headers are larger than 256 KB"),
        (FROM + b"X: y\r\n" * 1_001 + b"\r\n", "more than 1000 headers"),
        (_nested(51), "nested more than 50 levels"),
        (_nested(1_000), "nested more than 50 levels"),
        (FROM + b"Content-Type: message/rfc822\r\n\r\n" * 60, "nested more than 50 levels"),
        (_nested(1) + b"\r\n--b0\r\n" * 600, "more than 500 parts"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_over_a_limit_only_the_first_headers_are_read_and_at_once(raw: bytes, limit: str) -> None:
    begun = time.thread_time()
    mail = parse(raw)

    assert time.thread_time() - begun < 2
    assert mail.defects[0].startswith(UNREADABLE)
    assert limit in mail.defects[0]
    assert (mail.subject, mail.text) == ("Kept", "")


@pytest.mark.parametrize(
    "raw",
    [
        FROM + b"Content-Type: text/plain" + b";" * 200_000 + b"\r\n\r\nx",
        FROM + b"To: " + b"(" * 60_000 + b"\r\n\r\nx",
        FROM + b"To: " + b", ".join(b"a%d@b.c" % n for n in range(20_000)) + b"\r\n\r\nx",
        FROM + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 300_000,
        _nested(49) + b"\r\nx",
        _nested(45) + b"--zz\r\n" * 300_000,
    ],
    ids=["semicolons", "comments", "addresses", "elements", "levels", "lines"],
)
def test_hostile_messages_cost_no_time(raw: bytes) -> None:
    begun = time.thread_time()
    mail = parse(raw)

    assert time.thread_time() - begun < 2
    assert mail.from_address == "jo@client.example"
    assert not mail.defects or not mail.defects[0].startswith(UNREADABLE)


def test_at_most_500_addresses_are_kept() -> None:
    people = b", ".join(b"a%d@b.example" % number for number in range(600))
    mail = parse(FROM + b"To: " + people + b"\r\nCc: c@b.example\r\n\r\nx")

    assert (len(mail.to), mail.cc) == (500, ())
    assert "more than 500 addresses; the rest was left out" in mail.defects
