"""The classifier against real and hand-made messages that are kept beside the project.

Some expected codes are ``X.0.9nn``: a private notation for "no status was stated; the reason is
nn", registered nowhere (RFC 3463, IANA). We give the registered code of that reason; ``MEANINGS``
says which codes mean the same.
"""

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
PRIVATE = re.compile(r"[245]\.0\.(9\d\d)")
MEANINGS = {
    "901": {"7.1", "7.25"},
    "902": {"5.0", "5.2"},
    "910": {"1.1", "2.1", "7.1"},
    "911": {"1.1"},
    "912": {"1.2", "4.4"},
    "918": {"7.1"},
    "922": {"2.2"},
    "934": {"2.3", "3.4"},
    "944": {"4.1", "4.2"},
    "947": {"4.7"},
    "971": {"7.1"},
}

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


def _means(wanted: str, found: str) -> bool:
    private = PRIVATE.fullmatch(wanted)
    if private is None:
        return wanted == found
    return found.partition(".")[2] in MEANINGS.get(private[1], set())


def _statuses() -> list[tuple[str, set[str], set[str]]]:
    return [
        (name, {r["status"] for r in case["recipients"]}, {r.status for r in found.recipients})
        for name, case, found in _scored()
        if case["kind"][0] == "bounce" and case.get("recipients")
    ]


def _same(wanted: set[str], found: set[str]) -> bool:
    """Whether each wanted code has its fellow; private codes may share one registered code."""
    return all(any(_means(w, f) for f in found) for w in wanted) and all(
        any(_means(w, f) for w in wanted) for f in found
    )


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


def test_the_set_of_status_codes_is_right_by_meaning() -> None:
    right = [_same(wanted, found) for _, wanted, found in _statuses()]

    assert sum(right) / len(right) >= 0.9
