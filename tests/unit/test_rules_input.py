"""A rule as a person writes it: every fault is one sentence that names its place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from backend.errors import InvalidInputError
from backend.inbound.rules_input import read_rule
from backend.model.inbound import InboundStatus, TargetAction

GOOD: dict[str, Any] = {
    "name": "x",
    "when": {"sender": "a@b.example"},
    "then": {"action": "route", "target": "psa"},
}
AT = datetime(2026, 3, 2, tzinfo=UTC)


def read(written: dict[str, Any], tenant_id: str = "acme") -> Any:
    return read_rule(written, rule_id="rul_1", tenant_id=tenant_id, actor="test", at=AT)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "name: "),
        ({"when": {}}, "when: a rule needs a condition"),
        ({"when": {"sendr": "x"}}, "when.sendr: there is no such entry"),
        ({"when": {"subject": "re2:(?=x)"}}, "when.subject.0: '(?=x)' is no RE2 expression"),
        ({"when": {"kind": "robot"}}, "when.kind.0: "),
        ({"when": {"verdict": {"colour": "pass"}}}, "when.verdict.colour: "),
        ({"when": {"header": {"a b": "x"}}}, "when.header.a b: 'a b' is no header name"),
        ({"then": {"action": "route"}}, "then.target: say where it goes"),
        ({"then": {"action": "route", "target": "crm", "ref": ""}}, "then.ref: log_activity needs"),
        (
            {"then": {"action": "route", "target": "psa", "do": "add_reply"}},
            "then.do: psa can new_ticket or add_note",
        ),
        ({"then": {"action": "route", "target": "psa", "ref": "7"}}, "then.ref: new_ticket has no"),
        ({"then": {"action": "drop"}}, "then.reason: say in a sentence"),
        ({"then": {"action": "tag", "target": "psa"}}, "then: target, do, ref and tenant do not"),
        (
            {"then": {"action": "quarantine", "dropped_as": "discarded"}},
            "then.dropped_as: only drop has it",
        ),
        (
            {"then": {"action": "route", "target": "psa", "tenant": "globex"}},
            "then.tenant: a tenant's own rule",
        ),
        ({"extract": {"subject": "(a)"}}, "extract.subject.0: '(a)' has no named group"),
        ({"extract": {"lines": {"Big": "x"}}}, "extract.lines.Big: 'Big' is no field name"),
    ],
)
def test_a_fault_is_told_with_its_place(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read(GOOD | change)

    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_what_is_not_said_has_its_default() -> None:
    rule = read(GOOD)

    assert (rule.position, rule.enabled, rule.stop, rule.override) == (100, True, True, False)
    assert rule.way.do is TargetAction.NEW_TICKET


def test_a_rule_that_only_tags_lets_the_next_one_speak() -> None:
    assert read(GOOD | {"then": {"action": "tag"}}).stop is False


def test_a_drop_is_discarded_unless_suppressed_is_asked_for() -> None:
    drop = {"action": "drop", "reason": "noise"}

    assert read(GOOD | {"then": drop}).way.dropped_as is InboundStatus.DISCARDED
    suppressed = read(GOOD | {"then": drop | {"dropped_as": "suppressed"}})
    assert suppressed.way.dropped_as is InboundStatus.SUPPRESSED


def test_the_domain_of_a_pattern_is_kept_as_on_the_wire() -> None:
    rule = read(GOOD | {"when": {"sender": ["*.B\u00dcCHER.example", "Jo@b\u00fccher.example"]}})

    assert rule.when.sender == ("*.xn--bcher-kva.example", "jo@xn--bcher-kva.example")
