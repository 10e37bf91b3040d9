"""Keeps the search index of the log up with the mail; run it under the role ``INDEXER`` only."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from backend.errors import TransientError
from backend.store import log_changes, log_index

if TYPE_CHECKING:
    from backend.store.engine import Database

log = structlog.get_logger("analytics.indexer")

INDEXER = "log indexer"
LOOK_SECONDS = 1.0
BATCH = 500


class Indexer:
    """The loop that indexes what waits, in batches; idle, it only reads."""

    def __init__(self, db: Database, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._db = db
        self._look_seconds = look_seconds

    async def run(self) -> None:
        """Index for as long as the role is held."""
        while True:
            try:
                if await self._db.read(log_changes.waiting, 1):
                    await self._catch_up()
            except TransientError as error:
                log.warning("log not indexed", reason=str(error))
            await asyncio.sleep(self._look_seconds)

    async def _catch_up(self) -> None:
        """Index until nothing waits; others write between the batches."""
        full = True
        while full:
            full = await self._db.write(log_index.index_some, BATCH) == BATCH
