"""What a person decided comes before match and route: a conversation, a target. Pure.

The matcher runs all the same, so that the explanation tells what it would have said.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.inbound.match import Matching
from backend.inbound.route_answer import Routing, new_ticket, routed
from backend.model.inbound import (
    Finding,
    Match,
    MatchStatus,
    Reason,
    Route,
    Stage,
    Step,
    TargetAction,
    TargetName,
)
from backend.model.matching import MatchBy, MatchFlag

if TYPE_CHECKING:
    from collections.abc import Set

    from backend.model.inbound import ByHand, InboundMessage
    from backend.store.threads import Thread

_WITHOUT_ID = {TargetName.PSA: TargetAction.NEW_TICKET}
_WITH_ID = {
    TargetName.PSA: TargetAction.ADD_NOTE,
    TargetName.CRM: TargetAction.LOG_ACTIVITY,
    TargetName.PORTAL: TargetAction.ADD_REPLY,
}


def action_for(target: TargetName, ref: str) -> TargetAction | None:
    """Give what a target is asked to do with or without an id; None when it needs one."""
    return (_WITH_ID if ref else _WITHOUT_ID).get(target)


def waived_by(by_hand: ByHand) -> Set[Reason]:
    """Give the reasons that hold a message no more: who chose its way vouches for its sender."""
    chosen = by_hand.route is not None or by_hand.thread_id
    return by_hand.waived | ({Reason.SENDER_NOT_PARTICIPANT} if chosen else frozenset())


def waived_steps(by_hand: ByHand) -> tuple[Step, ...]:
    """Tell what a person has released a message from, if anything."""
    if not by_hand.waived:
        return ()
    evidence = {"reasons": " ".join(sorted(by_hand.waived)), "by": by_hand.released_by}
    step = Step(stage=Stage.SCREEN, finding=Finding.NOTE, reason=Reason.WAIVED, evidence=evidence)
    return (step,)


def attached(message: InboundMessage, found: Matching, thread: Thread | None) -> Matching:
    """Put the conversation a person named in place of the one that was found."""
    if thread is None:
        return found
    by = message.by_hand.attached_by
    evidence = {
        "by": by,
        "thread_id": thread.id,
        "ticket": thread.ticket_number,
        "matcher": found.step.reason.value,
    }
    step = Step(
        stage=Stage.MATCH,
        finding=Finding.OK,
        reason=Reason.ATTACHED_BY_HAND,
        evidence={name: value for name, value in evidence.items() if value},
    )
    match = Match(
        status=MatchStatus.MATCHED,
        thread_id=thread.id,
        tenant_id=thread.tenant_id,
        route=_onward(thread),
        by=MatchBy.HAND,
        flags=found.match.flags - {MatchFlag.SENDER_NOT_PARTICIPANT},
        contact_id=found.match.contact_id,
    )
    return Matching(step=step, match=match)


def routed_by_hand(message: InboundMessage, match: Match) -> Routing | None:
    """Give the way a person chose: a target, or that of the conversation; None when they did not.

    A conversation that has no ticket yet gets one.
    """
    hand = message.by_hand
    if hand.route is not None:
        owner = hand.route.tenant_id or message.tenant_id or match.tenant_id
        named = replace(hand.route, tenant_id=owner)
        evidence = {"by": hand.routed_by} | ({"ref": named.ref} if named.ref else {})
        return routed(named, Reason.ROUTED_BY_HAND, evidence)
    if match.by is not MatchBy.HAND:
        return None
    evidence = {"by": hand.attached_by}
    if match.route is None:
        return new_ticket(match.tenant_id, Reason.ANSWER_TICKET, evidence)
    return routed(match.route, Reason.THREAD_TARGET, evidence | {"ref": match.route.ref})


def _onward(thread: Thread) -> Route | None:
    """Give where a conversation goes on; the ticket that took its ticket's place, if one did."""
    if thread.route is None or thread.route.action is TargetAction.NEW_TICKET:
        return None
    return replace(thread.route, ref=thread.merged_into or thread.route.ref)
