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
