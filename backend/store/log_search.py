"""Searching the log by words: the index gives candidates in log order, the rows decide.

On SQLite the index is FTS5 with trigrams: any part of three characters or more is found without
reading the rest. On PostgreSQL it is a narrow table walked in log order, since pg_trgm may be
absent: a rare word costs a walk over that table, bounded by ``since:``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from heapq import merge
from typing import TYPE_CHECKING, Any

from sqlalchemy import asc, desc, func, literal_column, select

from backend.model.log import LogField
from backend.store.log_changes import waiting
from backend.store.log_index import SUBJECT, TAG, words_of
from backend.store.log_walk import Place, known
from backend.store.schema_log import SLOTS, log_search
from backend.store.types import to_millis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement

    from backend.model.log import LogCursor, LogQuery, LogSpan, LogTerm
    from backend.store.types import Tx

    _Patterns = list[ColumnElement[bool]]

FEW_WAITING = 2_000
"""When more mails than this wait to be indexed, the index is of no use yet."""
_FIRST, _MOST = 256, 4_096
_SURE = {LogField.TEXT, LogField.SUBJECT, LogField.TAG}
"""Fields the words of the index decide alone."""
_FAR = 2**62
_SAMPLE, _TRIED, _ASKED = 4_096, 60, 4
"""Newest mails looked at to tell rare trigrams, trigrams looked at, trigrams asked for."""


def usable(tx: Tx, query: LogQuery) -> bool:
    """Tell whether the index can narrow this query down, and holds nearly all mail."""
    searched = any(_pieces(term) for term in query.terms)
    return searched and len(waiting(tx, FEW_WAITING + 1)) <= FEW_WAITING


def search(tx: Tx, query: LogQuery, span: LogSpan) -> list[Place]:
    """Give the places of a span, as ``log_walk.walk`` does; ordered by time only."""
    up = query.ascending != span.backward
    beyond = _beyond(tx, query, span.place, up=up)
    found: list[Place] = []
    for number, place in enumerate(beyond):
        if number >= span.skip:
            found.append(place)
        if len(found) > span.size:
            break
    return found[::-1] if span.backward else found


def count(tx: Tx, query: LogQuery, limit: int) -> int:
    """Count matches, at most to ``limit`` + 1."""
    if _index_alone(tx, query):
        low, high = _bounds(query)
        rowid = log_search.c.rowid
        some = select(rowid).where(*_patterns(tx, query), rowid >= low, rowid < high)
        among = some.limit(limit + 1).subquery()
        return int(tx.execute(select(func.count()).select_from(among)).scalar_one())
    found = 0
    for _ in _beyond(tx, query, None, up=False):
        found += 1
        if found > limit:
            break
    return found


def _index_alone(tx: Tx, query: LogQuery) -> bool:
    """Tell whether the index knows all that a query asks for, so that rows need not be read."""
    scope = (query.tenant_id, query.direction)
    known_words = all(one is None for one in scope) and all(map(_decided, query.terms))
    return known_words and not waiting(tx, 1)


def _beyond(tx: Tx, query: LogQuery, place: LogCursor | None, *, up: bool) -> Iterator[Place]:
    """Give all matches on one side of a place, nearest first, each once."""
    fresh = waiting(tx, FEW_WAITING)
    late = sorted(_unindexed(tx, query, fresh), reverse=not up) if fresh else []
    held = _indexed(tx, query, place, up=up)
    edge = None if place is None else (place.at, place.id)
    last: str | None = None
    for match in merge(held, late, reverse=not up):
        here = (match.at, match.id)
        if match.id == last or (edge is not None and (here <= edge if up else here >= edge)):
            continue
        last = match.id
        yield match


def _unindexed(tx: Tx, query: LogQuery, mail_ids: list[str]) -> list[Place]:
    """Give what is meant of mails the index does not hold yet, by their words."""
    asked = [pieces for term in query.terms if (pieces := _pieces(term))]
    texts = words_of(tx, mail_ids)
    fit = [i for i, (_, words) in texts.items() if all(_holds(words, one) for one in asked)]
    return known(tx, _left_to_rows(query), fit) if fit else []


def _holds(words: str, pieces: tuple[str, ...]) -> bool:
    place = 0
    for piece in pieces:
        found = words.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    return True


def _left_to_rows(query: LogQuery) -> LogQuery:
    """Leave what the words do not decide."""
    return replace(query, terms=tuple(term for term in query.terms if not _decided(term)))


def _indexed(tx: Tx, query: LogQuery, place: LogCursor | None, *, up: bool) -> Iterator[Place]:
    """Give what the index holds and the rows confirm, nearest first."""
    rest = _left_to_rows(query)
    for ids in _candidates(tx, query, place, up=up):
        yield from sorted(known(tx, rest, ids), reverse=not up)


def _candidates(
    tx: Tx, query: LogQuery, place: LogCursor | None, *, up: bool
) -> Iterator[list[str]]:
    """Give ids in batches of whole milliseconds, so that each batch can be put into order."""
    low, high = _bounds(query)
    if place is not None:
        low, high = (
            (max(low, to_millis(place.at) * SLOTS), high)
            if up
            else (low, min(high, (to_millis(place.at) + 1) * SLOTS))
        )
    patterns = _patterns(tx, query)
    size = _FIRST
    while True:
        rows = _batch(tx, patterns, (low, high), up=up, size=size)
        if len(rows) < size:
            if rows:
                yield [mail_id for _, mail_id in rows]
            return
        edge = rows[-1][0] // SLOTS * SLOTS
        whole = _batch(tx, patterns, (edge, edge + SLOTS), up=up, size=SLOTS)
        yield [i for row, i in rows if row // SLOTS * SLOTS != edge] + [i for _, i in whole]
        low, high = (edge + SLOTS, high) if up else (low, edge)
        size = min(_MOST, 2 * size)


def _patterns(tx: Tx, query: LogQuery) -> _Patterns:
    """Ask for the pieces of every term, each term's in their order."""
    asked = [pieces for term in query.terms if (pieces := _pieces(term))]
    if tx.dialect.name != "sqlite":
        return [log_search.c.words.like(_like(pieces), escape="/") for pieces in asked]
    # QUIRK(SQLite 3.40): FTS5 crashes on a GLOB of its own of under three characters beside a
    # MATCH; the plus keeps it from taking GLOB over, and from joining the common trigrams too
    words: Any = literal_column("+log_search.words")
    globs = [words.op("GLOB", is_comparison=True)(_glob(pieces)) for pieces in asked]
    rare = _rarest(tx, asked)
    return [_match(*rare), *globs] if rare else list(globs)


def _batch(
    tx: Tx, patterns: _Patterns, bounds: tuple[int, int], *, up: bool, size: int
) -> list[tuple[int, str]]:
    t = log_search.c
    rows = select(t.rowid, t.id).where(*patterns, t.rowid >= bounds[0], t.rowid < bounds[1])
    order = (asc if up else desc)(t.rowid)
    return [(row.rowid, row.id) for row in tx.execute(rows.order_by(order).limit(size))]


def _bounds(query: LogQuery) -> tuple[int, int]:
    low = to_millis(query.since) * SLOTS if query.since is not None else 0
    high = to_millis(query.until) * SLOTS if query.until is not None else _FAR
    return max(0, low), min(_FAR, high)


def _pieces(term: LogTerm) -> tuple[str, ...]:
    """Give what the words must hold, in this order, for a term to be true; nothing: unknown."""
    value = term.values[0]
    if term.negated:
        return ()
    match term.field:
        case LogField.TEXT | LogField.TO | LogField.FROM:
            return (value,)
        case LogField.DOMAIN:
            return (f"@{value}",)
        case LogField.SUBJECT:
            return (SUBJECT, value)
        case LogField.TAG:
            return (f"{TAG}{value}\n" if "=" in value else f"{TAG}{value}=",)
        case _:
            return ()


def _decided(term: LogTerm) -> bool:
    return term.field in _SURE and not term.negated


def _like(pieces: tuple[str, ...]) -> str:
    return "%" + "%".join(re.sub(r"([%_/])", r"/\1", piece) for piece in pieces) + "%"


def _glob(pieces: tuple[str, ...]) -> str:
    return "*" + "*".join(re.sub(r"([*?\[])", r"[\1]", piece) for piece in pieces) + "*"


def _rarest(tx: Tx, asked: list[tuple[str, ...]]) -> list[str]:
    """Give the trigrams of some patterns that are rarest among the newest mails.

    To join the rows of ``com`` and ``@gm`` costs more than to read the few of ``7@g`` in full.
    """
    pieces = [piece for one in asked for piece in one]
    trigrams = sorted({piece[at : at + 3] for piece in pieces for at in range(len(piece) - 2)})
    rowid = log_search.c.rowid
    start = tx.execute(select(rowid).order_by(desc(rowid)).offset(_SAMPLE).limit(1)).scalar() or 0
    found = []
    for trigram in trigrams[:_TRIED]:
        among = select(func.count()).select_from(log_search).where(_match(trigram), rowid > start)
        found.append((tx.execute(among).scalar_one(), trigram))
    return [trigram for _, trigram in sorted(found)[:_ASKED]]


def _match(*trigrams: str) -> ColumnElement[bool]:
    wanted = " AND ".join('"' + one.replace('"', '""') + '"' for one in trigrams)
    return literal_column("log_search").op("MATCH", is_comparison=True)(wanted)
