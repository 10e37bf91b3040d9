"""The time that all processes on one database share.

On PostgreSQL several machines meet, and their clocks differ: leases, roles, the send pace and rate
windows are therefore kept in the server's time, asked for now and then and carried on in between
by this machine's monotonic clock. On SQLite all processes share one machine and hence one clock.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import text

from backend.errors import TransientError

if TYPE_CHECKING:
    from backend.ports import Clock
    from backend.store.engine import Database
    from backend.store.types import Tx

log = structlog.get_logger("store.clock")

EVERY = 30.0  # seconds between two looks at the server's clock
SLOW = 1.0  # seconds: an answer that took longer says too little
SKEWED = timedelta(seconds=2)  # beyond it a machine's clock is worth a word


class DatabaseClock:
    """Fulfils ports.Clock with the database's time; until ``sync`` it is the machine's."""

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._anchor: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """Give the present moment of the database, aware, in UTC, to the millisecond."""
        if self._anchor is None:
            return self._machine.now()
        at, then = self._anchor
        passed = round((self._machine.monotonic() - then) * 1000)
        return at + timedelta(milliseconds=passed)

    def monotonic(self) -> float:
        """Give seconds that never go back."""
        return self._machine.monotonic()

    async def sync(self, db: Database) -> None:
        """Take over the server's time; nothing to do on SQLite. Raises DatabaseBusyError."""
        if db.is_sqlite:
            return
        before = self._machine.monotonic()
        told = await db.read(_server_time)
        after = self._machine.monotonic()
        if self._anchor is not None and after - before > SLOW:
            return
        if self._anchor is None and abs(told - self._machine.now()) > SKEWED:
            log.warning("clocks_differ", seconds=(self._machine.now() - told).total_seconds())
        self._anchor = (told, (before + after) / 2)

    async def keep(self, db: Database) -> None:
        """Look at the server's clock for ever."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.sync(db)
            except TransientError as error:
                log.warning("clock not looked at", reason=str(error))


def _server_time(tx: Tx) -> datetime:
    query = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
    return datetime.fromtimestamp(tx.execute(query).scalar_one() / 1000, tz=UTC)
