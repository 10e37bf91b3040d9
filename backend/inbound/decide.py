"""Stages 3 to 5 in their order: what is to become of one message. Changes nothing.

The stages are pure; between them the facts they weigh are read from the database, so that a dry
run is this very code.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.inbound.facts import look_up
from backend.inbound.match import asked_ids, match
from backend.inbound.route import route
from backend.inbound.screen import screen
from backend.inbound.settle import Rest
from backend.model.inbound import Finding, InboundStatus, Reason, Stage, Step

if TYPE_CHECKING:
    from backend.inbound.match import Matching
    from backend.inbound.route import Routing
    from backend.model.inbound import InboundMessage, ParsedMail
    from backend.store.engine import Database

MAX_STORED_TEXT = 1_000_000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the stages concluded; ``rest`` is None when the message goes on to its target."""

    message: InboundMessage
    steps: tuple[Step, ...]
    rest: Rest | None = None


async def decide(
    db: Database, message: InboundMessage, mail: ParsedMail, inbound_domain: str
) -> Decision:
    """Screen, match and route one message as read; raises DatabaseBusyError."""
    read = _with_content(message, mail)
    steps = [_parsed(mail)]
    screening = screen(message.verdicts, mail)
    steps.append(screening.step)
    if screening.stopped is not None:
        return _resting(read, steps, screening.stopped)
    place, answered = await db.read(look_up, message.recipient, asked_ids(mail), inbound_domain)
    matching = match(mail, answered)
    routing = route(place, answered)
    steps += [matching.step, routing.step]
    known = _with_way(read, matching, routing)
    if routing.route is None:
        return _resting(known, steps, InboundStatus.UNROUTED)
    return Decision(message=known, steps=tuple(steps))


def _with_content(message: InboundMessage, mail: ParsedMail) -> InboundMessage:
    return replace(
        message,
        message_id=mail.message_id,
        from_address=mail.from_address,
        from_name=mail.from_name,
        subject=mail.subject,
        text=mail.text[:MAX_STORED_TEXT],
    )


def _with_way(message: InboundMessage, matching: Matching, routing: Routing) -> InboundMessage:
    same_tenant = message.tenant_id == routing.tenant_id
    return replace(
        message,
        tenant_id=routing.tenant_id,
        reply_match_status=matching.match.status,
        reply_to_email_id=matching.match.email_id,
        # a message processed once more stays in the conversation it began
        thread_id=matching.match.thread_id or (message.thread_id if same_tenant else None),
        route=routing.route,
    )


def _resting(message: InboundMessage, steps: list[Step], status: InboundStatus) -> Decision:
    rest = Rest(status=status, reason=steps[-1].reason, steps=tuple(steps))
    return Decision(message=message, steps=rest.steps, rest=rest)


def _parsed(mail: ParsedMail) -> Step:
    if not mail.defects:
        return Step(stage=Stage.PARSE, finding=Finding.OK, reason=Reason.PARSED)
    return Step(
        stage=Stage.PARSE,
        finding=Finding.NOTE,
        reason=Reason.PARSED_WITH_DEFECTS,
        evidence={"defects": "; ".join(mail.defects)[:500]},
    )
