"""The send pace: one row that says from when the next recipient may be sent to.

All processes draw from it, so that no two of them together exceed the rate of the account.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from backend.store.schema import pace as t

if TYPE_CHECKING:
    from datetime import datetime

    from backend.store.types import Tx

SEND = "send"
REACH = timedelta(minutes=5)


def reserve(tx: Tx, span: timedelta, *, now: datetime, ahead: timedelta) -> tuple[datetime, bool]:
    """Reserve the next free ``span`` of sending time and give its start and True.

    When the next free moment is more than ``ahead`` away nothing is reserved: that moment comes
    back with False. A moment further off than any reservation can reach means that the wall
    clock has jumped back; it is ignored.
    """
    found = tx.execute(select(t.c.next_at).where(t.c.name == SEND).with_for_update()).scalar()
    if found is None:
        tx.execute(insert(t).values(name=SEND, next_at=now + span))
        return now, True
    start = max(found, now)
    if start > now + ahead and start < now + REACH:
        return start, False
    if start >= now + REACH:
        start = now
    tx.execute(update(t).where(t.c.name == SEND).values(next_at=start + span))
    return start, True
