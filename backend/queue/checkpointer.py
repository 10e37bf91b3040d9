"""Folds the WAL of SQLite into its file; run it under the role ``CHECKPOINTER`` only.

Folding is done when writing pauses, and every half minute when it does not.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from backend.errors import TransientError

if TYPE_CHECKING:
    from backend.ports import Clock
    from backend.store.engine import Database

log = structlog.get_logger("queue.checkpointer")

CHECKPOINTER = "checkpointer"
LOOK_SECONDS = 5.0
FOLD_SECONDS = 30.0
MANY_FRAMES = 65_536  # of 4 KiB as a rule: a quarter of a gigabyte


class Checkpointer:
    """The loop that folds; on PostgreSQL there is nothing to do and ``run`` returns."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        look_seconds: float = LOOK_SECONDS,
        fold_seconds: float = FOLD_SECONDS,
    ) -> None:
        self._db = db
        self._clock = clock
        self._look_seconds = look_seconds
        self._fold_seconds = fold_seconds

    async def run(self) -> None:
        """Fold for as long as the role is held."""
        if not self._db.is_sqlite:
            return
        seen: int | None = None
        folded: int | None = None
        at = self._clock.monotonic()
        while True:
            try:
                version = await self._db.version()
                is_idle = version == seen
                is_time = self._clock.monotonic() - at >= self._fold_seconds
                if version != folded and (is_idle or is_time):
                    left = await self._db.checkpoint()
                    at = self._clock.monotonic()
                    # what a reader still needs is left for the next time
                    folded = version if left == 0 else None
                    if left > MANY_FRAMES:
                        hint = "a program has been reading the database since; end it"
                        log.warning("wal cannot be folded", frames=left, hint=hint)
                seen = version
            except TransientError as error:
                log.warning("wal not folded", reason=str(error))
            await asyncio.sleep(self._look_seconds)
