"""What makes two copies one mail, and what the trace headers tell."""

from __future__ import annotations

import pytest

from backend.inbound.addressees import addressees
from backend.inbound.fingerprint import fingerprint
from backend.inbound.sources.http_event import redacted
from backend.inbound.sources.own_keys import file_key, http_key, is_own
from backend.model.inbound import ScanVerdict

MAIL = (
    b"From: Jo <jo@client.example>\r\n"
    b"To: desk@acme.example\r\n"
    b"Subject: A subject that is\r\n folded\r\n"
    b"Message-ID: <one@client.example>\r\n"
    b"\r\n"
    b"First line\r\nSecond line\r\n"
)


@pytest.mark.parametrize(
    "copy",
    [
        MAIL.replace(b"\r\n", b"\n"),
        b"Received: from a by b; Mon, 2 Mar 2026 09:00:00 +0000\r\n" + MAIL,
        b"Return-Path: <jo@client.example>\r\nX-SES-RECEIPT: abc\r\n" + MAIL,
        MAIL + b"\r\n\r\n",
        MAIL.replace(b"that is\r\n folded", b"that is folded"),
        MAIL.replace(b"Subject:", b"SUBJECT:"),
        b"\r\n" + MAIL,
    ],
)
def test_what_servers_and_mailboxes_change_does_not_count(copy: bytes) -> None:
    assert fingerprint(copy) == fingerprint(MAIL)


@pytest.mark.parametrize(
    "other",
    [
        MAIL.replace(b"Second", b"second"),
        MAIL.replace(b"subject that", b"subject which"),
        MAIL.replace(b"jo@", b"jim@"),
        MAIL.replace(b"First line", b"First  line"),
        MAIL.replace(b"To: desk@", b"Cc: desk@"),
    ],
)
def test_what_the_author_wrote_counts(other: bytes) -> None:
    assert fingerprint(other).sha256 != fingerprint(MAIL).sha256


def test_the_same_mail_is_one_for_each_recipient_whatever_its_case() -> None:
    found = fingerprint(MAIL)

    assert found.message_id == "one@client.example"
    assert found.content_key("Desk@Acme.example") == found.content_key("desk@acme.example")
    assert found.content_key("desk@acme.example") != found.content_key("help@acme.example")


def test_without_a_message_id_two_mails_are_two() -> None:
    assert fingerprint(MAIL.replace(b"Message-ID", b"X-ID")).content_key("a@b.example") is None


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b"\0" * 100, b"no header at all", b"a:b"])
def test_rubbish_has_a_fingerprint_too(raw: bytes) -> None:
    assert len(fingerprint(raw).sha256) == 64


SES = (
    b"Return-Path: <bounces@client.example>\r\n"
    b"Received: from mx (mx [192.0.2.1])\r\n by inbound-smtp.us-east-1.amazonaws.com with SMTP"
    b" id o3v\r\n for ticket+7@relay.example;\r\n Mon, 02 Mar 2026 09:00:00 +0000 (UTC)\r\n"
    b"X-SES-Spam-Verdict: FAIL\r\n"
    b"X-SES-Virus-Verdict: PASS\r\n"
)


def test_the_trace_block_of_ses_tells_envelope_sender_and_failures() -> None:
    found = addressees(SES + MAIL)

    assert found.envelope == ("ticket+7@relay.example",)
    assert found.sender == "bounces@client.example"
    assert found.verdicts.spam is ScanVerdict.FAIL
    assert found.verdicts.virus is ScanVerdict.UNVERIFIED  # a pass in a header proves nothing


def test_a_trace_block_below_the_topmost_received_is_not_believed() -> None:
    found = addressees(b"Received: from x by mx.else.example; now\r\n" + SES + MAIL)

    assert (found.envelope, found.sender) == ((), "")
    assert found.verdicts.spam is ScanVerdict.UNVERIFIED


def test_a_verdict_below_the_block_of_ses_is_not_believed() -> None:
    below = b"Received: from y by z; now\r\nX-SES-Virus-Verdict: FAIL\r\n"
    found = addressees(SES.replace(b"X-SES-Virus-Verdict: PASS\r\n", b"") + below + MAIL)

    assert found.verdicts.virus is ScanVerdict.UNVERIFIED


def test_what_we_wrote_ourselves_is_told_from_what_ses_wrote() -> None:
    assert is_own(http_key("p", "e", b"raw"))
    assert is_own(file_key(b"raw"))
    assert not is_own("in/o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1")


def test_metadata_is_kept_short_and_without_secrets() -> None:
    found = redacted(
        {
            "Authorization": "Bearer x",
            "api_key": "x",
            "nested": {"X-Token": "x", "plain": 1, "list": [{"secret": 1}, "b" * 1000]},
            "n": None,
        }
    )

    assert found == {
        "Authorization": "[redacted]",
        "api_key": "[redacted]",
        "nested": {
            "X-Token": "[redacted]",
            "plain": 1,
            "list": [{"secret": "[redacted]"}, "b" * 500],
        },
        "n": None,
    }
