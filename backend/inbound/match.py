"""Stage 4: does the message answer a mail we sent? Pure; the look-ups are values handed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.inbound import Finding, Match, MatchStatus, Reason, Stage, Step

if TYPE_CHECKING:
    from backend.inbound.facts import Answered
    from backend.model.inbound import ParsedMail

MAX_IDS = 20  # In-Reply-To holds one id; a hostile header must not cost a thousand look-ups
EVIDENCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """The step to record and the conversation found."""

    step: Step
    match: Match


def asked_ids(mail: ParsedMail) -> tuple[str, ...]:
    """Give the local parts of the ids it answers.

    QUIRK(SES): it rewrites Message-ID to ``<id@region.amazonses.com>`` or ``@email.amazonses.com``,
    so only the part before the @ is ours.
    """
    parts = (found.partition("@")[0] for found in mail.in_reply_to[:MAX_IDS])
    return tuple(dict.fromkeys(part for part in parts if part))


def match(mail: ParsedMail, answered: Answered | None) -> Matching:
    """Name the conversation; ``answered`` is what the tenant's own mail gave for asked_ids."""
    if answered is not None:
        found = Match(
            status=MatchStatus.MATCHED,
            email_id=answered.email.id,
            thread_id=answered.email.thread_id,
        )
        evidence = {"email_id": answered.email.id, "thread_id": answered.email.thread_id}
        return Matching(step=_step(Finding.OK, Reason.REPLY_MATCHED, evidence), match=found)
    if mail.in_reply_to:
        evidence = {"in_reply_to": mail.in_reply_to[0][:EVIDENCE]}
        return Matching(
            step=_step(Finding.NOTE, Reason.REPLY_UNMATCHED, evidence),
            match=Match(status=MatchStatus.UNMATCHED),
        )
    return Matching(
        step=_step(Finding.OK, Reason.NOT_A_REPLY, {}), match=Match(status=MatchStatus.NONE)
    )


def _step(finding: Finding, reason: Reason, evidence: dict[str, str]) -> Step:
    return Step(stage=Stage.MATCH, finding=finding, reason=reason, evidence=evidence)
