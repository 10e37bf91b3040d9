"""Walking the log along its indexes: places only, no rows; both directions merged lazily.

Each way, and each status asked for, is one branch that an index holds in log order; the database
merges the branches (SQLite by co-routines, PostgreSQL by a merge append) and stops at the limit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import asc, desc, func, literal, select, tuple_, union_all

from backend.model.inbound import InboundStatus
from backend.model.log import Direction, LogField, LogSort
from backend.model.outbound import EmailStatus
from backend.store.log_terms import meant
from backend.store.schema import emails, inbound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Any

    from sqlalchemy import ColumnElement, Select

    from backend.model.log import LogCursor, LogQuery, LogSpan, LogTerm
    from backend.store.types import Tx

_WORDS = {
    Direction.OUT: {status.value for status in EmailStatus},
    Direction.IN: {status.value for status in InboundStatus},
}


class Place(NamedTuple):
    """Where one mail stands in the log; sorts by time, then id."""

    at: datetime
    id: str
    way: Direction


class _Branch(NamedTuple):
    """One way of the log under some conditions, in the order of an index."""

    way: Direction
    conditions: list[ColumnElement[bool]]


def columns_of(way: Direction) -> tuple[Any, Any, Any]:
    """Give the columns (moment, id, status) of one way."""
    if way is Direction.OUT:
        return emails.c.created_at, emails.c.id, emails.c.status
    return inbound.c.received_at, inbound.c.id, inbound.c.status


def walk(tx: Tx, query: LogQuery, span: LogSpan) -> list[Place]:
    """Give the places of a span, in log order; one more than its size when there are more.

    The one too many is the farthest from the span's place.
    """
    up = query.ascending != span.backward  # whether the walk goes towards later mail
    by_status = query.sort is LogSort.STATUS
    sides = [_side(one, span.place, up=up, by_status=by_status) for one in _branches(query)]
    if not sides:
        return []
    order = asc if up else desc
    keys: list[Any] = [order(name) for name in (("status",) if by_status else ()) + ("at", "id")]
    whole: Any = sides[0] if len(sides) == 1 else union_all(*sides)
    rows = tx.execute(whole.order_by(*keys).limit(span.size + 1).offset(span.skip)).all()
    found = [Place(row.at, row.id, Direction(row.way)) for row in rows]
    return found[::-1] if span.backward else found


def count(tx: Tx, query: LogQuery, limit: int | None) -> int:
    """Count along the indexes, each branch at most to ``limit`` + 1."""
    total = 0
    for way, conditions in _branches(query):
        mail_id = columns_of(way)[1]
        some = select(mail_id).where(*conditions)
        if limit is None:
            rows = select(func.count()).select_from(mail_id.table).where(*conditions)
        else:
            rows = select(func.count()).select_from(some.limit(limit + 1).subquery())
        total += int(tx.execute(rows).scalar_one())
    return total


def _side(branch: _Branch, place: LogCursor | None, *, up: bool, by_status: bool) -> Select[Any]:
    at, mail_id, status = columns_of(branch.way)
    keys: tuple[Any, ...] = (
        at.label("at"),
        mail_id.label("id"),
        literal(branch.way.value).label("way"),
    )
    rows = select(*keys, *((status.label("status"),) if by_status else ()))
    rows = rows.where(*branch.conditions)
    if place is None:
        return rows
    key = tuple_(status, at, mail_id) if by_status else tuple_(at, mail_id)
    other = (place.key, place.at, place.id) if by_status else (place.at, place.id)
    return rows.where(key > other if up else key < other)


def _branches(query: LogQuery) -> list[_Branch]:
    """Split a query so that every branch is in the order of one index."""
    ways = [query.direction] if query.direction is not None else list(Direction)
    found = []
    for way in ways:
        wanted = _wanted(query, way)
        if wanted is None:
            found.append(_Branch(way, meant(query, way)))
            continue
        rest = meant(_without_status(query), way)
        status = columns_of(way)[2]
        found += [_Branch(way, [*rest, status == word]) for word in sorted(wanted)]
    return found


def _wanted(query: LogQuery, way: Direction) -> set[str] | None:
    """Give the statuses of this way that are asked for; None when all are."""
    asked = [set(t.values) for t in query.terms if _is_status(t)]
    return set.intersection(_WORDS[way], *asked) if asked else None


def _is_status(term: LogTerm) -> bool:
    return term.field is LogField.STATUS and not term.negated


def _without_status(query: LogQuery) -> LogQuery:
    return replace(query, terms=tuple(t for t in query.terms if not _is_status(t)))


def known(tx: Tx, query: LogQuery, mail_ids: Sequence[str]) -> list[Place]:
    """Give the places of those of these mails that a query means, in no order."""
    found = []
    for way in [query.direction] if query.direction is not None else list(Direction):
        at, mail_id, _ = columns_of(way)
        rows = select(at.label("at"), mail_id.label("id"))
        rows = rows.where(mail_id.in_(mail_ids), *meant(query, way))
        found += [Place(row.at, row.id, way) for row in tx.execute(rows)]
    return found
