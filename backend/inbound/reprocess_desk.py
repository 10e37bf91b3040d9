"""The verbs of reprocessing for the console, the command line and the API."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError, NotFoundError
from backend.inbound.reprocess import queue_many
from backend.inbound.reprocess_diff import count_selected, redecide, selected
from backend.inbound.reprocess_job import job_wish

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from backend.inbound.pipeline import Inbound
    from backend.inbound.reprocess_diff import Recorded
    from backend.model.decision_diff import DecisionDiff, Selection
    from backend.model.jobs import Job, JobLine
    from backend.queue.jobs_desk import JobDesk

AT_A_TIME = 8  # messages decided over beside each other; no more are held in memory
MOST_IDS = 10_000


class ReprocessDesk:
    """See what would be decided anew, then have it done; every verb may raise a RelayError."""

    def __init__(self, inbound: Inbound, jobs: JobDesk, nudge: Callable[[], None]) -> None:
        self._inbound = inbound
        self._jobs = jobs
        self._nudge = nudge

    async def count(self, selection: Selection) -> int:
        """Count the messages of a selection."""
        return await self._inbound.db.read(count_selected, selection)

    async def preview(
        self, selection: Selection, *, limit: int | None = None
    ) -> AsyncIterator[DecisionDiff]:
        """Give the difference for every message, or the first ones, one by one; writes nothing.

        Raises NotFoundError for an id that is not there.
        """
        cursor, left = "", limit
        while rows := await self._inbound.db.read(selected, selection, cursor, AT_A_TIME):
            if left is not None:
                rows, left = rows[:left], max(0, left - len(rows))
            for diff in await asyncio.gather(*(self._one(*row) for row in rows)):
                yield diff
            if left == 0:
                return
            cursor = rows[-1][0]

    async def _one(self, inbound_id: str, was: Recorded | None) -> DecisionDiff:
        if was is None:
            raise NotFoundError(f"there is no inbound message {inbound_id}")
        return await redecide(self._inbound, was)

    async def start(self, selection: Selection, *, actor: str) -> Job:
        """Queue a job that processes the messages again whose decision would differ."""
        if len(selection.ids) > MOST_IDS:
            raise InvalidInputError(
                f"ids: at most {MOST_IDS:,} at once; use a query instead", field="ids"
            )
        return await self._jobs.start(job_wish(selection), actor=actor)

    async def queue(self, inbound_ids: Sequence[str], *, actor: str) -> Sequence[JobLine]:
        """Queue a few messages at once, whatever would be decided; a line for each says how."""
        inbound = self._inbound
        lines = await queue_many(inbound.db, inbound.clock, inbound.ids, inbound_ids, actor=actor)
        self._nudge()
        return lines
