"""Reading SES events: every kind and shape, from files under tests/golden/feedback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.errors import InvalidInputError
from backend.feedback.events import read_event

CASES = Path(__file__).parent.parent / "golden" / "feedback"
GOOD = sorted(CASES.glob("*.json"))
BAD = sorted((CASES / "malformed").glob("*.body"))


@pytest.mark.parametrize("case", GOOD, ids=lambda path: path.stem)
def test_an_event_is_read_as_its_file_says(case: Path) -> None:
    event = read_event(case.read_text(), notice_id="sqs-1")

    expected = json.loads(case.with_suffix(".expected").read_text())
    if expected is None:
        assert event is None
        return
    assert event is not None
    assert {
        "source_id": event.source_id,
        "kind": event.kind.value,
        "ses_message_id": event.ses_message_id,
        "attempt_id": event.attempt_id,
        "occurred_at": event.occurred_at.isoformat(),
        "recipients": [[n.address, n.detail, n.status] for n in event.recipients],
        "subtype": event.subtype,
        "feedback_id": event.feedback_id,
        "detail": event.detail,
        "automated": event.automated,
    } == {"automated": False} | expected


@pytest.mark.parametrize("case", BAD, ids=lambda path: path.stem)
def test_what_is_no_event_is_refused_with_one_sentence(case: Path) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_event(case.read_text(), notice_id="sqs-1")

    assert case.with_suffix(".error").read_text().strip() in str(refused.value)
    assert "\n" not in str(refused.value)


def told(about: dict[str, object], **mail: object) -> str:
    """Give a bounce as raw delivery carries it."""
    whole = {"messageId": "ses-1", "timestamp": "2026-11-20T12:00:00Z", **mail}
    return json.dumps({"eventType": "Bounce", "mail": whole, "bounce": about})


def test_nulls_strange_fields_and_broken_text_lose_no_event() -> None:
    who = {"emailAddress": "Ann@M\u00fcnchen.example", "diagnosticCode": "550 \0\ud800", "new": {}}
    body = told(
        {"bounceType": "Permanent", "bounceSubType": None, "bouncedRecipients": [who], "x": [[]]},
        headers=[{"name": "X", "value": None}, {"name": None}],
        tags={"a": None, "relay-attempt": ["att_1"], "b": 7},
        destination=None,
    )
    event = read_event(body, notice_id="sqs-1")

    assert event is not None
    (news,) = event.recipients
    assert (event.subtype, event.attempt_id) == ("Permanent", "att_1")
    assert (news.address, news.detail) == ("ann@xn--mnchen-3ya.example", "550 \ufffd\ufffd")


def test_an_event_that_names_nobody_says_so() -> None:
    event = read_event(told({"bounceType": "Permanent", "bouncedRecipients": None}), notice_id="x")

    assert event is not None
    assert event.recipients == ()


@pytest.mark.parametrize(
    "body",
    [
        told({"timestamp": "0001-01-01T00:00:00+05:00"}),
        told({}, messageId="x" * 300),
        '{"eventType": "Bounce"' + "[" * 100_000,
        '{"eventType": ' + "9" * 5_000 + "}",
        '{"eventType": "Surprise", "mail": {"messageId": "ses-1"}}',
    ],
    ids=["out of range", "long id", "deep", "huge number", "unknown kind"],
)
def test_what_cannot_be_an_event_is_one_sentence_and_no_crash(body: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_event(body, notice_id="sqs-1")

    assert len(str(refused.value)) < 400
