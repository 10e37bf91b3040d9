"""Let go of events, and of what webhooks were posted, when they are kept no longer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from backend.errors import TransientError
from backend.store import outbox, webhook_deliveries

if TYPE_CHECKING:
    from backend.ports import Clock
    from backend.store.engine import Database

log = structlog.get_logger("bus.sweep")

EVENT_SWEEPER = "event sweeper"
EVERY = timedelta(hours=1)
FIRST = timedelta(minutes=2)  # after the start, which has enough to do


class EventSweeper:
    """Deletes what is older than ``keep``; run ``run`` under the role EVENT_SWEEPER."""

    def __init__(self, db: Database, clock: Clock, *, keep: timedelta) -> None:
        self._db = db
        self._clock = clock
        self._keep = keep

    async def run(self) -> None:
        """Sweep again and again until cancelled."""
        pause = FIRST
        while True:
            await asyncio.sleep(pause.total_seconds())
            pause = EVERY
            try:
                await self.sweep()
            except TransientError as error:
                log.warning("events not swept", reason=str(error))

    async def sweep(self) -> int:
        """Delete all that is too old, some at a time, and give how many rows went."""
        before, total = self._clock.now() - self._keep, 0
        for portion in (webhook_deliveries.sweep, outbox.sweep):
            while went := await self._db.write(portion, before):
                total += went
        return total
