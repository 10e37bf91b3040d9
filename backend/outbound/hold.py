"""While SES takes no mail of the account: the queue waits, and one mail at a time tries.

The hold is a row, so every process waits and only one of them tries. It is asked twice: when work
is claimed, so that the queue stays as it is, and when an attempt is begun, so that mail claimed
before the hold came does not run into it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.model.sending import Hold, SendState
from backend.queue import items
from backend.store import holds, pace

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from backend.model.outbound import AccountHeld
    from backend.model.work import WorkItem, WorkKind
    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """How long to wait before a try: ``first``, doubled after each, at most ``longest``."""

    first: timedelta
    longest: timedelta

    def wait(self, probes: int) -> timedelta:
        """Give the wait after so many tries."""
        return min(self.first * float(2 ** min(probes, 16)), self.longest)


LADDERS = {
    SendState.THROTTLED: Ladder(first=timedelta(seconds=1), longest=timedelta(seconds=30)),
    SendState.QUOTA_SPENT: Ladder(first=timedelta(minutes=1), longest=timedelta(minutes=10)),
    SendState.PAUSED: Ladder(first=timedelta(minutes=1), longest=timedelta(minutes=5)),
    SendState.DENIED: Ladder(first=timedelta(seconds=30), longest=timedelta(minutes=5)),
}


def note(tx: Tx, held: AccountHeld, now: datetime) -> None:
    """Keep that SES takes no mail: begin a hold, or change what it is about.

    The calls that were under way when it began tell the same again; they change nothing.
    """
    known = holds.get(tx)
    if known is not None and known.state is held.state:
        if known.reason != held.reason:
            holds.put(tx, replace(known, reason=held.reason))
        return
    if held.state is SendState.THROTTLED:
        pace.slow_down(tx, now)
    wait = LADDERS[held.state].wait(0)
    holds.put(
        tx, Hold(state=held.state, reason=held.reason, since=now, probe_at=now + wait, probes=0)
    )


def claim(
    tx: Tx, kinds: Collection[WorkKind], owner: str, *, now: datetime, lease: timedelta, limit: int
) -> list[WorkItem]:
    """Claim mail to be sent; during a hold none, or the one that tries."""
    hold = holds.get(tx)
    if hold is None:
        return items.claim(tx, kinds, owner, now=now, lease=lease, limit=limit)
    furthest = now + LADDERS[hold.state].longest * 2  # beyond it the wall clock was set back
    if now < hold.probe_at < furthest or not items.is_due(tx, kinds, now):
        return []
    next_try = now + LADDERS[hold.state].wait(hold.probes + 1)
    if not holds.take_probe(tx, hold, next_try):
        return []
    claimed = items.claim(tx, kinds, owner, now=now, lease=lease, limit=1)
    for item in claimed:
        holds.name_probe(tx, item.id)
    return claimed


def forbids(hold: Hold | None, item: WorkItem) -> bool:
    """Tell whether an item may not be tried now, though it was claimed before the hold began."""
    return hold is not None and hold.probe_item != item.id
