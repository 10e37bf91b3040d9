"""What becomes of each class of mail on its way to each target. Pure.

The default answers the two complaints about help desks: automatic answers open no ticket, and the
alert of a machine does. Delivery reports are never a ticket, whatever a tenant asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.model.automated import Kind
from backend.model.inbound import Finding, InboundStatus, Reason, Stage, Step
from backend.model.screening import EVERY_TARGET, ClassAct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.model.automated import Classification
    from backend.model.inbound import TargetName
    from backend.model.screening import ScreenPolicy

REPORTS = frozenset({Kind.BOUNCE, Kind.COMPLAINT})
"""Kinds that are feedback on mail we sent."""

DEFAULTS: Mapping[Kind, Mapping[str, ClassAct]] = {
    Kind.HUMAN: {EVERY_TARGET: ClassAct.FORWARD},
    Kind.AUTO_REPLY: {EVERY_TARGET: ClassAct.SUPPRESS},
    Kind.AUTO_GENERATED: {EVERY_TARGET: ClassAct.FORWARD},
    Kind.LIST: {EVERY_TARGET: ClassAct.FORWARD},
    Kind.BOUNCE: {EVERY_TARGET: ClassAct.SUPPRESS},
    Kind.COMPLAINT: {EVERY_TARGET: ClassAct.SUPPRESS},
}

_SUPPRESSED = {
    Kind.AUTO_REPLY: Reason.AUTO_REPLY,
    Kind.AUTO_GENERATED: Reason.AUTO_GENERATED,
    Kind.LIST: Reason.LIST_MAIL,
    Kind.BOUNCE: Reason.BOUNCE,
    Kind.COMPLAINT: Reason.COMPLAINT,
}
_SHOWN = 120


def class_act(policy: ScreenPolicy, kind: Kind, target: TargetName | None) -> ClassAct:
    """Give what the policy wants of a kind; a target's own line beats the one for every target.

    Mail of a person goes on and reports do not, whatever the policy says.
    """
    defaults = DEFAULTS[kind]
    if kind is Kind.HUMAN or kind in REPORTS:
        return defaults[EVERY_TARGET]
    acts = {**defaults, **policy.classes.get(kind, {})}
    return acts.get(target.value if target else EVERY_TARGET, acts[EVERY_TARGET])


def class_step(kind: Kind, act: ClassAct, target: TargetName | None) -> Step | None:
    """Give the step that ends a message's way by its class, None when it may go on."""
    evidence = {"kind": kind.value, "target": target.value if target else "none"}
    if act is ClassAct.QUARANTINE:
        return _step(Finding.QUARANTINE, Reason.CLASS_POLICY, evidence)
    if act is ClassAct.SUPPRESS and kind in _SUPPRESSED:
        return _step(Finding.STOP, _SUPPRESSED[kind], evidence)
    return None


def status_of(act: ClassAct) -> InboundStatus:
    """Give the status of a message that an act stops."""
    quarantined = act is ClassAct.QUARANTINE
    return InboundStatus.QUARANTINED if quarantined else InboundStatus.SUPPRESSED


def kind_step(classification: Classification) -> Step | None:
    """Say what shows that a machine wrote the message; None for mail of a person."""
    if classification.kind is Kind.HUMAN:
        return None
    because = "; ".join(found[:_SHOWN] for found in classification.evidence[:5])
    evidence = {"kind": classification.kind.value} | ({"because": because} if because else {})
    return _step(Finding.NOTE, Reason.CLASSIFIED, evidence)


def _step(finding: Finding, reason: Reason, evidence: Mapping[str, str]) -> Step:
    return Step(stage=Stage.SCREEN, finding=finding, reason=reason, evidence=evidence)
