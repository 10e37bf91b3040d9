"""Ticket fields out of structured mail; the cases are files in tests/golden/rules."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from time import thread_time
from typing import Any

import pytest

from backend.inbound.extract import MAX_VALUE, extract
from backend.inbound.rules_input import read_rule
from backend.model.rules import Extraction

CASES = sorted((Path(__file__).parents[1] / "golden" / "rules").glob("*.toml"))


def extraction(written: dict[str, Any]) -> Extraction:
    rule = {"name": "x", "when": {"recipient": "*"}, "then": {"action": "tag"}, "extract": written}
    at = datetime(2026, 3, 2, tzinfo=UTC)
    return read_rule(rule, rule_id="rul_1", tenant_id="", actor="test", at=at).extraction


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_fields_are_read_as_the_case_expects(path: Path) -> None:
    case = tomllib.loads(path.read_text(encoding="utf-8"))

    assert extract(extraction(case["extract"]), case["subject"], case["body"]) == case["expected"]


def test_a_field_is_cut_to_its_longest() -> None:
    found = extract(Extraction(lines={"host": "Host"}), "", "Host: " + "x" * 10_000)

    assert found == {"host": "x" * MAX_VALUE}


@pytest.mark.parametrize(
    "body",
    ["[" * 200_000, "{" * 200_000, " " * 200_000 + ":", "a:" * 100_000, "\ud800: \ud800", ""],
    ids=["lists", "objects", "spaces", "keys", "surrogates", "empty"],
)
def test_a_hostile_body_costs_little_and_gives_nothing(body: str) -> None:
    wanted = Extraction(
        subject=(r"(?P<a>(x+x+)+y)",),
        body=(r"(?P<b>(x+x+)+y)",),
        json={"c": "a.b"},
        lines={"d": "key"},
    )

    begun = thread_time()
    found = extract(wanted, "x" * 998, body)

    assert found == {}
    assert thread_time() - begun < 2
