"""The log: mail of both directions in one list; pages by place, counts, news."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from backend.errors import InvalidInputError
from backend.model.log import (
    COUNTED,
    Direction,
    LogCount,
    LogEntry,
    LogField,
    LogNews,
    LogPage,
    LogSort,
    LogSpan,
)
from backend.store import log_changes, log_search, log_walk
from backend.store.emails import recipients_of
from backend.store.log_terms import FROM_IN
from backend.store.schema import emails, inbound

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from backend.model.log import LogQuery
    from backend.model.outbound import Recipient
    from backend.store.log_walk import Place
    from backend.store.types import Tx

_INDEXED = {LogSort.TIME, LogSort.STATUS}
_NAMED = {LogField.ID, LogField.SES}
_DETAILS = 1_000  # rows read by id at a time


def count(tx: Tx, query: LogQuery, limit: int | None = COUNTED) -> LogCount:
    """Count the mail a query means.

    Without a filter exactly: that is a count of index pages. With one, up to ``limit``, or exactly
    when it is None and the query needs no search; a search is always counted up to COUNTED.
    """
    if query.everything:
        limit = None
    if _searched(tx, query):
        most = COUNTED if limit is None else limit
        return _capped(log_search.count(tx, query, most), most)
    n = log_walk.count(tx, query, limit)
    return LogCount(n=n) if limit is None else _capped(n, limit)


def page(tx: Tx, query: LogQuery, span: LogSpan) -> LogPage:
    """Give the lines of a span; raises InvalidInputError when there are too many to sort."""
    places = _places(tx, query, span)
    more = len(places) > span.size
    if more:
        places = places[1:] if span.backward else places[:-1]
    return LogPage(entries=_entries(tx, places), more=more)


def news(tx: Tx, query: LogQuery, mark: int, limit: int = 500) -> LogNews:
    """Give the lines a query means that came or changed after ``mark``; see ``newest_mark``."""
    changed, following = log_changes.since(tx, mark, limit)
    wanted = {place.id: place for place in log_walk.known(tx, query, changed)}
    places = [wanted[mail_id] for mail_id in changed if mail_id in wanted]
    return LogNews(entries=_entries(tx, places), mark=following)


def newest_mark(tx: Tx) -> int:
    """Give the mark from which ``news`` follows the log as it is now."""
    return log_changes.newest(tx)


def _places(tx: Tx, query: LogQuery, span: LogSpan) -> list[Place]:
    if query.sort not in _INDEXED:
        return _slice(_sorted(tx, query), span)
    if not _searched(tx, query):
        return log_walk.walk(tx, query, span)
    if query.sort is LogSort.STATUS:
        return _slice(_sorted(tx, query), span)
    return log_search.search(tx, query, span)


def _searched(tx: Tx, query: LogQuery) -> bool:
    # id: and ses: name their rows by an index of their own
    named = any(term.field in _NAMED and not term.negated for term in query.terms)
    return not named and log_search.usable(tx, query)


def _capped(n: int, limit: int) -> LogCount:
    return LogCount(n=min(n, limit), exact=n <= limit)


def _sorted(tx: Tx, query: LogQuery) -> list[Place]:
    """Read all that a query means and sort it by a column that no index holds in order."""
    by_time = replace(query, sort=LogSort.TIME, ascending=False)
    places = _places(tx, by_time, LogSpan(size=COUNTED))
    if len(places) > COUNTED:
        raise InvalidInputError(
            f"sort: more than {COUNTED:,} mails cannot be sorted by {query.sort};"
            " narrow the filter first",
            field="sort",
        )
    by_id = {place.id: place for place in places}
    lines = sorted(_entries(tx, places), key=lambda one: _sort_key(one, query.sort))
    found = [by_id[line.id] for line in lines]
    return found if query.ascending else found[::-1]


def _sort_key(entry: LogEntry, sort: LogSort) -> tuple[Any, ...]:
    value = {
        LogSort.STATUS: entry.status,
        LogSort.RECIPIENT: entry.recipient.casefold(),
        LogSort.SUBJECT: entry.subject.casefold(),
        LogSort.TIME: "",
    }[sort]
    return (value, entry.at, entry.id)


def _slice(places: Sequence[Place], span: LogSpan) -> list[Place]:
    """Cut a span out of a list in memory, one more than its size when there are more."""
    if span.place is None:
        start = len(places) if span.backward else 0
    else:
        named = (at for at, place in enumerate(places) if place.id == span.place.id)
        found = next(named, None)
        if found is None:
            return []
        start = found if span.backward else found + 1
    if span.backward:
        end = max(0, start - span.skip)
        return list(places[max(0, end - span.size - 1) : end])
    start += span.skip
    return list(places[start : start + span.size + 1])


def _entries(tx: Tx, places: Sequence[Place]) -> list[LogEntry]:
    found: dict[str, LogEntry] = {}
    for start in range(0, len(places), _DETAILS):
        some = places[start : start + _DETAILS]
        found |= _sent(tx, [p.id for p in some if p.way is Direction.OUT])
        found |= _received(tx, [p.id for p in some if p.way is Direction.IN])
    return [found[place.id] for place in places if place.id in found]


def _sent(tx: Tx, ids: Sequence[str]) -> dict[str, LogEntry]:
    if not ids:
        return {}
    t = emails.c
    columns = (t.id, t.created_at, t.tenant_id, t.sender, t.subject, t.status, t.error)
    rows = tx.execute(select(*columns).where(t.id.in_(ids))).all()
    to = recipients_of(tx, ids)
    return {row.id: _sent_entry(row, to[row.id]) for row in rows}


def _sent_entry(row: Any, to: tuple[Recipient, ...]) -> LogEntry:
    return LogEntry(
        id=row.id,
        at=row.created_at,
        direction=Direction.OUT,
        tenant_id=row.tenant_id,
        sender=row.sender,
        recipient=to[0].address if to else "",
        more_recipients=max(0, len(to) - 1),
        subject=row.subject,
        status=row.status,
        note=row.error,
    )


def _received(tx: Tx, ids: Iterable[str]) -> dict[str, LogEntry]:
    if not ids:
        return {}
    t = inbound.c
    columns = (t.id, t.received_at, t.tenant_id, t.recipient, t.subject, t.status, t.reason)
    rows = select(*columns, FROM_IN.label("sender")).where(t.id.in_(ids))
    return {row.id: _received_entry(row) for row in tx.execute(rows)}


def _received_entry(row: Any) -> LogEntry:
    return LogEntry(
        id=row.id,
        at=row.received_at,
        direction=Direction.IN,
        tenant_id=row.tenant_id,
        sender=row.sender,
        recipient=row.recipient,
        more_recipients=0,
        subject=row.subject,
        status=row.status,
        note=row.reason,
    )
