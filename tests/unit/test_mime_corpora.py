"""The parser against real and hand-made messages that are kept beside the project."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from backend.mime.parse import parse
from backend.model.inbound import ParsedMail

MAIL = Path(__file__).resolve().parents[2] / ".." / "shared" / "corpora" / "mail"
CORPORA = ("stalwart", "zbateson", "phpmime")
FLOOR = 0.97

pytestmark = pytest.mark.skipif(not MAIL.is_dir(), reason="the shared corpora are not here")


def _line(text: str | None) -> str:
    plain = unicodedata.normalize("NFC", text or "").replace("\xa0", " ")
    return re.sub(r"\s+", " ", plain).strip()


def _dense(text: str | None) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFC", text or "").replace("\xa0", " "))


def _checks(raw: bytes, expect: dict[str, Any]) -> dict[str, bool]:
    mail = parse(raw)
    simple = {
        "from_email": mail.from_address.lower() == str(expect.get("from_email", "")).lower(),
        "from_name": _line(mail.from_name) == _line(expect.get("from_name")).strip("\"'"),
        "subject": _line(mail.subject) == _line(expect.get("subject")),
        "message_id": _line(mail.message_id) == _line(expect.get("message_id")).strip("<>"),
        "text": _dense("" if mail.text_is_derived else mail.text) == _dense(expect.get("text")),
        "attachment_count": len(mail.attachments) == expect.get("attachment_count"),
    }
    result = {key: right for key, right in simple.items() if key in expect}
    return result | (_files(mail, expect["attachments"]) if "attachments" in expect else {})


def _files(mail: ParsedMail, wanted: list[dict[str, Any]]) -> dict[str, bool]:
    names = [_line(a.name) for a in mail.attachments]
    sizes = [a.size for a in mail.attachments]
    sums = [a.sha1 for a in mail.attachments]
    return {
        "att_count": len(wanted) == len(mail.attachments),
        "att_names": all(_line(w["name"]) in names for w in wanted if w["name"] is not None),
        "att_bytes": all(w["size"] in sizes for w in wanted if w["size"] is not None)
        and all(w["sha1"] in sums for w in wanted if w["sha1"] is not None),
    }


def test_at_least_97_of_100_checks_on_the_corpora_are_right() -> None:
    right, wrong = 0, []
    for corpus in CORPORA:
        for answer in sorted((MAIL / corpus).rglob("*.json")):
            case = json.loads(answer.read_text(encoding="utf-8"))
            checks = _checks(answer.with_suffix(".eml").read_bytes(), case.get("expect", {}))
            for name, passed in checks.items():
                if name in case.get("excused", ()):
                    continue
                right += passed
                wrong += [] if passed else [f"{corpus}/{case['id']}:{name}"]
    assert right / (right + len(wrong)) >= FLOOR, wrong


def test_no_message_of_any_corpus_makes_the_parser_raise() -> None:
    parsed = [parse(path.read_bytes()) for path in sorted(MAIL.rglob("*.eml"))]
    assert len(parsed) > 200
    assert all(isinstance(mail, ParsedMail) for mail in parsed)
