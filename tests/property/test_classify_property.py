"""Whatever bytes come, the classifier answers, with evidence, and in time linear in the message."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.mime.classify import classify_raw

FRAGMENTS = [
    b"\n", b"\n\n", b" ", b"<", b">", b"@", b"--b\n", b"--b--\n", b"\xff", b"\x1b$B", b"\x00",
    b"Return-Path: <>\n", b"From: MAILER-DAEMON@x.example\n", b"From: a@b.example\n",
    b"Subject: failure notice\n", b"Subject: Automatic reply: x\n", b"Auto-Submitted: (a auto-\n",
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n",
    b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\n",
    b"Content-Type: message/delivery-status\n", b"Content-Type: message/feedback-report\n",
    b"Content-Type: message/rfc822\n", b"Content-Transfer-Encoding: base64\n",
    b"Final-Recipient: rfc822; a@b.example\n", b"Action: failed\n", b"Status: 5.1.1\n",
    b"Status: 5..1\n", b"Diagnostic-Code: smtp; 550 5.1.1 no\n", b"<a@b.example>: 550 no\n",
    b"<<< 550 x\n", b'{"notificationType":"Bounce","bounce":{"bouncedRecipients":[1]}}',
    b'{"eventType":"complaint","complaint":{}}', b"Feedback-Type: abuse\n", b"List-Id: x\n",
]  # fmt: skip

HEAD = b"Return-Path: <>\nFrom: MAILER-DAEMON@x.example\nSubject: failure notice\n\n"
BOMBS = {
    "addresses": HEAD + b"<u@x.example>: no word\n\n" * 20_000,
    "many addresses": HEAD + b"".join(b"u%d@x.example\n" % i for i in range(10_000)),
    "dashes": HEAD + b"-" * 100_000,
    "white space": HEAD + b" \n" * 60_000,
    "codes": HEAD + b"550 5.1.1 " * 10_000,
    "words": HEAD + b"a@b.example\n" + b"mailbox exceeded " * 10_000,
    "braces": b"Subject: x\n\n" + b'{"a":' * 50_000,
    "brackets": b"Subject: x\n\n{" + b"[" * 50_000,
    "comments": b"Auto-Submitted: " + b"(" * 60_000 + b"\n\n",
    "subject": b"Subject: " + b"critical disk " * 5_000 + b"\n\n",
    "transcript": HEAD + b"<<< 550 no\n" * 20_000,
    "fields": HEAD + b"action: x\n" * 20_000,
}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=12)), max_size=40))
def test_any_message_is_classified_with_evidence(pieces: list[bytes]) -> None:
    found = classify_raw(b"".join(pieces))

    assert found.evidence
    for recipient in found.recipients:
        assert re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", recipient.status)
        assert not (recipient.hard and recipient.status[0] != "5")


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_a_bomb_costs_no_time(name: str) -> None:
    before = time.process_time()
    found = classify_raw(BOMBS[name])

    assert time.process_time() - before < 2.0
    assert found.evidence
