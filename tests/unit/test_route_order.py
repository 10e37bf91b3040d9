"""The order of routing: override, named thing, conversation, rules, mailbox, catch-all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from backend.inbound.facts import Place
from backend.inbound.recipient import read_recipient
from backend.inbound.route import route
from backend.inbound.rules_input import read_rule
from backend.model.inbound import (
    InboundStatus,
    Match,
    MatchStatus,
    Reason,
    Route,
    TargetAction,
    TargetName,
)
from backend.model.rules import RuleOutcome, RuleTrace
from backend.model.tenant import CatchAll, Domain, DomainStatus, Tenant

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
NO_MATCH = Match(status=MatchStatus.NONE)
THREAD = Match(
    status=MatchStatus.MATCHED,
    thread_id="thr_1",
    tenant_id="acme",
    route=Route(target=TargetName.PSA, action=TargetAction.ADD_NOTE, tenant_id="acme", ref="7"),
)
ROUTE = {"action": "route", "target": "crm", "ref": "c-9"}
DROP = {"action": "drop", "reason": "noise"}


def place(local: str, **settings: Any) -> Place:
    domain = Domain(
        id="dom_1",
        tenant_id="acme",
        name="acme.example",
        status=DomainStatus.VERIFIED,
        inbound_enabled=True,
        dkim_tokens=(),
        mail_from="",
        created_at=AT,
        **settings,
    )
    recipient = read_recipient(f"{local}@acme.example", reply_prefix=domain.reply_prefix)
    return Place(
        recipient=recipient, domain=domain, named=Tenant(id="acme", name="Acme", created_at=AT)
    )


def saying(then: dict[str, Any], *, override: bool = False) -> RuleOutcome:
    written = {"name": "x", "when": {"recipient": "*"}, "then": then, "override": override}
    rule = read_rule(written, rule_id="rul_1", tenant_id="acme", actor="test", at=AT)
    trace = (RuleTrace(rule_id=rule.id, fits=True, why="recipient fits *"),)
    return RuleOutcome(decided=rule, overriding=rule if override else None, trace=trace)


@pytest.mark.parametrize(
    ("local", "match", "outcome", "reason", "ref"),
    [
        ("ticket+5", THREAD, saying(ROUTE), Reason.ADDRESS_PATTERN, "5"),
        ("ticket+5", THREAD, saying(ROUTE, override=True), Reason.RULE_ROUTED, "c-9"),
        ("support", THREAD, saying(ROUTE), Reason.THREAD_TARGET, "7"),
        ("support", NO_MATCH, saying(ROUTE), Reason.RULE_ROUTED, "c-9"),
        ("support+acme", NO_MATCH, saying(ROUTE), Reason.RULE_ROUTED, "c-9"),
        ("support+acme", NO_MATCH, RuleOutcome(), Reason.ADDRESS_PATTERN, ""),
        ("support", NO_MATCH, RuleOutcome(), Reason.CUSTOM_DOMAIN, ""),
        ("anything", THREAD, RuleOutcome(), Reason.THREAD_TARGET, "7"),
    ],
)
def test_the_first_way_that_has_an_answer_is_taken(
    local: str, match: Match, outcome: RuleOutcome, reason: Reason, ref: str
) -> None:
    found = route(place(local), match, outcome)

    assert found.route is not None
    assert (found.step.reason, found.route.ref) == (reason, ref)


def test_a_drop_keeps_the_row_with_the_rule_and_its_reason() -> None:
    found = route(place("support"), NO_MATCH, saying(DROP))

    assert (found.route, found.stopped) == (None, InboundStatus.DISCARDED)
    assert found.step.reason is Reason.RULE_DROPPED
    assert found.step.evidence == {
        "rule": "rul_1",
        "name": "x",
        "why": "recipient fits *",
        "note": "noise",
    }


def test_what_a_rule_dropped_can_be_released_and_a_catch_all_then_opens_a_ticket() -> None:
    outcome = saying({"action": "drop", "reason": "noise"})
    waived = {Reason.RULE_DROPPED, Reason.CATCH_ALL_QUARANTINE}
    kept = place("hello", catch_all=CatchAll.QUARANTINE)

    dropped = route(place("support"), NO_MATCH, outcome)
    released = route(place("support"), NO_MATCH, outcome, waived=waived)
    caught = route(kept, NO_MATCH, outcome, waived=waived)

    assert (dropped.route, dropped.step.reason) == (None, Reason.RULE_DROPPED)
    assert released.step.reason is Reason.CUSTOM_DOMAIN
    assert caught.step.reason is Reason.CATCH_ALL_TICKET


def test_a_released_message_is_not_held_by_the_same_kind_of_rule_again() -> None:
    outcome = saying({"action": "quarantine", "reason": "look at it"})

    held = route(place("support"), NO_MATCH, outcome)
    released = route(place("support"), NO_MATCH, outcome, waived={Reason.RULE_QUARANTINED})

    assert held.stopped is InboundStatus.QUARANTINED
    assert held.step.reason is Reason.RULE_QUARANTINED
    assert released.step.reason is Reason.CUSTOM_DOMAIN


@pytest.mark.parametrize(
    ("local", "settings", "reason"),
    [
        ("helpdesk", {"ticket_from": ("support", "helpdesk")}, Reason.CUSTOM_DOMAIN),
        ("HelpDesk+printers", {"ticket_from": ("helpdesk",)}, Reason.CUSTOM_DOMAIN),
        ("support", {"ticket_from": ("helpdesk",)}, Reason.NO_ROUTE),
        ("case+5", {"reply_prefix": "case"}, Reason.ADDRESS_PATTERN),
        ("ticket+5", {"reply_prefix": "case"}, Reason.ADDRESS_PATTERN),
        ("case+5", {}, Reason.NO_ROUTE),
        ("hello", {"catch_all": CatchAll.TICKET}, Reason.CATCH_ALL_TICKET),
        ("hello", {"catch_all": CatchAll.QUARANTINE}, Reason.CATCH_ALL_QUARANTINE),
        ("hello", {}, Reason.NO_ROUTE),
        ("support+globex", {"catch_all": CatchAll.TICKET}, Reason.UNKNOWN_TENANT),
    ],
)
def test_a_domain_has_its_own_settings(
    local: str, settings: dict[str, Any], reason: Reason
) -> None:
    found = place(local, **settings)
    stranger = Tenant(id="globex", name="Globex", created_at=AT)
    if local == "support+globex":
        found = Place(recipient=found.recipient, domain=found.domain, named=stranger)

    assert route(found, NO_MATCH).step.reason is reason


def test_mail_to_a_domain_that_is_not_ours_is_not_decided_by_any_rule() -> None:
    elsewhere = Place(recipient=read_recipient("support@else.example"))

    found = route(elsewhere, NO_MATCH, saying(ROUTE, override=True))

    assert found.step.reason is Reason.MISSING_DOMAIN


def test_what_the_rules_said_is_told_though_the_address_decides() -> None:
    found = route(place("ticket+5"), NO_MATCH, saying(ROUTE))

    assert [step.reason for step in found.steps] == [Reason.RULES_APPLIED, Reason.ADDRESS_PATTERN]
    assert found.steps[0].evidence == {"rul_1": "fits: recipient fits *"}
