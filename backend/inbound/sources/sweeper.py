"""The net below the notices: what lies in the store and no notice announced is taken in.

A notice may be lost, or the queue may have been set up late. The sweeper lists the store, asks the
ledger which objects are known, and takes in the others; their recipients come from trace headers.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from backend.errors import InvalidInputError, NotFoundError, TransientError
from backend.inbound.sources.own_keys import is_own
from backend.model.inbound import Arrival
from backend.store import arrivals as ledger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from backend.inbound.intake import Intake
    from backend.ports import BlobListing, Clock, Stored
    from backend.store.engine import Database

SWEEPER = "sweeper"  # the name of the role: one process at a time sweeps
SOURCE_SWEEP = "sweep"
YOUNG = timedelta(minutes=1)  # its notice may be on its way
QUEUED = timedelta(hours=1)  # likewise, while notices are known to wait
EVENTS_KEPT = timedelta(days=30)  # no provider posts the same event for so long
SETUP = "AMAZON_SES_SETUP_NOTIFICATION"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSettings:
    """``every`` is the pause between sweeps, ``horizon`` the age of what is no longer swept."""

    every: timedelta = timedelta(minutes=5)
    horizon: timedelta = timedelta(days=7)
    prefix: str = ""


class Sweeper:
    """Looks for stored mail without a row; run ``run`` under the role SWEEPER.

    ``backlog`` tells how many notices wait: their mail is left to them for an hour, because only
    they know the envelope.
    """

    def __init__(
        self,
        db: Database,
        store: BlobListing,
        intake: Intake,
        clock: Clock,
        *,
        settings: SweepSettings,
        backlog: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        self._db = db
        self._store = store
        self._intake = intake
        self._clock = clock
        self._settings = settings
        self._backlog = backlog

    async def run(self) -> None:
        """Sweep until cancelled, first after one pause: at start the notices go first."""
        while True:
            await asyncio.sleep(self._settings.every.total_seconds())
            try:
                await self.sweep()
            except TransientError as error:
                _log.warning("sweep given up", error=str(error))

    async def sweep(self) -> list[str]:
        """Sweep once and give the ids of the messages found; raises TransientError."""
        now = self._clock.now()
        waiting = await self._backlog() if self._backlog is not None else 0
        youngest = now - (QUEUED if waiting else YOUNG)
        oldest = now - self._settings.horizon
        found: list[str] = []
        async for page in self._store.pages(self._settings.prefix):
            settled = [one for one in page if oldest <= one.stored_at <= youngest]
            for stored in await self._unknown([one for one in settled if _is_mail(one)]):
                found += await self._take_in(stored)
        await self._forget(now - EVENTS_KEPT)
        if found:
            _log.warning("mail without a notice taken in", count=len(found))
        return found

    async def _forget(self, before: datetime) -> None:
        """Drop old announcements from the ledger; looks first, so that rest stays rest."""
        if await self._db.read(ledger.has_events, before):
            await self._db.write(ledger.forget_events, before)

    async def _unknown(self, page: Sequence[Stored]) -> list[Stored]:
        known = await self._db.read(ledger.known_blobs, [stored.key for stored in page])
        return [stored for stored in page if stored.key not in known]

    async def _take_in(self, stored: Stored) -> list[str]:
        arrival = Arrival(
            source=SOURCE_SWEEP,
            blob_key=stored.key,
            recipients=(),
            received_at=stored.stored_at,
            size=stored.size,
        )
        try:
            return await self._intake.take_in(arrival)
        except (InvalidInputError, NotFoundError) as error:  # deleted meanwhile, or not readable
            _log.warning("object not taken in", blob_key=stored.key[:200], error=str(error))
            return []


def _is_mail(stored: Stored) -> bool:
    """Tell mail from what we or SES put beside it."""
    return not is_own(stored.key) and stored.key.rpartition("/")[2] != SETUP
