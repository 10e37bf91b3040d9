"""Stages 3 to 5 in their order: what is to become of one message. Changes nothing.

The stages are pure; between them the facts they weigh are read from the database, all in one read,
so that a message is weighed against one moment. A dry run is this very code.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.inbound.hand_way import attached, routed_by_hand, waived_by, waived_steps
from backend.inbound.match import match
from backend.inbound.match_claims import read_claims
from backend.inbound.match_facts import look_up_match
from backend.inbound.route import route
from backend.inbound.rules_read import RuleShelf, weigh_rules
from backend.inbound.settle import Rest
from backend.model.inbound import Finding, InboundStatus, Reason, Stage, Step
from backend.store import threads

if TYPE_CHECKING:
    from backend.inbound.match import Matching
    from backend.inbound.route_answer import Routing
    from backend.inbound.rules_read import Trial
    from backend.inbound.screen_context import Screener
    from backend.model.inbound import InboundMessage, ParsedMail
    from backend.reply_tokens import ReplyTokens
    from backend.store.types import Tx

MAX_STORED_TEXT = 1_000_000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the stages concluded; ``rest`` is None when the message goes on to its target."""

    message: InboundMessage
    steps: tuple[Step, ...]
    rest: Rest | None = None


def decide(
    tx: Tx,
    message: InboundMessage,
    mail: ParsedMail,
    inbound_domain: str,
    *,
    screener: Screener,
    tokens: ReplyTokens,
    trial: Trial | None = None,
    shelf: RuleShelf | None = None,
) -> Decision:
    """Screen, match and route one message as read; for a reader's thread, as rules take time."""
    read = _with_content(message, mail)
    steps = [_parsed(mail), *waived_steps(message.by_hand)]
    screening = screener.first(tx, read, mail)
    steps += screening.steps
    read = replace(read, verdicts=screening.verdicts)
    if screening.stopped is not None:
        return _resting(read, steps, screening.stopped)
    claims = read_claims(message.recipient, mail)
    place, facts = look_up_match(tx, read, claims, inbound_domain, tokens)
    waived = screener.waived | waived_by(message.by_hand)
    matching = match(read, mail, claims, facts, waived=waived)
    if thread_id := message.by_hand.thread_id:
        matching = attached(read, matching, threads.get(tx, thread_id))
    outcome = weigh_rules(
        tx, read, mail, (place, matching.match), shelf=shelf or RuleShelf(), trial=trial
    )
    chosen = routed_by_hand(read, matching.match)
    routing = chosen or route(place, matching.match, outcome, waived=waived)
    steps += [matching.step, *(() if matching.stopped else routing.steps)]
    read = replace(read, tags=outcome.tags, fields=outcome.fields)
    known = _with_way(read, matching, routing)
    last = screener.second(tx, read, known, mail)
    if last is not None and last.stopped is not None:
        return _resting(known, [*steps, *last.steps], last.stopped)
    stopped = matching.stopped or (None if routing.route else routing.stopped)
    if stopped is not None:
        return _resting(known, steps, stopped)
    return Decision(message=known, steps=tuple(steps))


def _with_content(message: InboundMessage, mail: ParsedMail) -> InboundMessage:
    return replace(
        message,
        message_id=mail.message_id,
        from_address=mail.from_address,
        from_name=mail.from_name,
        subject=mail.subject,
        text=mail.text[:MAX_STORED_TEXT],
        reply_text=mail.reply_text[:MAX_STORED_TEXT],
        kind=mail.facts.classification.kind,
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
        contact_id=matching.match.contact_id,
        match_flags=matching.match.flags,
        route=None if matching.stopped else routing.route,
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
