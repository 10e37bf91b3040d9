"""What an act of a person makes of one message, before anything is written; reads only.

Each act gives a plan, or the sentence why it may not be done. A preview makes the same plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.inbound.hand_conversation import find_conversation
from backend.inbound.hand_senders import SenderWish, plan_entry
from backend.inbound.hand_way import action_for
from backend.inbound.release import why_not_moved, why_not_put_away, why_not_released
from backend.model.inbound import (
    WAITING,
    Finding,
    InboundStatus,
    MatchStatus,
    PutAway,
    Reason,
    Route,
    Stage,
    Step,
    TargetAction,
)
from backend.model.quarantine import Attach, Discard, MarkSpam, Refused, Release, Reroute, Restore
from backend.model.screening import ListKind
from backend.store import deliveries
from backend.store.deliveries import DeliveryState

if TYPE_CHECKING:
    from backend.model.inbound import InboundMessage
    from backend.model.quarantine import Act
    from backend.model.screening import ListEntry
    from backend.store.audit import Hand
    from backend.store.threads import Thread
    from backend.store.types import Tx

_GONE = frozenset({InboundStatus.RECEIVED, InboundStatus.FORWARDING, InboundStatus.FORWARDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be written: the message as it is to be, and what goes with it.

    ``changed`` is false when the act was done before. ``anew``: it is processed once more. ``add``
    is a list entry, ``remove`` the id of one; ``joins`` is the conversation it was put into.
    """

    after: InboundMessage
    reason: Reason
    what: str
    changed: bool = True
    anew: bool = False
    add: ListEntry | None = None
    remove: str = ""
    joins: Thread | None = None


def make_plan(tx: Tx, hand: Hand, message: InboundMessage, act: Act) -> Plan | Refused:
    """Plan an act on one message."""
    made = _plan(tx, hand, message, act)
    return Refused(id=message.id, why=made) if isinstance(made, str) else made


def _plan(tx: Tx, hand: Hand, message: InboundMessage, act: Act) -> Plan | str:
    match act:
        case Release():
            return _release(tx, hand, message, act)
        case Reroute():
            return _reroute(tx, hand, message, act)
        case Attach():
            return _attach(tx, hand, message, act)
        case Discard():
            return _discard(hand, message)
        case Restore():
            return _restore(message)
        case MarkSpam():
            return _mark_spam(tx, hand, message, act)


def step_of(hand: Hand, before: InboundMessage, plan: Plan, note: str) -> Step:
    """Tell an act in the explanation: who, what it was before, and why."""
    evidence = {
        "by": hand.actor,
        "was": before.status.value,
        "because": before.reason.value,
        "note": note,
        "list": f"{plan.add.kind.value} {plan.add.pattern}" if plan.add else "",
        "thread_id": plan.joins.id if plan.joins else "",
    }
    return Step(
        stage=Stage.INTAKE if plan.anew else Stage.SETTLE,
        finding=Finding.NOTE,
        reason=plan.reason,
        evidence={name: value for name, value in evidence.items() if value},
    )


def _unchanged(message: InboundMessage, reason: Reason, what: str) -> Plan:
    return Plan(after=message, reason=reason, what=what, changed=False)


def _anew(message: InboundMessage, reason: Reason) -> InboundMessage:
    return replace(message, status=InboundStatus.RECEIVED, reason=reason, route=None)


def _release(tx: Tx, hand: Hand, message: InboundMessage, act: Release) -> Plan | str:
    before = message.by_hand
    if before.waived and message.status in _GONE:
        return _unchanged(message, Reason.RELEASED, "it was released already")
    if why := why_not_released(message):
        return why
    wish = SenderWish(
        kind=ListKind.ALLOW,
        part=act.allow,
        everywhere=act.everywhere,
        until=hand.at + act.lasting if act.lasting else None,
        note=act.note,
    )
    entry = plan_entry(tx, hand, message, wish)
    if isinstance(entry, str):
        return entry
    by_hand = replace(
        before,
        waived=before.waived | {message.reason},
        released_by=hand.actor,
        released_at=hand.at,
    )
    return Plan(
        after=_anew(replace(message, by_hand=by_hand), Reason.RELEASED),
        reason=Reason.RELEASED,
        what=f"released from {message.reason.replace('_', ' ')}",
        anew=True,
        add=entry,
    )


def _reroute(tx: Tx, hand: Hand, message: InboundMessage, act: Reroute) -> Plan | str:
    action = action_for(act.target, act.ref)
    if action is None:
        return f"{act.target.value} needs the id of what it goes to"
    owner = "" if message.tenant_id else act.tenant_id
    route = Route(target=act.target, action=action, ref=act.ref, tenant_id=owner)
    if message.by_hand.route == route and message.status in _GONE:
        return _unchanged(message, Reason.ROUTED_BY_HAND, "it was rerouted there already")
    if why := _why_not_there(tx, message, act):
        return why
    if action is TargetAction.NEW_TICKET and not (message.tenant_id or owner):
        return "its tenant is not known; say for which tenant the ticket is"
    by_hand = replace(message.by_hand, route=route, routed_by=hand.actor)
    ref = f" {act.ref}" if act.ref else ""
    return Plan(
        after=_anew(replace(message, by_hand=by_hand), Reason.ROUTED_BY_HAND),
        reason=Reason.ROUTED_BY_HAND,
        what=f"rerouted to {act.target.value}: {action.value.replace('_', ' ')}{ref}",
        anew=True,
    )


def _why_not_there(tx: Tx, message: InboundMessage, act: Reroute) -> str:
    """Guard against a second copy: never to the same target, elsewhere only when asked to."""
    reached = {
        delivery.target: delivery.external_id
        for delivery in deliveries.of_message(tx, message.id)
        if delivery.state is DeliveryState.DONE
    }
    if act.target in reached:
        named = f" as {reached[act.target]}" if reached[act.target] else ""
        return f"{act.target.value} has it already{named}; it is never sent there twice"
    if reached and not act.again:
        had = ", ".join(target.value for target in reached)
        return f"{had} has it already; ask for it again to send it to {act.target.value} as well"
    if message.status is InboundStatus.FORWARDED:
        return ""
    return why_not_moved(message)


def _attach(tx: Tx, hand: Hand, message: InboundMessage, act: Attach) -> Plan | str:
    thread = find_conversation(tx, message, act.to)
    if isinstance(thread, str):
        return thread
    if message.by_hand.thread_id == thread.id:
        return _unchanged(message, Reason.ATTACHED_BY_HAND, "it was attached there already")
    delivered = message.status is InboundStatus.FORWARDED
    if not delivered and (why := why_not_moved(message)):
        return why
    # the conversation says where it goes: a target named before is named no more
    by_hand = replace(
        message.by_hand, thread_id=thread.id, attached_by=hand.actor, route=None, routed_by=""
    )
    what = f"attached to {thread.ticket_number or thread.id}"
    after = replace(message, by_hand=by_hand)
    if delivered:
        after = replace(after, thread_id=thread.id, reply_match_status=MatchStatus.MATCHED)
        what += "; it had been delivered and is not delivered again"
    else:
        after = _anew(after, Reason.ATTACHED_BY_HAND)
    return Plan(
        after=after, reason=Reason.ATTACHED_BY_HAND, what=what, anew=not delivered, joins=thread
    )


def _discard(hand: Hand, message: InboundMessage) -> Plan | str:
    if message.by_hand.put_away is not None:
        return _unchanged(message, Reason.DISCARDED_BY_HAND, "it was put away already")
    if why := why_not_put_away(message):
        return why
    return Plan(
        after=_put_away(hand, message, Reason.DISCARDED_BY_HAND),
        reason=Reason.DISCARDED_BY_HAND,
        what="discarded; it can be restored",
    )


def _mark_spam(tx: Tx, hand: Hand, message: InboundMessage, act: MarkSpam) -> Plan | str:
    if message.reason is Reason.MARKED_AS_SPAM:
        return _unchanged(message, Reason.MARKED_AS_SPAM, "it was marked as spam already")
    discarded = message.by_hand.put_away is not None
    if not discarded and (why := why_not_put_away(message)):
        return why
    wish = SenderWish(kind=ListKind.BLOCK, part=act.block, everywhere=act.everywhere, note=act.note)
    entry = plan_entry(tx, hand, message, wish)
    if isinstance(entry, str):
        return entry
    blocked = f"; {entry.pattern} is blocked" if entry else ""
    return Plan(
        after=_put_away(hand, message, Reason.MARKED_AS_SPAM, entry.id if entry else ""),
        reason=Reason.MARKED_AS_SPAM,
        what=f"marked as spam{blocked}",
        add=entry,
    )


def _put_away(
    hand: Hand, message: InboundMessage, reason: Reason, entry_id: str = ""
) -> InboundMessage:
    first = message.by_hand.put_away
    away = PutAway(
        status=first.status if first else message.status,
        reason=first.reason if first else message.reason,
        by=hand.actor,
        at=hand.at,
        entry_id=entry_id,
    )
    by_hand = replace(message.by_hand, put_away=away)
    return replace(message, by_hand=by_hand, status=InboundStatus.DISCARDED, reason=reason)


def _restore(message: InboundMessage) -> Plan | str:
    away = message.by_hand.put_away
    if away is not None:
        by_hand = replace(message.by_hand, put_away=None)
        return Plan(
            after=replace(message, by_hand=by_hand, status=away.status, reason=away.reason),
            reason=Reason.RESTORED,
            what=f"restored: {away.status.value} again",
            remove=away.entry_id,
        )
    if message.status in WAITING:
        return _unchanged(message, Reason.RESTORED, "it stands where it was")
    if message.status is InboundStatus.DISCARDED:
        return "no person discarded it but a rule; release it instead"
    return "it is not discarded"
