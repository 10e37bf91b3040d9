"""What the decision of a rule means for the route, and the step that tells of the rules. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.inbound.route_answer import Routing, dropped, quarantined, routed
from backend.model.inbound import Finding, InboundStatus, Reason, Route, Stage, Step
from backend.model.rules import RuleAct

if TYPE_CHECKING:
    from backend.model.rules import Rule, RuleOutcome

MAX_TOLD = 20  # rules in one explanation; the rest is counted
MAX_WHY = 200
MAX_SHOWN = 500


def by_rule(rule: Rule, tenant_id: str, outcome: RuleOutcome) -> Routing | None:
    """Turn a rule that fits into a route, a quarantine or a drop; None when it decides nothing."""
    way = rule.way
    why = next((line.why for line in outcome.trace if line.rule_id == rule.id), "")
    evidence = {"rule": rule.id, "name": rule.name, "why": why[:MAX_WHY]}
    if way.reason:
        evidence |= {"note": way.reason}
    if way.act is RuleAct.QUARANTINE:
        return quarantined(Reason.RULE_QUARANTINED, tenant_id, evidence)
    if way.act is RuleAct.DROP:
        status = way.dropped_as or InboundStatus.DISCARDED
        return dropped(Reason.RULE_DROPPED, tenant_id, evidence, status)
    if way.target is None or way.do is None:
        return None
    owner = tenant_id or way.tenant
    found = Route(target=way.target, action=way.do, tenant_id=owner, ref=way.ref)
    return routed(found, Reason.RULE_ROUTED, evidence)


def reading_step(outcome: RuleOutcome) -> Step | None:
    """Tell which rules were read, and why each fits or does not; None when there are none."""
    if not outcome.trace:
        return None
    told = {
        line.rule_id: f"{'fits' if line.fits else 'no'}: {line.why}"[:MAX_WHY]
        for line in outcome.trace[:MAX_TOLD]
    }
    if len(outcome.trace) > MAX_TOLD:
        told["more"] = f"{len(outcome.trace) - MAX_TOLD} more rules were read"
    if outcome.tags:
        told["tags"] = ", ".join(outcome.tags)[:MAX_SHOWN]
    if outcome.fields:
        told["fields"] = ", ".join(f"{k}={v}" for k, v in outcome.fields.items())[:MAX_SHOWN]
    fits = any(line.fits for line in outcome.trace)
    reason = Reason.RULES_APPLIED if fits else Reason.RULES_READ
    return Step(stage=Stage.ROUTE, finding=Finding.OK, reason=reason, evidence=told)
