"""The send pace: a row that says from when the next recipient may be sent to, and a brake.

All processes draw from it, so that no two of them together exceed the rate of the account. After
SES asked to slow down, half of the rate is left; it comes back evenly, all of it after a minute
(additive increase, multiplicative decrease). So one moment says it all: when the rate is whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.store.schema import pace as t

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Select

    from backend.store.types import Tx

SEND = "send"
WHOLE = "whole"
REACH = timedelta(minutes=5)  # 50 recipients at the least rate of the sandbox take 250 s
REGAIN = timedelta(seconds=60)
LEAST = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """Sending time from ``start`` on, if it is ``ours``; ``share`` is the part of the rate."""

    start: datetime
    ours: bool
    share: float


def reserve(tx: Tx, span: timedelta, *, now: datetime, ahead: timedelta) -> Reserved:
    """Reserve the next free sending time, as much as ``span`` is at the whole rate.

    When the next free moment is more than ``ahead`` away nothing is reserved. A moment further off
    than any reservation can reach means that the wall clock has jumped back; it is ignored.
    """
    rows = _rows(tx, _LOCKED)
    share = _share(rows, now)
    start = max(rows.get(SEND, now), now)
    if start >= now + REACH:
        start = now
    ours = start <= now + ahead
    if ours:
        _put(tx, SEND, start + span / share)
    return Reserved(start=start, ours=ours, share=share)


def share(tx: Tx, now: datetime) -> float:
    """Give the part of the rate that is used at present, 1.0 for all of it."""
    return _share(_rows(tx, _READ), now)


def slow_down(tx: Tx, now: datetime) -> None:
    """Halve the rate in use; it is whole again a minute after it was halved once."""
    left = max(_share(_rows(tx, _LOCKED), now) / 2, LEAST)
    _put(tx, WHOLE, now + 2 * REGAIN * (1 - left))


def _rows(tx: Tx, query: Select[Any]) -> Mapping[str, datetime]:
    return {row.name: row.next_at for row in tx.execute(query)}


def _share(rows: Mapping[str, datetime], now: datetime) -> float:
    whole_at = rows.get(WHOLE, now)
    missing = (whole_at - now) / (2 * REGAIN)
    # more than was ever taken away: the wall clock was set back
    return 1.0 if missing > 1 else min(1.0, max(LEAST, 1.0 - missing))


def _put(tx: Tx, name: str, moment: datetime) -> None:
    if tx.execute(_MOVE, {"of": name, "to": moment}).rowcount == 0:
        tx.execute(_ADD[tx.dialect.name], {"name": name, "next_at": moment})


_READ = select(t).order_by(t.c.name)
_LOCKED = _READ.with_for_update()
_MOVE = update(t).where(t.c.name == bindparam("of")).values(next_at=bindparam("to"))
_ADD = {
    "postgresql": postgresql.insert(t).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(t).on_conflict_do_nothing(),
}
