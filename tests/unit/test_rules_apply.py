"""Reading rules over one message: conditions, order, stop, tags, fields and the trace."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from backend.inbound.rules import RuleFacts, apply_rules, facts_of
from backend.inbound.rules_input import read_rule
from backend.model.automated import Kind
from backend.model.inbound import (
    InboundMessage,
    InboundStatus,
    ParsedMail,
    Reason,
    ScanVerdict,
    ScanVerdicts,
)
from backend.model.rules import Conditions, Rule

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
FACTS = RuleFacts(
    tenant_id="acme",
    senders=("zabbix@alerts.example", "bounce@alerts.example"),
    recipient="support@acme.example",
    subject="PROBLEM: disk full on web1",
    headers={"x-mailer": ("Zabbix 7",)},
    kind=Kind.AUTO_GENERATED,
    verdicts={"spam": ScanVerdict.GRAY},
    text="Severity: High\n",
)
EVERYTHING: dict[str, Any] = {
    "sender": "*@alerts.example",
    "recipient": "support@",
    "subject": "PROBLEM*",
    "header": {"X-Mailer": "zabbix*"},
    "kind": "auto_generated",
    "verdict": {"spam": ["gray", "pass"]},
}


def rule(name: str, when: dict[str, Any], then: dict[str, Any], **more: Any) -> Rule:
    tenant_id = more.pop("tenant_id", "acme")
    written = {"name": name, "when": when, "then": then} | more
    return read_rule(written, rule_id=f"rul_{name}", tenant_id=tenant_id, actor="test", at=AT)


TAG = {"action": "tag", "tags": ["seen"]}
DROP = {"action": "drop", "reason": "noise"}


def test_a_rule_fits_when_every_condition_holds() -> None:
    outcome = apply_rules([rule("all", EVERYTHING, TAG)], FACTS)

    assert outcome.tags == ("seen",)
    assert outcome.trace[0].fits
    assert "sender fits *@alerts.example" in outcome.trace[0].why


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (replace(FACTS, senders=("jo@client.example",)), "sender does not fit"),
        (replace(FACTS, recipient="hello@acme.example"), "recipient does not fit"),
        (replace(FACTS, subject="OK: disk"), "subject does not fit"),
        (replace(FACTS, headers={}), "x-mailer does not fit"),
        (replace(FACTS, kind=Kind.HUMAN), "kind is human"),
        (replace(FACTS, verdicts={}), "spam is unverified"),
    ],
)
def test_one_condition_that_does_not_hold_is_named(other: RuleFacts, why: str) -> None:
    outcome = apply_rules([rule("all", EVERYTHING, DROP)], other)

    assert (outcome.decided, outcome.tags) == (None, ())
    assert [(line.fits, line.why) for line in outcome.trace] == [(False, why)]


def test_the_envelope_sender_fits_as_well_as_the_author() -> None:
    assert apply_rules([rule("x", {"sender": "bounce@"}, DROP)], FACTS).decided is not None


def test_rules_are_read_by_position_and_a_tenants_own_first() -> None:
    when = {"recipient": "*"}
    late = rule("late", when, TAG, position=200)
    common = rule("common", when, TAG, position=50, tenant_id="")
    own = rule("own", when, TAG, position=50)
    off = rule("off", when, TAG, position=1, enabled=False)

    outcome = apply_rules([late, common, off, own], FACTS)

    assert [line.rule_id for line in outcome.trace] == ["rul_own", "rul_common", "rul_late"]


def test_what_decides_ends_the_reading_unless_told_to_go_on() -> None:
    when = {"recipient": "*"}
    last = rule("last", when, TAG, position=200)

    stopped = apply_rules([rule("a", when, DROP), last], FACTS)
    went_on = apply_rules([rule("a", when, DROP, stop=False), last], FACTS)

    assert (stopped.tags, went_on.tags) == ((), ("seen",))


def test_the_first_rule_that_decides_decides_and_override_is_kept_apart() -> None:
    when = {"recipient": "*"}
    first = rule("first", when, {"action": "route", "target": "psa"}, stop=False)
    second = rule("second", when, DROP, position=200, override=True)

    outcome = apply_rules([first, second], FACTS)

    assert (outcome.decided, outcome.overriding) == (first, second)


def test_the_first_value_of_a_field_stays_and_the_mail_beats_the_rule() -> None:
    when = {"recipient": "*"}
    extract = {"lines": {"priority": "Severity"}}
    first = rule("a", when, TAG | {"queue": "noc", "priority": "low"}, extract=extract)
    second = rule("b", when, TAG | {"queue": "desk", "priority": "urgent"}, position=200)

    assert apply_rules([first, second], FACTS).fields == {"queue": "noc", "priority": "High"}


def test_a_stored_rule_that_cannot_be_read_is_passed_over_and_says_so() -> None:
    good = rule("good", {"recipient": "*"}, TAG, position=200)
    broken = replace(rule("bad", {"recipient": "*"}, DROP), when=Conditions(subject=("re2:(",)))

    outcome = apply_rules([broken, good], FACTS)

    assert (outcome.decided, outcome.tags) == (None, ("seen",))
    assert "RE2" in outcome.trace[0].why


def test_a_common_rule_never_takes_mail_from_one_tenant_to_another() -> None:
    way = {"action": "route", "target": "psa", "tenant": "globex"}
    common = rule("x", {"recipient": "*"}, way, tenant_id="")

    assert apply_rules([common], FACTS).decided is None
    assert apply_rules([common], replace(FACTS, tenant_id="")).decided == common


def test_only_the_headers_that_a_rule_names_are_read() -> None:
    fields = (("X-Mailer", "=?utf-8?q?Zabbix_7?="), ("Received", "x"), ("x-mailer", "two"))
    asks = rule("x", {"header": {"X-MAILER": "*"}}, TAG)

    found = facts_of(MESSAGE, ParsedMail(header_fields=fields), "acme", [asks])

    assert found.headers == {"x-mailer": ("Zabbix 7", "two")}


MESSAGE = InboundMessage(
    id="inb_1",
    tenant_id="acme",
    source="ses",
    blob_key="k",
    recipient="support@acme.example",
    envelope_from="",
    status=InboundStatus.RECEIVED,
    reason=Reason.STORED,
    received_at=AT,
    size=1,
    verdicts=ScanVerdicts(),
)
