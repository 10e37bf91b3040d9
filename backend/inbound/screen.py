"""Stage 3: may the message go on? Weighs what its source, its sender and itself say. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.inbound.attachment_safety import Safety, judge
from backend.inbound.auth_results import with_own_results
from backend.inbound.loops import OwnMail, find_loop
from backend.inbound.policy import REPORTS, class_act, class_step, kind_step, status_of
from backend.mime.parse import UNREADABLE
from backend.model.inbound import (
    Finding,
    InboundStatus,
    Reason,
    ScanVerdict,
    ScanVerdicts,
    Stage,
    Step,
)
from backend.model.screening import DmarcWeight, ListEntry, ListKind, ScreenPolicy, Weight

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.model.inbound import InboundMessage, ParsedMail

WAIVABLE = frozenset(
    {
        Reason.SPAM_VERDICT,
        Reason.AUTHENTICATION_FAILED,
        Reason.UNSAFE_ATTACHMENT,
        Reason.RATE_CIRCUIT_OPEN,
        Reason.CLASS_POLICY,
    }
)
"""What a person may release; a virus, a loop and a blocked sender are held whoever asks."""

_POLICIES = frozenset({"reject", "quarantine"})
_UNDECIDED = frozenset({ScanVerdict.GRAY, ScanVerdict.PROCESSING_FAILED})
_CHECKS = ("spam", "virus", "spf", "dkim", "dmarc")
_SHOWN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What settings and database know of a message; see screen_context.py.

    ``sender_count`` is the mail of this sender in the window so far; a limit of 0 is none.
    ``waived`` are reasons a person has released the message from.
    """

    inbound_domain: str = ""
    authserv_id: str = ""
    policy: ScreenPolicy = field(default_factory=ScreenPolicy)
    entry: ListEntry | None = None
    own: OwnMail = field(default_factory=OwnMail)
    sender_count: int = 0
    sender_limit: int = 0
    waived: frozenset[Reason] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """The steps to record and, when the message goes no further, the status it ends in.

    ``verdicts`` are those of the source, filled from our own server's headers.
    """

    steps: tuple[Step, ...]
    stopped: InboundStatus | None = None
    verdicts: ScanVerdicts = field(default_factory=ScanVerdicts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRate:
    """Mail of a conversation in the window so far, and how much may be; a limit of 0 is none."""

    count: int = 0
    limit: int = 0

    @property
    def is_over(self) -> bool:
        """Whether the breaker is open."""
        return 0 < self.limit <= self.count


def screen(message: InboundMessage, mail: ParsedMail, known: Known) -> Screening:
    """Weigh a message; what can never be released comes first, what a list can excuse last."""
    verdicts = with_own_results(message.verdicts, mail.facts, known.authserv_id)
    safety = judge(mail.attachments, known.policy)
    named = kind_step(mail.facts.classification)
    before = (named,) if named else ()
    held = _for_good(message, mail, verdicts, known)
    report = _report(mail) if held is None else None
    if report is not None:
        return Screening(
            steps=(*before, report), stopped=InboundStatus.SUPPRESSED, verdicts=verdicts
        )
    held = held or _for_now(verdicts, safety, known)
    if held is not None:
        return Screening(
            steps=(*before, held), stopped=InboundStatus.QUARANTINED, verdicts=verdicts
        )
    steps = (*before, *_notes(safety, known), _passed(verdicts))
    return Screening(steps=steps, verdicts=verdicts)


def screen_conversation(
    message: InboundMessage,
    policy: ScreenPolicy,
    rate: ConversationRate,
    *,
    waived: frozenset[Reason] = frozenset(),
) -> Screening | None:
    """Weigh what only match and route could tell: a rushing conversation, the class by target.

    None when the message may go on.
    """
    if rate.is_over and Reason.RATE_CIRCUIT_OPEN not in waived:
        evidence = {"conversation": message.thread_id or "", "count": str(rate.count)}
        step = _quarantine(Reason.RATE_CIRCUIT_OPEN, {"of": "conversation"} | evidence)
        return Screening(steps=(step,), stopped=InboundStatus.QUARANTINED)
    target = message.route.target if message.route else None
    act = class_act(policy, message.kind, target)
    stop = class_step(message.kind, act, target)
    if stop is None or stop.reason in waived:
        return None
    return Screening(steps=(stop,), stopped=status_of(act))


def _for_good(
    message: InboundMessage, mail: ParsedMail, verdicts: ScanVerdicts, known: Known
) -> Step | None:
    """Look for what nobody may release."""
    unreadable = next((d for d in mail.defects if d.startswith(UNREADABLE)), "")
    if unreadable:
        return _quarantine(Reason.UNREADABLE, {"limit": unreadable.removeprefix(UNREADABLE)})
    if verdicts.virus is ScanVerdict.FAIL:
        return _quarantine(Reason.VIRUS_VERDICT, {"virus": "fail"})
    entry = known.entry
    if entry is not None and entry.kind is ListKind.BLOCK:
        return _quarantine(Reason.BLOCKLISTED, _of_list(entry))
    loop = find_loop(message, mail, known.own, known.inbound_domain)
    return _quarantine(loop.reason, loop.evidence) if loop else None


def _report(mail: ParsedMail) -> Step | None:
    """Take a bounce or a complaint off the way: it is feedback, never a ticket."""
    kind = mail.facts.classification.kind
    if kind not in REPORTS:
        return None
    act = class_act(ScreenPolicy(), kind, None)
    return class_step(kind, act, None)


def _for_now(verdicts: ScanVerdicts, safety: Safety, known: Known) -> Step | None:
    """Look for what a person may release, in order of weight."""
    found = [_attachments(safety), _rate(known)]
    if known.entry is None:  # an allowlisted sender is excused from what follows
        found += [_spam(verdicts, known.policy), _authentication(verdicts, known.policy)]
    return next(
        (step for step in found if step and step.reason not in known.waived & WAIVABLE), None
    )


def _attachments(safety: Safety) -> Step | None:
    if not safety.unsafe:
        return None
    told = "; ".join(f"{file.name}: {file.why}" for file in safety.unsafe)
    positions = ",".join(str(file.position) for file in safety.unsafe)
    evidence = {"attachments": told[:_SHOWN], "positions": positions[:_SHOWN]}
    return _quarantine(Reason.UNSAFE_ATTACHMENT, evidence)


def _rate(known: Known) -> Step | None:
    if not 0 < known.sender_limit <= known.sender_count:
        return None
    evidence = {"count": str(known.sender_count), "limit": str(known.sender_limit)}
    return _quarantine(Reason.RATE_CIRCUIT_OPEN, {"of": "sender"} | evidence)


def _spam(verdicts: ScanVerdicts, policy: ScreenPolicy) -> Step | None:
    weight = Weight.NOTE
    if verdicts.spam is ScanVerdict.FAIL:
        weight = policy.spam_failed
    elif verdicts.spam in _UNDECIDED:
        weight = policy.spam_undecided
    if weight is Weight.NOTE:
        return None
    return _quarantine(Reason.SPAM_VERDICT, {"spam": verdicts.spam.value})


def _authentication(verdicts: ScanVerdicts, policy: ScreenPolicy) -> Step | None:
    if verdicts.dmarc is ScanVerdict.FAIL:
        asked = verdicts.dmarc_policy in _POLICIES and policy.dmarc_failed is DmarcWeight.POLICY
        if asked or policy.dmarc_failed is DmarcWeight.QUARANTINE:
            evidence = {"dmarc": "fail", "policy": verdicts.dmarc_policy or "none"}
            return _quarantine(Reason.AUTHENTICATION_FAILED, evidence)
    both = verdicts.spf is verdicts.dkim is ScanVerdict.FAIL
    if both and policy.spf_and_dkim_failed is Weight.QUARANTINE:
        return _quarantine(Reason.AUTHENTICATION_FAILED, {"spf": "fail", "dkim": "fail"})
    return None


def _notes(safety: Safety, known: Known) -> list[Step]:
    """Tell what is worth knowing of a message that goes on."""
    notes = []
    if known.entry is not None:
        notes.append(_step(Finding.NOTE, Reason.ALLOWLISTED, _of_list(known.entry)))
    if safety.unsafe:  # a person has released the rest of the message
        told = "; ".join(f"{file.name}: {file.why}" for file in safety.unsafe)
        evidence = {"attachments": told[:_SHOWN]}
        notes.append(_step(Finding.NOTE, Reason.ATTACHMENT_LEFT_OUT, evidence))
    if safety.flagged:
        told = "; ".join(f"{file.name}: {file.why}" for file in safety.flagged)
        evidence = {"attachments": told[:_SHOWN]}
        notes.append(_step(Finding.NOTE, Reason.ATTACHMENT_FLAGGED, evidence))
    return notes


def _passed(verdicts: ScanVerdicts) -> Step:
    """Say how sure the pass is: neither an absent nor an undecided verdict is a pass."""
    found = {check: getattr(verdicts, check) for check in _CHECKS}
    doubts = {k: v.value for k, v in found.items() if v is not ScanVerdict.PASS}
    if ScanVerdict.FAIL in found.values():
        return _step(Finding.NOTE, Reason.VERDICT_FAILED, doubts)
    if ScanVerdict.UNVERIFIED in found.values():
        return _step(Finding.NOTE, Reason.VERDICT_MISSING, doubts)
    if doubts:
        return _step(Finding.NOTE, Reason.VERDICT_UNDECIDED, doubts)
    return _step(Finding.OK, Reason.CLEAN, {})


def _of_list(entry: ListEntry) -> dict[str, str]:
    of = {"pattern": entry.pattern, "entry": entry.id, "of": entry.tenant_id or "every tenant"}
    return of | ({"note": entry.note[:200]} if entry.note else {})


def _quarantine(reason: Reason, evidence: Mapping[str, str]) -> Step:
    return _step(Finding.QUARANTINE, reason, evidence)


def _step(finding: Finding, reason: Reason, evidence: Mapping[str, str]) -> Step:
    return Step(stage=Stage.SCREEN, finding=finding, reason=reason, evidence=evidence)
