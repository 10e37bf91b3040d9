"""Reprocessing many messages as a bulk job: decide anew, queue what would differ, report each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from backend.inbound.reprocess import Hand, queue_again
from backend.inbound.reprocess_diff import count_selected, redecide, selected
from backend.model.decision_diff import Selection
from backend.model.inbound_words import inbound_query_as_json, inbound_query_from_json
from backend.model.jobs import JobKind, JobLine, JobWish, LineOutcome
from backend.queue.jobs import Chunk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backend.inbound.pipeline import Inbound
    from backend.inbound.reprocess_diff import Recorded
    from backend.model.decision_diff import DecisionDiff
    from backend.model.jobs import Job
    from backend.store.types import Tx

CHUNK = 25  # messages a transaction: they are parsed before it, but a stop waits for it
AT_A_TIME = 4  # messages parsed beside each other


def job_wish(selection: Selection) -> JobWish:
    """Write a selection down as a job."""
    params: dict[str, object] = {"ids": list(selection.ids)}
    if not selection.ids:
        params = {"query": inbound_query_as_json(selection.query)}
    return JobWish(
        kind=JobKind.REPROCESS, params=params, tenant_id=selection.query.tenant_id or None
    )


def selection_of(params: Mapping[str, Any]) -> Selection:
    """Read back what ``job_wish`` wrote."""
    if "query" in params:
        return Selection(query=inbound_query_from_json(params["query"]))
    return Selection(ids=tuple(params["ids"]))


class ReprocessStep:
    """The step of JobKind.REPROCESS; fulfils queue.jobs.JobStep."""

    def __init__(self, inbound: Inbound) -> None:
        self._inbound = inbound

    async def count(self, job: Job) -> int | None:
        """Count the messages of the selection."""
        return await self._inbound.db.read(count_selected, selection_of(job.params))

    async def look(self, job: Job) -> Chunk | None:
        """Decide over the next messages anew; raises TransientError."""
        selection = selection_of(job.params)
        rows = await self._inbound.db.read(selected, selection, job.cursor, CHUNK)
        if not rows:
            return None
        limit = asyncio.Semaphore(AT_A_TIME)
        planned = await asyncio.gather(*(self._plan(job, one, was, limit) for one, was in rows))
        return Chunk(cursor=rows[-1][0], apply=partial(_apply, planned))

    async def _plan(
        self, job: Job, inbound_id: str, was: Recorded | None, limit: asyncio.Semaphore
    ) -> _Planned:
        hand = Hand(
            actor=job.actor,
            at=self._inbound.clock.now(),
            entry_id=self._inbound.ids.new("aud"),
        )
        if was is None or was.refused:
            return _Planned(inbound_id=inbound_id, hand=hand)
        async with limit:
            diff = await redecide(self._inbound, was)
        return _Planned(inbound_id=inbound_id, hand=hand, diff=diff)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """One message of a chunk; without ``diff`` when there is nothing to decide."""

    inbound_id: str
    hand: Hand
    diff: DecisionDiff | None = None


def _apply(planned: Sequence[_Planned], tx: Tx) -> list[JobLine]:
    return [_one(tx, plan) for plan in planned]


def _one(tx: Tx, plan: _Planned) -> JobLine:
    """Queue a message whose decision would differ; the guard is asked in the transaction."""
    diff = plan.diff
    if diff is not None and (diff.error or not diff.changed):
        outcome = LineOutcome.FAILED if diff.error else LineOutcome.UNCHANGED
        return JobLine(ref=plan.inbound_id, outcome=outcome, sentence=diff.sentence)
    line = queue_again(tx, plan.inbound_id, plan.hand)
    if diff is None or line.outcome is not LineOutcome.CHANGED:
        return line
    return replace(
        line,
        sentence=diff.sentence,
        before={name: change.old for name, change in diff.changes.items()},
        after={name: change.new for name, change in diff.changes.items()},
    )
