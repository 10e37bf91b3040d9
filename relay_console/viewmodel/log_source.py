"""The log as a row source: any part of a million lines by the nearest place that is known.

The table asks by position, the backend answers by place (keyset). This keeps the places of lines it
has read, by their distance from the oldest line, which new mail does not change. What is asked for
is then next to a known place, or near the top or the bottom; only a jump into the unknown middle is
a walk over an index.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from backend import LogSort, LogSpan
from relay_console.viewmodel.filters import log_query
from relay_console.viewmodel.rows import log_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend import LogCount, LogCursor, LogEntry, LogQuery
    from relay_console.service import LogVerbs
    from relay_console.session import Session
    from relay_console.viewmodel.table import TableRow

_KNOWN = 5_000
"""Places kept; what is scrolled through is found again at once."""
_REST = 30
"""A whole count that took a second is not repeated for half a minute; see ``_Total``."""
_CHEAP = timedelta(milliseconds=20)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Places:
    """Places of known lines by their distance from the end of the list, the last line's is 1."""

    known: dict[int, LogCursor] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)

    def keep(self, distance: int, place: LogCursor) -> None:
        """Remember the place of a line."""
        if distance not in self.known:
            if len(self.known) >= _KNOWN:
                self.forget()
            insort(self.order, distance)
        self.known[distance] = place

    def forget(self) -> None:
        """Forget all."""
        self.known.clear()
        self.order.clear()

    def span(self, total: int, start: int, size: int) -> LogSpan:
        """Give the span for lines ``start`` to ``start + size``, by the shortest walk."""
        first, last = total - start, total - start - size + 1  # distances of its ends
        above = self._next_above(first + 1)
        below = self._next_below(last - 1)
        walks = [(start, LogSpan(size=size, skip=start))]
        if last >= 1:
            walks.append((last - 1, LogSpan(size=size, skip=last - 1, backward=True)))
        if above is not None:
            skip = above - first - 1
            walks.append((skip, LogSpan(size=size, place=self.known[above], skip=skip)))
        if below is not None:
            skip = last - below - 1
            place = self.known[below]
            walks.append((skip, LogSpan(size=size, place=place, skip=skip, backward=True)))
        return min(walks, key=lambda walk: walk[0])[1]

    def _next_above(self, distance: int) -> int | None:
        at = bisect_left(self.order, distance)
        return self.order[at] if at < len(self.order) else None

    def _next_below(self, distance: int) -> int | None:
        at = bisect_left(self.order, distance + 1) - 1
        return self.order[at] if at >= 0 else None


@dataclass(slots=True)
class _Total:
    """How many lines there are: counted whole now and then, and between only what is new."""

    whole: int = -1
    newest: LogEntry | None = None
    until: datetime = _LONG_AGO


@dataclass(slots=True)
class LogSource:
    """The log under one filter line; a bad line raises InvalidInputError when it is asked."""

    session: Session
    line: str = ""
    sort: LogSort = LogSort.TIME
    ascending: bool = False
    capped: bool = False
    _total: int = 0
    _places: Places = field(default_factory=Places)
    _seen: _Total = field(default_factory=_Total)

    async def count(self) -> int:
        """Count the mail; ``capped`` tells afterwards that there is more than is counted."""
        query = await self._query()
        log = (await self.session.service()).mail_log
        counted = await self._counted(log, query)
        if counted < 0:
            found = await self._count_whole(log, query)
            self.capped, counted = not found.exact, found.n
        # distances mean nothing when the end is not known, or lines may come and go amid the rest
        grows_on_top = self.sort is LogSort.TIME and not self.ascending and not query.terms
        if self.capped or (counted != self._total and not grows_on_top):
            self._places.forget()
        self._total = counted
        return counted

    async def page(self, start: int, size: int) -> Sequence[TableRow]:
        """Give a page by position."""
        service = await self.session.service()
        query = await self._query()
        size = min(size, max(0, self._total - start)) or size
        page = await service.mail_log.page(query, self._places.span(self._total, start, size))
        for number, entry in enumerate(page.entries):
            self._places.keep(self._total - start - number, entry.cursor(self.sort))
        names = await self.session.tenant_names({entry.tenant_id for entry in page.entries})
        now = self.session.clock()
        return [log_row(entry, names, now) for entry in page.entries]

    async def _query(self) -> LogQuery:
        now = self.session.clock()
        query = log_query(self.line, await self.session.tenants(), now)
        return replace(query, sort=self.sort, ascending=self.ascending)

    async def _counted(self, log: LogVerbs, query: LogQuery) -> int:
        """Give the last whole count and what came since, -1 when it is time to count anew."""
        seen = self._seen
        if seen.newest is None or self.session.clock() >= seen.until:
            return -1
        later = seen.newest.at + timedelta(milliseconds=1)
        since = max(later, query.since) if query.since else later
        return seen.whole + (await log.count(replace(query, since=since))).n

    async def _count_whole(self, log: LogVerbs, query: LogQuery) -> LogCount:
        clock = self.session.clock
        began = clock()
        newest = replace(query, sort=LogSort.TIME, ascending=False)
        first = (await log.page(newest, LogSpan(size=1))).entries
        found = await log.count(query, None)
        took = clock() - began
        rests = took > _CHEAP and found.exact
        self._seen = _Total(
            whole=found.n,
            newest=first[0] if first else None,
            until=clock() + (_REST * took if rests else timedelta()),
        )
        return found
