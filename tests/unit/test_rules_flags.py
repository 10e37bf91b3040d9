"""The flags of ``rules add`` write a rule; verdicts of ``explain`` are read."""

from __future__ import annotations

from typing import Any

import pytest

from backend import InvalidInputError, ScanVerdict
from relay_console.cli.explain import read_verdicts
from relay_console.cli.rules_flags import written_by_flags

NONE: dict[str, Any] = {
    "name": None,
    "position": None,
    "sender": (),
    "recipient": (),
    "subject": (),
    "header": (),
    "kind": (),
    "verdict": (),
    "route": None,
    "quarantine": None,
    "drop": None,
    "queue": None,
    "priority": None,
    "tag": (),
    "override": False,
    "stop": None,
}


def test_flags_win_over_the_file() -> None:
    file = {"name": "a", "when": {"sender": "x@y.z"}, "then": {"action": "tag", "queue": "noc"}}

    written = written_by_flags(file, NONE | {"name": "b", "drop": "why", "header": ("X=a=b",)})

    assert written == {
        "name": "b",
        "when": {"sender": "x@y.z", "header": {"X": ["a=b"]}},
        "then": {"action": "drop", "queue": "noc", "reason": "why"},
    }


@pytest.mark.parametrize(
    ("route", "then"),
    [
        ("psa", {"target": "psa"}),
        ("psa:add_note:7:8", {"target": "psa", "do": "add_note", "ref": "7:8"}),
    ],
)
def test_a_route_has_target_action_and_ref(route: str, then: dict[str, str]) -> None:
    assert written_by_flags({}, NONE | {"route": route})["then"] == {"action": "route"} | then


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"drop": "y", "route": "psa"}, "--route and --drop exclude each other"),
        ({"header": ("X",)}, "--header: 'X' is not NAME=VALUE"),
        ({"verdict": ("=fail",)}, "--verdict: '=fail' is not NAME=VALUE"),
    ],
)
def test_flags_that_are_wrong_are_told(flags: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        written_by_flags({}, NONE | flags)


def test_verdicts_are_read_and_wrong_ones_told() -> None:
    assert read_verdicts(("spam=fail",)).spam is ScanVerdict.FAIL
    with pytest.raises(InvalidInputError, match="checks are spam, virus"):
        read_verdicts(("colour=fail",))
