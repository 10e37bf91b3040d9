"""The log for the console, the command line and the API; get it as ``backend.mail_log``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.analytics import series
from backend.errors import InvalidInputError, NotFoundError
from backend.model.log import (
    COUNTED,
    Direction,
    LogCount,
    LogCursor,
    LogNews,
    LogPage,
    LogQuery,
    LogSpan,
    SentLine,
)
from backend.store import emails, events, log, log_find

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from backend.model.analytics import Analytics
    from backend.model.log import LogEntry
    from backend.model.stats import Counter
    from backend.ports import Clock
    from backend.store.engine import Database
    from backend.store.types import Tx

EXPORTED = 1_000
"""Lines an export reads at a time."""


class LogDesk:
    """Questions about the log; every one may raise a RelayError."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def page(self, query: LogQuery, span: LogSpan) -> LogPage:
        """Give the lines of a span in log order."""
        return await self._db.read(log.page, query, span)

    async def count(self, query: LogQuery, limit: int | None = COUNTED) -> LogCount:
        """Count the mail a query means, up to ``limit``; exactly when that is None.

        Searches by words are never counted beyond 10,000.
        """
        return await self._db.read(log.count, query, limit)

    async def every(self, query: LogQuery) -> AsyncIterator[Sequence[LogEntry]]:
        """Give all a query means, page by page, however much: for exports.

        What comes while it runs is newer than its first page and stays out.
        """
        place = None
        while True:
            page = await self.page(query, LogSpan(size=EXPORTED, place=place))
            if page.entries:
                yield page.entries
            if not page.more:
                return
            place = page.entries[-1].cursor(query.sort)

    async def sent(
        self, tenant_id: str, size: int, *, edge: str = "", backward: bool = False
    ) -> tuple[Sequence[SentLine], bool]:
        """Give sent mail of a tenant, newest first, beyond the mail ``edge``, and whether more.

        Raises InvalidInputError when ``edge`` is no mail of the tenant.
        """
        return await self._db.read(_sent, tenant_id, LogSpan(size=size, backward=backward), edge)

    async def begin(self, query: LogQuery, size: int) -> tuple[LogPage, int]:
        """Give the newest lines and the mark from which ``news`` goes on, of one moment."""
        return await self._db.read(_begin, query, size)

    async def news(self, query: LogQuery, mark: int) -> LogNews:
        """Give what came or changed after a mark and is meant by a query."""
        return await self._db.read(log.news, query, mark)

    async def find(self, name: str, tenant_id: str | None = None) -> str:
        """Give our id of a mail by that id, its SES id, a Message-ID or an address.

        An address means the newest mail to it or from it. Raises NotFoundError.
        """
        found = await self._db.read(log_find.find, name, tenant_id)
        if found is None:
            raise NotFoundError(
                f"there is no mail {name}; name it by our id, the SES id, the Message-ID,"
                " or the address of a recipient"
            )
        return found

    async def analytics(
        self, since: datetime, until: datetime, tenant_id: str | None = None
    ) -> Analytics:
        """Give what became of the mail of some days; widened to whole days, UTC."""
        first, end = series.whole_days(since, until)
        return await self._db.read(series.analytics, first, end, tenant_id, self._clock.now())

    async def totals(
        self, since: datetime, until: datetime, tenant_id: str | None = None
    ) -> dict[Counter, int]:
        """Add the counters up from the midnight of ``since`` to ``until``."""
        return await self._db.read(series.totals, since, until, tenant_id, self._clock.now())


def _sent(tx: Tx, tenant_id: str, span: LogSpan, edge: str) -> tuple[Sequence[SentLine], bool]:
    if edge:
        mail = emails.get(tx, edge, tenant_id)
        if mail is None:
            name = "before" if span.backward else "after"
            raise InvalidInputError(f"{name}: there is no mail {edge}", field=name)
        span = replace(span, place=LogCursor(at=mail.created_at, id=mail.id))
    query = LogQuery(tenant_id=tenant_id, direction=Direction.OUT)
    page = log.page(tx, query, span)
    ids = [entry.id for entry in page.entries]
    found = emails.get_many(tx, ids)
    seen = events.seen(tx, ids)
    lines = [SentLine(email=found[i], seen=seen.get(i, frozenset())) for i in ids if i in found]
    return lines, page.more


def _begin(tx: Tx, query: LogQuery, size: int) -> tuple[LogPage, int]:
    return log.page(tx, query, LogSpan(size=size)), log.newest_mark(tx)
