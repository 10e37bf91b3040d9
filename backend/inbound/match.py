"""Stage 4: which conversation does the message belong to? Pure; what is known is handed in.

The order is the order of trust (docs/matching.md): a signed token, then the Message-IDs it
answers, then a ticket number. A token needs nobody's standing; the others do, since they can be
guessed or quoted by whoever was forwarded the mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.inbound.match_subject import same_subject
from backend.inbound.match_trust import Standing, read_sender
from backend.inbound.recipient import Pattern
from backend.model.inbound import (
    Finding,
    InboundStatus,
    Match,
    MatchStatus,
    Reason,
    Stage,
    Step,
    TargetAction,
)
from backend.model.matching import MatchBy, MatchFlag, TicketStatus

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from backend.inbound.match_claims import Claims
    from backend.inbound.match_known import Hit, KnownMail
    from backend.inbound.match_trust import Sender
    from backend.model.inbound import InboundMessage, ParsedMail

EVIDENCE = 200
_NAMES_A_THING = frozenset({Pattern.TICKET, Pattern.CRM, Pattern.PORTAL})
_NEEDED = {
    MatchBy.TOKEN_ADDRESS: Standing.STRANGER,
    MatchBy.TOKEN_HEADER: Standing.STRANGER,
    MatchBy.IN_REPLY_TO: Standing.COLLEAGUE,
    MatchBy.REFERENCES: Standing.COLLEAGUE,
    MatchBy.SUBJECT: Standing.PARTICIPANT,
    MatchBy.ADDRESS: Standing.STRANGER,
}
_QUOTED = frozenset({MatchBy.IN_REPLY_TO, MatchBy.REFERENCES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """The step to record and the conversation found; ``stopped`` when a person must look first."""

    step: Step
    match: Match
    stopped: InboundStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """The conversation one kind of evidence names, and how near the sender is to it."""

    hit: Hit
    standing: Standing

    @property
    def open(self) -> bool:
        """Whether the sender may come in this way."""
        return self.standing >= _NEEDED[self.hit.by]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One message with all that speaks for a conversation, the most trusted way first."""

    mail: ParsedMail
    claims: Claims
    known: KnownMail
    sender: Sender
    ways: Sequence[_Way]

    @property
    def taken(self) -> _Way | None:
        """The first way that is open to the sender."""
        return next((way for way in self.ways if way.open), None)


def match(
    message: InboundMessage,
    mail: ParsedMail,
    claims: Claims,
    known: KnownMail,
    *,
    waived: Set[Reason] = frozenset(),
) -> Matching:
    """Weigh all evidence and name the conversation.

    ``message`` carries the verdicts; ``waived`` are reasons a person has released it from.
    """
    sender = read_sender(mail.from_address, message.verdicts)
    case = _Case(
        mail=mail, claims=claims, known=known, sender=sender, ways=_ways(sender, known.hits)
    )
    found = _matched(case)
    if _needs_a_look(case) and Reason.SENDER_NOT_PARTICIPANT not in waived:
        step = _step(Finding.QUARANTINE, Reason.SENDER_NOT_PARTICIPANT, case, found)
        return Matching(step=step, match=found, stopped=InboundStatus.QUARANTINED)
    finding, reason = _conclusion(case, found)
    return Matching(step=_step(finding, reason, case, found), match=found)


def _ways(sender: Sender, hits: Sequence[Hit]) -> list[_Way]:
    """Take the strongest hit of each kind of evidence, in the order of trust."""
    found = (_strongest(sender, [hit for hit in hits if hit.by is by]) for by in MatchBy)
    return [way for way in found if way is not None]


def _strongest(sender: Sender, hits: Sequence[Hit]) -> _Way | None:
    """Take the first claim that is known; of several mails with one id, the sender's own.

    A newsletter goes out to many under one Message-ID: who answers it must not land in a
    stranger's ticket. The numbers in a subject are all tried.
    """
    if not hits:
        return None
    first = hits[0]
    rivals = [hit for hit in hits if hit.claim == first.claim or hit.by is MatchBy.SUBJECT]
    ways = (_Way(hit=h, standing=sender.standing(h.conversation.participants)) for h in rivals)
    return max(ways, key=lambda way: way.standing)


def _matched(case: _Case) -> Match:
    flags, taken = _flags(case), case.taken
    claimed = case.claims.answers_something
    status = MatchStatus.UNMATCHED if claimed else MatchStatus.NONE
    if taken is None:
        return Match(status=status, flags=flags, contact_id=case.known.contact_id)
    thread, email = taken.hit.conversation.thread, taken.hit.email
    # who only writes to a ticket's address has his place there, but has not answered anything
    if taken.hit.by is not MatchBy.ADDRESS:
        status = MatchStatus.MATCHED
    return Match(
        status=status,
        email_id=email.id if email else None,
        thread_id=thread.id,
        tenant_id=thread.tenant_id,
        route=thread.route,
        by=taken.hit.by,
        flags=flags,
        contact_id=case.known.contact_id,
    )


def _needs_a_look(case: _Case) -> bool:
    """Tell whether a stranger quotes a mail of ours, or would speak as the client in public.

    An address that names a ticket takes mail of anyone; it is marked, not held.
    """
    if case.known.pattern in _NAMES_A_THING:
        return False
    taken = case.taken
    if taken is None:
        return any(way.hit.by in _QUOTED for way in case.ways)
    route = taken.hit.conversation.thread.route
    public = route is not None and route.action is TargetAction.ADD_REPLY
    return public and taken.standing is Standing.STRANGER


def _flags(case: _Case) -> frozenset[MatchFlag]:
    raised = {
        MatchFlag.BAD_TOKEN: bool(case.known.bad_tokens),
        MatchFlag.MESSAGE_ID_COLLISION: case.known.collision,
        MatchFlag.CONFLICT: len({way.hit.conversation.key for way in case.ways}) > 1,
        MatchFlag.SENDER_NOT_PROVEN: bool(case.ways) and not case.sender.proven,
        MatchFlag.SENDER_NOT_PARTICIPANT: _is_no_participant(case),
    }
    if case.taken is not None:
        raised |= _ticket_flags(case.mail, case.taken)
    return frozenset(flag for flag, is_raised in raised.items() if is_raised)


def _is_no_participant(case: _Case) -> bool:
    """Tell whether the sender is outside the conversation he joins, or would have joined."""
    if case.ways:
        return (case.taken or case.ways[0]).standing is not Standing.PARTICIPANT
    addressed = [case.sender.standing(c.participants) for c in case.known.addressed]
    return max(addressed, default=Standing.PARTICIPANT) is not Standing.PARTICIPANT


def _ticket_flags(mail: ParsedMail, taken: _Way) -> dict[MatchFlag, bool]:
    conversation, email = taken.hit.conversation, taken.hit.email
    thread = conversation.thread
    subjects = (thread.subject, email.subject if email else "")
    return {
        MatchFlag.SUBJECT_CHANGED: not same_subject(mail.subject, subjects),
        MatchFlag.TICKET_CLOSED: thread.ticket_status is TicketStatus.CLOSED,
        MatchFlag.TICKET_MERGED: conversation.merged,
    }


def _conclusion(case: _Case, found: Match) -> tuple[Finding, Reason]:
    if found.status is MatchStatus.MATCHED:
        finding = Finding.NOTE if found.flags else Finding.OK
        return finding, Reason.REPLY_MATCHED
    if case.known.bad_tokens:
        return Finding.NOTE, Reason.UNMATCHED_TOKEN
    if case.claims.answers_something:
        return Finding.NOTE, Reason.REPLY_UNMATCHED
    return Finding.NOTE if found.flags else Finding.OK, Reason.NOT_A_REPLY


def _step(finding: Finding, reason: Reason, case: _Case, found: Match) -> Step:
    """Write the step with all that was found, so that a conflict can be seen whole."""
    evidence = {
        "by": found.by.value if found.by else "",
        "email_id": found.email_id or "",
        "thread_id": found.thread_id or "",
        "contact_id": found.contact_id or "",
        "flags": " ".join(sorted(found.flags)),
        "bad_token": " ".join(case.known.bad_tokens)[:EVIDENCE],
        "answers": "" if case.ways else " ".join(case.claims.message_ids)[:EVIDENCE],
        **{way.hit.by.value: _said(way) for way in case.ways},
    }
    shown = {name: value for name, value in evidence.items() if value}
    return Step(stage=Stage.MATCH, finding=finding, reason=reason, evidence=shown)


def _said(way: _Way) -> str:
    thread = way.hit.conversation.thread
    named = thread.ticket_number or (thread.route.ref if thread.route else "") or thread.id
    return f"{way.hit.claim[:80]} -> {named}, sender is a {way.standing.name.lower()}"[:EVIDENCE]
