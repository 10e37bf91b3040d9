"""Following the log: new and changed mail as it is written, until Ctrl-C."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from relay_console.cli.opening import on_stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from backend import Backend, LogEntry, LogQuery

LOOK_SECONDS = 0.3
REMEMBERED = 50_000
"""Mails whose last line is remembered, so that none is written twice unchanged."""


class Follower:
    """Writes each mail when it comes and whenever its line changes; misses none."""

    def __init__(
        self,
        backend: Backend,
        query: LogQuery,
        write: Callable[[LogEntry], None],
        flush: Callable[[], None],
    ) -> None:
        self._backend = backend
        self._query = query
        self._write = write
        self._flush = flush
        self._last: dict[str, LogEntry] = {}

    async def run(self, first: int) -> None:
        """Write the newest ``first`` lines, oldest of them first, then follow until stopped."""
        stopped = asyncio.Event()
        on_stop(stopped.set)
        page, mark = await self._backend.mail_log.begin(self._query, first)
        for entry in reversed(page.entries):
            self._show(entry)
        self._flush()
        seen = None
        while not stopped.is_set():
            version = await self._backend.version()
            if version != seen:
                mark = await self._catch_up(mark)
                seen = version
            await _wait(stopped)

    async def _catch_up(self, mark: int) -> int:
        while True:
            news = await self._backend.mail_log.news(self._query, mark)
            for entry in news.entries:
                self._show(entry)
            self._flush()
            if news.mark == mark:
                return mark
            mark = news.mark

    def _show(self, entry: LogEntry) -> None:
        if self._last.get(entry.id) == entry:
            return
        self._last.pop(entry.id, None)
        self._last[entry.id] = entry
        if len(self._last) > REMEMBERED:
            del self._last[next(iter(self._last))]
        self._write(entry)


async def _wait(stopped: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stopped.wait(), LOOK_SECONDS)
    except TimeoutError:
        return
