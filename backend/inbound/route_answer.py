"""The answers of the routing stage: a target, nowhere, kept back or dropped. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from backend.model.inbound import (
    Finding,
    InboundStatus,
    Reason,
    Route,
    Stage,
    Step,
    TargetAction,
    TargetName,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The steps to record and the route; without one, ``stopped`` is the status it ends in."""

    step: Step
    tenant_id: str
    route: Route | None = None
    stopped: InboundStatus = InboundStatus.UNROUTED
    before: tuple[Step, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, the deciding one last."""
        return (*self.before, self.step)


def routed(found: Route, reason: Reason, evidence: dict[str, str]) -> Routing:
    """Send it to a target."""
    shown = evidence | {"target": found.target.value, "action": found.action.value}
    step = _step(Finding.OK, reason, shown)
    return Routing(step=step, tenant_id=found.tenant_id, route=found)


def new_ticket(tenant_id: str, reason: Reason, evidence: dict[str, str]) -> Routing:
    """Open a ticket in PSA."""
    action = TargetAction.NEW_TICKET
    found = Route(target=TargetName.PSA, action=action, tenant_id=tenant_id)
    return routed(found, reason, evidence)


def nowhere(reason: Reason, tenant_id: str, evidence: dict[str, str]) -> Routing:
    """Keep it unrouted until a person looks."""
    return Routing(step=_step(Finding.STOP, reason, evidence), tenant_id=tenant_id)


def quarantined(reason: Reason, tenant_id: str, evidence: dict[str, str]) -> Routing:
    """Keep it back until a person looks."""
    step = _step(Finding.QUARANTINE, reason, evidence)
    return Routing(step=step, tenant_id=tenant_id, stopped=InboundStatus.QUARANTINED)


def dropped(
    reason: Reason, tenant_id: str, evidence: dict[str, str], status: InboundStatus
) -> Routing:
    """Send it to no target; the row stays with ``status``."""
    step = _step(Finding.STOP, reason, evidence)
    return Routing(step=step, tenant_id=tenant_id, stopped=status)


def _step(finding: Finding, reason: Reason, evidence: dict[str, str]) -> Step:
    return Step(stage=Stage.ROUTE, finding=finding, reason=reason, evidence=evidence)
