"""Write what a person decided over one message: row, lists, conversation, explanation and audit.

It is one unit of work for each message of a selection; all of a batch are one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.inbound.hand_conversation import learn_citations
from backend.inbound.hand_plan import make_plan, step_of
from backend.inbound.screen_admin import put_entry
from backend.model.quarantine import ActReport, Done, Refused
from backend.model.work import WorkKind
from backend.queue import items
from backend.store import audit, by_hand, explanations, sender_lists
from backend.store import inbound as store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backend.inbound.hand_plan import Plan
    from backend.model.inbound import InboundMessage, ParsedMail
    from backend.model.quarantine import Act
    from backend.model.screening import ListEntry
    from backend.store.audit import AuditEntry, Hand
    from backend.store.types import Tx

    Mails = Mapping[str, ParsedMail]


def carry_out(tx: Tx, hand: Hand, ids: Sequence[str], act: Act, mails: Mails) -> ActReport:
    """Act on a selection; what may not be done is told, and the rest is done all the same.

    ``mails`` are the messages as read, which attaching needs; without it a message is refused.
    """
    done: list[Done] = []
    refused: list[Refused] = []
    for inbound_id in ids:
        outcome = _one(tx, hand, inbound_id, act, mails.get(inbound_id))
        if isinstance(outcome, Done):
            done.append(outcome)
        else:
            refused.append(outcome)
    return ActReport(done=tuple(done), refused=tuple(refused))


def _one(tx: Tx, hand: Hand, inbound_id: str, act: Act, mail: ParsedMail | None) -> Done | Refused:
    message = store.get(tx, inbound_id, to_change=True)
    if message is None:
        return missing(inbound_id)
    plan = make_plan(tx, hand, message, act)
    if isinstance(plan, Refused):
        return plan
    if plan.changed:
        if plan.joins is not None and mail is None:
            return Refused(id=inbound_id, why="its raw message is gone; it cannot be attached")
        _write(tx, hand, message, plan, act)
        if plan.joins is not None and mail is not None:
            learn_citations(tx, plan.joins, message, mail)
    return Done(id=inbound_id, what=plan.what, changed=plan.changed)


def missing(inbound_id: str) -> Refused:
    """Refuse an id that is none."""
    return Refused(id=inbound_id[:100], why="there is no such message")


def _write(tx: Tx, hand: Hand, before: InboundMessage, plan: Plan, act: Act) -> None:
    step = step_of(hand, before, plan, act.note)
    store.save(tx, plan.after)
    by_hand.save(tx, before.id, plan.after.by_hand)
    if plan.anew:
        explanations.add_run(tx, before.id, [step], hand.at)
        items.enqueue(tx, WorkKind.INBOUND, before.id, run_at=hand.at, now=hand.at)
    else:
        explanations.append(tx, before.id, [step], hand.at)
    if plan.add is not None:
        put_entry(tx, plan.add, _list_note(hand, plan.add, "add"))
    if plan.remove and (entry := sender_lists.get(tx, plan.remove)) is not None:
        sender_lists.remove(tx, entry.id)
        audit.add(tx, _list_note(hand, entry, "remove"))
    detail = dict(step.evidence) | {"what": plan.what}
    action = f"inbound.{plan.reason.value}"
    audit.add(tx, hand.entry(action, before.id, tenant_id=before.tenant_id, detail=detail))


def _list_note(hand: Hand, entry: ListEntry, verb: str) -> AuditEntry:
    until = entry.expires_at.isoformat() if entry.expires_at else ""
    return hand.entry(
        f"list.{entry.kind.value}.{verb}",
        entry.id,
        tenant_id=entry.tenant_id,
        detail={"pattern": entry.pattern, "note": entry.note, "expires_at": until},
    )
