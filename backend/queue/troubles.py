"""Work that failed: what was given up, and what waits to be tried again; and its second chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from backend.model.work import WorkKind
from backend.store.schema import work_items as t

if TYPE_CHECKING:
    from datetime import datetime

    from backend.store.types import Tx

MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Work of one kind that failed with one error: how much, dead or not, and since when.

    ``since`` is when the oldest of it was asked for, ``next_at`` when the first is tried again.
    """

    kind: WorkKind
    dead: bool
    count: int
    error: str
    since: datetime
    next_at: datetime


def troubles(tx: Tx) -> list[Trouble]:
    """Give what failed, by kind and error: the dead first, then what is most; at most 20."""
    n = func.count().label("n")
    rows = tx.execute(
        select(t.c.kind, t.c.dead, t.c.error, n, func.min(t.c.created_at), func.min(t.c.run_at))
        .where(t.c.error != "")
        .group_by(t.c.kind, t.c.dead, t.c.error)
        .order_by(t.c.dead.desc(), n.desc(), t.c.kind, t.c.error)
        .limit(MOST)
    )
    return [
        Trouble(
            kind=WorkKind(kind),
            dead=dead,
            count=count,
            error=error,
            since=since,
            next_at=next_at,
        )
        for kind, dead, error, count, since, next_at in rows
    ]


def revive(tx: Tx, kind: WorkKind, now: datetime) -> int:
    """Make the dead work of a kind due at once, as if it were new; give how much."""
    dead = (t.c.kind == kind.value, t.c.dead.is_(True), t.c.lease_owner.is_(None))
    chance = {"dead": False, "attempts": 0, "run_at": now, "error": ""}
    return tx.execute(update(t).where(*dead).values(chance)).rowcount
