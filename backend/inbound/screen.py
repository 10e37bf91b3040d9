"""Stage 3: may the message go on? Weighs what SES and the message itself say. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.mime.parse import UNREADABLE
from backend.model.inbound import Finding, InboundStatus, Reason, ScanVerdict, Stage, Step

if TYPE_CHECKING:
    from backend.model.inbound import ParsedMail, ScanVerdicts

_POLICIES = frozenset({"reject", "quarantine"})
_DECIDED = frozenset({ScanVerdict.PASS, ScanVerdict.FAIL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """The step to record and, when the message goes no further, the status it ends in."""

    step: Step
    stopped: InboundStatus | None = None


def screen(verdicts: ScanVerdicts, mail: ParsedMail) -> Screening:
    """Weigh a message: unreadable, virus, spam, failed DMARC, automatic answer, in this order."""
    unreadable = next((d for d in mail.defects if d.startswith(UNREADABLE)), "")
    if unreadable:
        return _quarantined(Reason.UNREADABLE, {"limit": unreadable.removeprefix(UNREADABLE)})
    if verdicts.virus is ScanVerdict.FAIL:
        return _quarantined(Reason.VIRUS_VERDICT, {"virus": "fail"})
    if verdicts.spam is ScanVerdict.FAIL:
        return _quarantined(Reason.SPAM_VERDICT, {"spam": "fail"})
    if verdicts.dmarc is ScanVerdict.FAIL and verdicts.dmarc_policy in _POLICIES:
        return _quarantined(Reason.AUTHENTICATION_FAILED, {"policy": verdicts.dmarc_policy})
    # RFC 3834 5: auto-generated is a report of a machine and may well deserve a ticket
    if mail.auto_submitted == "auto-replied":
        step = _step(Finding.STOP, Reason.AUTO_REPLY, {"Auto-Submitted": mail.auto_submitted})
        return Screening(step=step, stopped=InboundStatus.SUPPRESSED)
    return Screening(step=_passed(verdicts))


def _passed(verdicts: ScanVerdicts) -> Step:
    """Say how sure the pass is: a missing verdict is neither a pass nor a failure."""
    found = {
        "spam": verdicts.spam,
        "virus": verdicts.virus,
        "spf": verdicts.spf,
        "dkim": verdicts.dkim,
        "dmarc": verdicts.dmarc,
    }
    undecided = {k: v.value for k, v in found.items() if v not in _DECIDED}
    if undecided:
        return _step(Finding.NOTE, Reason.VERDICT_MISSING, undecided)
    failed = {k: v.value for k, v in found.items() if v is ScanVerdict.FAIL}
    if failed:
        return _step(Finding.NOTE, Reason.VERDICT_FAILED, failed)
    return _step(Finding.OK, Reason.CLEAN, {})


def _quarantined(reason: Reason, evidence: dict[str, str]) -> Screening:
    step = _step(Finding.QUARANTINE, reason, evidence)
    return Screening(step=step, stopped=InboundStatus.QUARANTINED)


def _step(finding: Finding, reason: Reason, evidence: dict[str, str]) -> Step:
    return Step(stage=Stage.SCREEN, finding=finding, reason=reason, evidence=evidence)
