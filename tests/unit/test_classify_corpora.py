"""The classifier against real and hand-made messages that are kept beside the project."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backend.mime.classify import classify_raw

if TYPE_CHECKING:
    from backend.model.automated import Classification

MAIL = Path(__file__).resolve().parents[2] / ".." / "shared" / "corpora" / "mail"
PRIVATE = re.compile(r"[245]\.0\.9\d\d")

pytestmark = pytest.mark.skipif(not MAIL.is_dir(), reason="the shared corpora are not here")


@cache
def _scored() -> tuple[tuple[str, dict[str, Any], Classification], ...]:
    found = []
    for about in sorted(MAIL.rglob("*.json")):
        case = json.loads(about.read_text("utf-8"))
        if case.get("kind"):
            found.append((about.stem, case, classify_raw(about.with_suffix(".eml").read_bytes())))
    return tuple(found)


def _share_right(corpus: str, kinds: set[str]) -> float:
    right = [
        found.kind in case["kind"]
        for _, case, found in _scored()
        if case["corpus"] == corpus and case["kind"][0] in kinds
    ]
    return sum(right) / len(right)


def _statuses() -> list[tuple[str, set[str], set[str]]]:
    return [
        (name, {r["status"] for r in case["recipients"]}, {r.status for r in found.recipients})
        for name, case, found in _scored()
        if case["kind"][0] == "bounce" and case.get("recipients")
    ]


def test_bounces_and_complaints_are_found() -> None:
    assert _share_right("sisimai", {"bounce"}) >= 0.99
    assert _share_right("sisimai", {"complaint"}) >= 0.95


def test_no_person_is_taken_for_a_machine() -> None:
    wrong = [
        (name, found.evidence)
        for name, case, found in _scored()
        if case["kind"][0] == "human" and found.kind not in case["kind"]
    ]

    assert wrong == []


def test_the_automated_kinds_are_told_apart() -> None:
    kinds = {"auto_reply", "auto_generated", "list", "bounce"}

    assert _share_right("synthetic", kinds) >= 0.9


def test_stated_status_codes_are_found_exactly() -> None:
    stated = [
        wanted == found
        for _, wanted, found in _statuses()
        if not any(PRIVATE.fullmatch(code) for code in wanted)
    ]

    assert sum(stated) / len(stated) >= 0.95


def test_the_set_of_status_codes_of_a_bounce_is_exact() -> None:
    right = [wanted == found for _, wanted, found in _statuses()]

    assert sum(right) / len(right) >= 0.9


def test_inferred_codes_are_marked_and_stated_ones_are_not() -> None:
    for _, _, found in _scored():
        for recipient in found.recipients:
            assert recipient.inferred == bool(PRIVATE.fullmatch(recipient.status))
