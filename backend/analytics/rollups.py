"""Sums days up, so that analytics read ninety rows; run it under the role ``ROLLUPS`` only."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from backend.errors import TransientError
from backend.store import daily

if TYPE_CHECKING:
    from datetime import datetime

    from backend.ports import Clock
    from backend.store.engine import Database

log = structlog.get_logger("analytics.rollups")

ROLLUPS = "daily rollups"
LOOK_SECONDS = 60.0
_OVERLAP = timedelta(minutes=5)
"""Looked at twice: an event is written a little after the moment on it."""
_CATCH_UP = 20
"""Old days summed up in one round, when there are many: after an import, or a long rest."""


class Rollups:
    """The loop that sums up today, the days just over, and those that late events touched."""

    def __init__(self, db: Database, clock: Clock, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._db = db
        self._clock = clock
        self._look_seconds = look_seconds
        self._since: datetime | None = None

    async def run(self) -> None:
        """Sum up for as long as the role is held."""
        seen: int | None = None
        while True:
            try:
                version = await self._db.version()
                if version != seen:
                    await self.round()
                seen = await self._db.version()
            except TransientError as error:
                log.warning("days not summed up", reason=str(error))
            await asyncio.sleep(self._look_seconds)

    async def round(self) -> None:
        """Sum up what is due now, each day in a transaction of its own."""
        now = self._clock.now()
        if self._since is None:
            self._since = await self._db.read(daily.last_sum)
        due = set((await self._db.read(daily.unsummed, now))[:_CATCH_UP])
        if self._since is not None:
            due.update(await self._db.read(daily.touched, self._since - _OVERLAP))
        for day in sorted({*due, daily.midnight(now)}):
            await self._db.write(daily.sum_up, day, now)
        self._since = now
