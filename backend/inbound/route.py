"""Stage 5: where does the message go? Address, conversation, rules, mailbox, catch-all. Pure.

docs/routing.md gives the order and its reasons; ``_choose`` is that order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.inbound.recipient import Pattern
from backend.inbound.route_answer import Routing, new_ticket, nowhere, quarantined, routed
from backend.inbound.route_rules import by_rule, reading_step
from backend.model.inbound import Reason, Route, TargetAction, TargetName
from backend.model.rules import RuleAct, RuleOutcome
from backend.model.tenant import CatchAll

if TYPE_CHECKING:
    from collections.abc import Set

    from backend.inbound.facts import Place
    from backend.model.inbound import Match
    from backend.model.rules import Rule

_BY_ID = {
    Pattern.TICKET: (TargetName.PSA, TargetAction.ADD_NOTE),
    Pattern.CRM: (TargetName.CRM, TargetAction.LOG_ACTIVITY),
    Pattern.PORTAL: (TargetName.PORTAL, TargetAction.ADD_REPLY),
}
_HOLDS = {RuleAct.QUARANTINE: Reason.RULE_QUARANTINED, RuleAct.DROP: Reason.RULE_DROPPED}
_NOTHING = RuleOutcome()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One message on its way through the order; ``tenant_id`` is empty when none is known."""

    place: Place
    match: Match
    outcome: RuleOutcome
    tenant_id: str
    waived: Set[Reason]


def route(
    place: Place,
    match: Match,
    outcome: RuleOutcome = _NOTHING,
    *,
    waived: Set[Reason] = frozenset(),
) -> Routing:
    """Choose the target; ``waived`` are reasons to hold it back that a person has lifted."""
    case = _Case(
        place=place,
        match=match,
        outcome=outcome,
        tenant_id=place.tenant_id or match.tenant_id,
        waived=waived,
    )
    chosen = _choose(case)
    reading = reading_step(outcome)
    return replace(chosen, before=(reading,)) if reading else chosen


def follow_up(taken: Route, ticket_id: str) -> Route | None:
    """Give the route of later replies: a new ticket gets notes, all else stays where it was."""
    if taken.action is not TargetAction.NEW_TICKET:
        return taken
    if not ticket_id:
        return None
    return Route(
        target=TargetName.PSA,
        action=TargetAction.ADD_NOTE,
        tenant_id=taken.tenant_id,
        ref=ticket_id,
    )


def _choose(case: _Case) -> Routing:
    """Ask each way to a target in its order; the first that has an answer is taken."""
    if not case.place.ours:
        return nowhere(Reason.MISSING_DOMAIN, case.tenant_id, _domain_evidence(case.place))
    return (
        _rule(case, case.outcome.overriding)
        or _named_thing(case)
        or _conversation(case)
        or _rule(case, case.outcome.decided)
        or _mailbox(case)
        or _unsettled_conversation(case)
        or _answer(case)
        or _catch_all(case)
    )


def _rule(case: _Case, rule: Rule | None) -> Routing | None:
    if rule is None:
        return None
    if _HOLDS.get(rule.way.act) in case.waived:
        return None
    return by_rule(rule, case.tenant_id, case.outcome)


def _named_thing(case: _Case) -> Routing | None:
    """Follow an id in the address; a tenant it names must be one this domain speaks for."""
    pattern, ref = case.place.recipient.pattern, case.place.recipient.ref
    if pattern in _BY_ID:
        target, action = _BY_ID[pattern]
        found = Route(target=target, action=action, tenant_id=case.tenant_id, ref=ref)
        evidence = {"pattern": f"{case.place.recipient.word}+{ref}"}
        return routed(found, Reason.ADDRESS_PATTERN, evidence)
    if pattern is Pattern.SUPPORT and not _names_tenant(case.place):
        return nowhere(Reason.UNKNOWN_TENANT, case.tenant_id, {"tenant": ref})
    return None


def _conversation(case: _Case) -> Routing | None:
    """Follow the conversation to the ticket or contact it belongs to."""
    followed = case.match.route
    if followed is None or followed.action is TargetAction.NEW_TICKET:
        return None
    return routed(followed, Reason.THREAD_TARGET, {"ref": followed.ref})


def _mailbox(case: _Case) -> Routing | None:
    """Open a ticket where the address is one that opens tickets."""
    recipient = case.place.recipient
    if recipient.pattern is Pattern.SUPPORT:
        evidence = {"pattern": f"support+{recipient.ref}"}
        return new_ticket(case.tenant_id, Reason.ADDRESS_PATTERN, evidence)
    domain = case.place.domain
    if domain is not None and recipient.word in domain.ticket_from:
        evidence = {"domain": recipient.domain, "address": recipient.word}
        return new_ticket(case.tenant_id, Reason.CUSTOM_DOMAIN, evidence)
    return None


def _unsettled_conversation(case: _Case) -> Routing | None:
    """Let a conversation whose ticket is not open yet have its turn."""
    return routed(case.match.route, Reason.THREAD_TARGET, {}) if case.match.route else None


def _answer(case: _Case) -> Routing | None:
    """Let an answer to a mail without a ticket open one; a token that is none leads nowhere."""
    recipient = case.place.recipient
    if recipient.pattern is not Pattern.REPLY:
        return None
    if case.match.thread_id is not None:
        return new_ticket(case.tenant_id, Reason.ANSWER_TICKET, {"pattern": "reply"})
    return nowhere(Reason.UNMATCHED_TOKEN, case.tenant_id, {"pattern": "reply"})


def _catch_all(case: _Case) -> Routing:
    domain = case.place.domain
    policy = domain.catch_all if domain else CatchAll.UNROUTED
    evidence = {"pattern": case.place.recipient.pattern.value}
    if domain is not None:
        evidence |= {"catch_all": policy.value}
    if policy is CatchAll.QUARANTINE and Reason.CATCH_ALL_QUARANTINE not in case.waived:
        return quarantined(Reason.CATCH_ALL_QUARANTINE, case.tenant_id, evidence)
    if policy is not CatchAll.UNROUTED:  # what was released has been looked at: it is for us
        return new_ticket(case.tenant_id, Reason.CATCH_ALL_TICKET, evidence)
    return nowhere(Reason.NO_ROUTE, case.tenant_id, evidence)


def _names_tenant(place: Place) -> bool:
    """Tell whether support+{tenant}@ names a tenant this domain may speak for."""
    return place.named is not None and place.named.id == place.tenant_id


def _domain_evidence(place: Place) -> dict[str, str]:
    closed = {"inbound": "not enabled for this domain"} if place.domain else {}
    return {"domain": place.recipient.domain} | closed
