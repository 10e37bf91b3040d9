"""Those turned away by the gate: each gets another turn, many in one transaction.

When a destination is full or rests, what else is due for it would only be claimed to be turned
away as well, before all that waits for others. So the first that is turned away takes them along.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from backend.queue import items
from backend.store import webhook_deliveries

if TYPE_CHECKING:
    from datetime import datetime

    from backend.bus.context import Bus
    from backend.bus.gate import Turns
    from backend.model.work import WorkItem
    from backend.store.types import Tx

ALONG = 1000
"""How many are taken along at most; the writer serves others too."""


async def step_aside(
    item: WorkItem, bus: Bus, lane: str, *, endpoint_id: str | None = None, rest: float = 0.0
) -> None:
    """Put an item back, and with it what else is due for an endpoint, or all of its kind."""
    turns = bus.gate.turns(lane, rest=rest)
    given = await bus.db.write(_step_aside, item, turns, endpoint_id, bus.clock.now())
    bus.gate.took(lane, turns, given)


def _step_aside(
    tx: Tx, item: WorkItem, turns: Turns, endpoint_id: str | None, now: datetime
) -> int:
    items.proceed(tx, item, now + timedelta(seconds=turns.wait(0)))
    due = items.due_refs(tx, item.kind, now, ALONG)
    if endpoint_id is not None:
        due = webhook_deliveries.only_of(tx, endpoint_id, due)
    later = {
        ref: now + timedelta(seconds=turns.wait(number)) for number, ref in enumerate(due, start=1)
    }
    items.put_off(tx, item.kind, later)
    return len(later) + 1
