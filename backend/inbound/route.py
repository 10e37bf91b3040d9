"""Stage 5: where does the message go? By the envelope recipient, then by its conversation. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.inbound.recipient import Pattern
from backend.model.inbound import Finding, Reason, Route, Stage, Step, TargetAction, TargetName

if TYPE_CHECKING:
    from backend.inbound.facts import Answered, Place

_BY_ID = {
    Pattern.TICKET: (TargetName.PSA, TargetAction.ADD_NOTE),
    Pattern.CRM: (TargetName.CRM, TargetAction.LOG_ACTIVITY),
    Pattern.PORTAL: (TargetName.PORTAL, TargetAction.ADD_REPLY),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The step to record and the route, None when no target could be found."""

    step: Step
    tenant_id: str
    route: Route | None = None


def route(place: Place, answered: Answered | None) -> Routing:
    """Choose the target; an id in the address beats the conversation, which beats a new ticket."""
    tenant_id = place.tenant_id or (answered.email.tenant_id if answered else "")
    if not place.ours:
        return _nowhere(Reason.MISSING_DOMAIN, tenant_id, _domain_evidence(place))
    pattern, ref = place.recipient.pattern, place.recipient.ref
    if pattern in _BY_ID:
        target, action = _BY_ID[pattern]
        found = Route(target=target, action=action, tenant_id=tenant_id, ref=ref)
        return _routed(found, Reason.ADDRESS_PATTERN, {"pattern": f"{pattern.value}+{ref}"})
    if pattern is Pattern.SUPPORT and not _names_tenant(place):
        return _nowhere(Reason.UNKNOWN_TENANT, tenant_id, {"tenant": ref})
    return _by_conversation(place, answered, tenant_id)


def _by_conversation(place: Place, answered: Answered | None, tenant_id: str) -> Routing:
    """Follow the conversation to its ticket; else open one where the address allows it."""
    followed = answered.thread.route if answered and answered.thread else None
    if followed is not None and followed.action is not TargetAction.NEW_TICKET:
        return _routed(followed, Reason.THREAD_TARGET, {"ref": followed.ref})
    if place.recipient.pattern is Pattern.SUPPORT:
        evidence = {"pattern": f"support+{place.recipient.ref}"}
        return _new_ticket(tenant_id, Reason.ADDRESS_PATTERN, evidence)
    if place.recipient.pattern is Pattern.SUPPORT_DESK and not place.shared:
        evidence = {"domain": place.recipient.domain}
        return _new_ticket(tenant_id, Reason.CUSTOM_DOMAIN, evidence)
    if followed is not None:
        return _routed(followed, Reason.THREAD_TARGET, {})
    return _nowhere(Reason.NO_ROUTE, tenant_id, {"pattern": place.recipient.pattern.value})


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


def _names_tenant(place: Place) -> bool:
    """Tell whether support+{tenant}@ names a tenant this domain may speak for."""
    return place.named is not None and place.named.id == place.tenant_id


def _domain_evidence(place: Place) -> dict[str, str]:
    closed = {"inbound": "not enabled for this domain"} if place.domain else {}
    return {"domain": place.recipient.domain} | closed


def _new_ticket(tenant_id: str, reason: Reason, evidence: dict[str, str]) -> Routing:
    action = TargetAction.NEW_TICKET
    return _routed(
        Route(target=TargetName.PSA, action=action, tenant_id=tenant_id), reason, evidence
    )


def _routed(found: Route, reason: Reason, evidence: dict[str, str]) -> Routing:
    shown = evidence | {"target": found.target.value, "action": found.action.value}
    step = Step(stage=Stage.ROUTE, finding=Finding.OK, reason=reason, evidence=shown)
    return Routing(step=step, tenant_id=found.tenant_id, route=found)


def _nowhere(reason: Reason, tenant_id: str, evidence: dict[str, str]) -> Routing:
    step = Step(stage=Stage.ROUTE, finding=Finding.STOP, reason=reason, evidence=evidence)
    return Routing(step=step, tenant_id=tenant_id)
