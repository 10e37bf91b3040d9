"""Process waiting messages once more, because a person asked for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.model.inbound import WAITING, Finding, InboundStatus, Reason, Stage, Step
from backend.model.work import WorkKind
from backend.queue import items
from backend.store import audit, explanations
from backend.store import inbound as store
from backend.store.audit import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.ports import Clock, Ids
    from backend.store.engine import Database
    from backend.store.types import Tx

MAX_IDS = 1_000


async def reprocess(
    db: Database, clock: Clock, ids: Ids, inbound_ids: Sequence[str], *, actor: str
) -> int:
    """Queue the waiting ones among the messages and give how many; others are left alone.

    A message that was delivered, suppressed or is on its way is refused by not being counted.
    Raises InvalidInputError for more than 1,000 ids at once.
    """
    wanted = list(dict.fromkeys(inbound_ids))
    if len(wanted) > MAX_IDS:
        raise InvalidInputError(f"at most {MAX_IDS} messages at once; select fewer", field="ids")
    entries = {
        inbound_id: AuditEntry(
            id=ids.new("aud"),
            at=clock.now(),
            actor=actor,
            action="inbound.reprocess",
            subject=inbound_id,
        )
        for inbound_id in wanted
    }
    return await db.write(_queue_all, entries, clock.now())


def _queue_all(tx: Tx, entries: dict[str, AuditEntry], now: datetime) -> int:
    return sum(_queue(tx, entry, now) for entry in entries.values())


def _queue(tx: Tx, entry: AuditEntry, now: datetime) -> bool:
    message = store.get(tx, entry.subject)
    if message is None or message.status not in WAITING:
        return False
    fresh = replace(message, status=InboundStatus.RECEIVED, reason=Reason.REPROCESSED)
    store.save(tx, replace(fresh, route=None))
    evidence = {"by": entry.actor, "was": message.status.value, "because": message.reason.value}
    step = Step(
        stage=Stage.INTAKE,
        finding=Finding.NOTE,
        reason=Reason.REPROCESSED,
        evidence=evidence,
    )
    explanations.add_run(tx, message.id, [step], now)
    audit.add(tx, replace(entry, tenant_id=message.tenant_id, detail=evidence))
    items.enqueue(tx, WorkKind.INBOUND, message.id, run_at=now, now=now)
    return True
