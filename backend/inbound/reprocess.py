"""Process messages once more, because a person asked for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.inbound.reprocess_guard import refusal
from backend.model.inbound import Finding, InboundStatus, Reason, Stage, Step
from backend.model.jobs import JobLine, LineOutcome
from backend.model.work import WorkKind
from backend.queue import items
from backend.store import audit, deliveries, explanations
from backend.store import inbound as store
from backend.store.audit import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.ports import Clock, Ids
    from backend.store.engine import Database
    from backend.store.types import Tx

MAX_IDS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who asks for a message to go again, when, and the id of the audit entry that says so."""

    actor: str
    at: datetime
    entry_id: str


async def reprocess(
    db: Database, clock: Clock, ids: Ids, inbound_ids: Sequence[str], *, actor: str
) -> int:
    """Queue those of the messages that may go again and give how many; see ``queue_many``."""
    lines = await queue_many(db, clock, ids, inbound_ids, actor=actor)
    return sum(line.outcome is LineOutcome.CHANGED for line in lines)


async def queue_many(
    db: Database, clock: Clock, ids: Ids, inbound_ids: Sequence[str], *, actor: str
) -> list[JobLine]:
    """Queue messages to be processed anew, and say of each that may not be why not.

    A message that reached its target, may yet reach it, was discarded or is a counted report is
    left alone. Raises InvalidInputError for more than 1,000 ids at once.
    """
    wanted = list(dict.fromkeys(inbound_ids))
    if len(wanted) > MAX_IDS:
        raise InvalidInputError(f"at most {MAX_IDS} messages at once; select fewer", field="ids")
    now = clock.now()
    hands = {one: Hand(actor=actor, at=now, entry_id=ids.new("aud")) for one in wanted}
    return await db.write(_queue_all, hands)


def _queue_all(tx: Tx, hands: dict[str, Hand]) -> list[JobLine]:
    return [queue_again(tx, inbound_id, hand) for inbound_id, hand in hands.items()]


def queue_again(tx: Tx, inbound_id: str, hand: Hand) -> JobLine:
    """Queue one message, unless the duplicate guard refuses; give what became of it."""
    message = store.get(tx, inbound_id)
    if message is None:
        return JobLine(
            ref=inbound_id, outcome=LineOutcome.FAILED, sentence="there is no such message"
        )
    refused = refusal(message, deliveries.of_message(tx, inbound_id))
    if refused:
        return JobLine(ref=inbound_id, outcome=LineOutcome.REFUSED, sentence=refused)
    fresh = replace(message, status=InboundStatus.RECEIVED, reason=Reason.REPROCESSED)
    store.save(tx, replace(fresh, route=None))
    evidence = {"by": hand.actor, "was": message.status.value, "because": message.reason.value}
    step = Step(
        stage=Stage.INTAKE,
        finding=Finding.NOTE,
        reason=Reason.REPROCESSED,
        evidence=evidence,
    )
    explanations.add_run(tx, message.id, [step], hand.at)
    entry = AuditEntry(
        id=hand.entry_id,
        at=hand.at,
        actor=hand.actor,
        action="inbound.reprocess",
        subject=message.id,
        tenant_id=message.tenant_id,
        detail=evidence,
    )
    audit.add(tx, entry)
    items.enqueue(tx, WorkKind.INBOUND, message.id, run_at=hand.at, now=hand.at)
    return JobLine(ref=inbound_id, outcome=LineOutcome.CHANGED, sentence="queued")
