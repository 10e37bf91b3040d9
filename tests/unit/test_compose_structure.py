"""The structure of composed mail: golden files, nesting, and who is named where."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from backend.mime.compose import compose
from backend.model.outbound import Attachment, EmailDraft
from backend.outbound.validate import validate

CASES = sorted((Path(__file__).parent.parent / "golden" / "compose").glob("*.json"))
DATE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def draft(case: dict[str, Any]) -> EmailDraft:
    files = case.pop("attachments", [])
    lists = {key: tuple(value) for key, value in case.items() if isinstance(value, list)}
    attachments = tuple(Attachment(**{**f, "content": f["content"].encode()}) for f in files)
    return EmailDraft(**{**case, **lists, "attachments": attachments})


def shape(message: Any) -> Any:
    """Give the nesting of content types as lists."""
    kind = message.get_content_type()
    if not message.is_multipart():
        return kind
    return [kind, *map(shape, message.get_payload())]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_draft_becomes_the_bytes_of_its_file(case: Path) -> None:
    letter = validate(draft(json.loads(case.read_text()))).letter

    expected = case.with_suffix(".eml").read_bytes()
    assert compose(letter, attempt_id="att_1", date=DATE) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"text": "t"}, "text/plain"),
        ({"html": "h"}, "text/html"),
        ({"text": "t", "html": "h"}, ["multipart/alternative", "text/plain", "text/html"]),
        (
            {"html": "h", "attachments": ["logo"]},
            ["multipart/related", "text/html", "image/png"],
        ),
        (
            {"text": "t", "html": "h", "attachments": ["logo", None]},
            [
                "multipart/mixed",
                [
                    "multipart/related",
                    ["multipart/alternative", "text/plain", "text/html"],
                    "image/png",
                ],
                "image/png",
            ],
        ),
        ({"text": "t", "attachments": ["logo"]}, ["multipart/mixed", "text/plain", "image/png"]),
    ],
)
def test_layers_are_there_only_when_needed(change: dict[str, Any], expected: Any) -> None:
    files = tuple(
        Attachment(filename="a.png", content=b"x", content_type="image/png", content_id=cid)
        for cid in change.pop("attachments", [])
    )
    letter = validate(
        EmailDraft(
            sender="a@x.example", to=("b@x.example",), subject="s", attachments=files, **change
        )
    ).letter

    raw = compose(letter, attempt_id="att_1", date=DATE)
    assert shape(message_from_bytes(raw)) == expected


def test_a_mail_with_blind_copies_only_names_nobody() -> None:
    only_blind = EmailDraft(
        sender="a@x.example", to=(), bcc=("b@x.example",), subject="s", text="t"
    )
    raw = compose(validate(only_blind).letter, attempt_id="att_1", date=DATE)

    assert b"To: undisclosed-recipients:;\r\n" in raw
    assert b"b@x.example" not in raw
