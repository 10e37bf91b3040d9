"""Bulk jobs on the work queue: one item carries a job on, some of its items at a time.

A step looks ahead without writing and gives a Chunk; what the chunk writes, its report lines and
the cursor are one transaction, so that a job killed anywhere goes on exactly where it was. Between
chunks the job heeds a wish to stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from backend.errors import LeaseLostError, PermanentError, TransientError
from backend.model.jobs import Job, JobState
from backend.queue import items
from backend.store import jobs as store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from backend.model.jobs import JobKind, JobLine
    from backend.model.work import WorkItem
    from backend.ports import Clock
    from backend.store.engine import Database
    from backend.store.types import Tx

log = structlog.get_logger("queue.jobs")

SLICE_SECONDS = 2.0  # then the queue gets its slot back, so that jobs take turns and a drain ends
TRIES = 4  # below the worker's own, which would bury the item and leave the job running for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The next part of a job: ``apply`` writes its effects and gives a line for each item.

    ``cursor`` is what the job's cursor becomes with it.
    """

    cursor: str
    apply: Callable[[Tx], Sequence[JobLine]]


class JobStep(Protocol):
    """What a kind of job does; it keeps nothing between calls, the job's cursor tells all."""

    async def count(self, job: Job) -> int | None:
        """Give how many items the job has, None when that cannot be told."""
        ...

    async def look(self, job: Job) -> Chunk | None:
        """Prepare the part after ``job.cursor``, at most some hundred items; None at the end.

        Writes nothing. PermanentError fails the job, TransientError lets it wait.
        """
        ...


class JobRunner:
    """The handler of WorkKind.JOB."""

    def __init__(self, db: Database, clock: Clock, steps: Mapping[JobKind, JobStep]) -> None:
        self._db = db
        self._clock = clock
        self._steps = steps

    async def handle(self, item: WorkItem) -> None:
        """Carry a job on for a while; raises TransientError, LeaseLostError among them."""
        try:
            await self._run(item)
        except TransientError:
            raise
        except PermanentError as error:
            await self._fail(item, str(error))
        except Exception as error:
            if item.attempts < TRIES:
                raise
            log.exception("job crashed", job=item.ref)
            await self._fail(item, f"{type(error).__name__}: {error}; the traceback is in the log")

    async def _run(self, item: WorkItem) -> None:
        job = await self._db.read(store.get, item.ref)
        if job is None or job.over:
            await self._db.write(items.finish, item)
            return
        until = self._clock.monotonic() + SLICE_SECONDS
        if job.state is JobState.QUEUED and not job.cancelling:
            total = await self._step(job).count(job)
            job = await self._db.write(_begin, item, total, self._clock.now())
        while not job.over:
            job = await self._advance(item, job)
            if not job.over and self._clock.monotonic() >= until:
                await self._db.write(items.proceed, item, self._clock.now())
                return

    async def _advance(self, item: WorkItem, job: Job) -> Job:
        """Do one chunk, or end the job when there is none or a person wants it to stop."""
        now = self._clock.now()
        if job.cancelling:
            return await self._db.write(_end, item, JobState.CANCELLED, now)
        chunk = await self._step(job).look(job)
        if chunk is None:
            return await self._db.write(_end, item, JobState.DONE, now)
        return await self._db.write(_apply, item, chunk)

    def _step(self, job: Job) -> JobStep:
        if job.kind not in self._steps:
            raise PermanentError(f"this program knows no jobs of the kind {job.kind.value}")
        return self._steps[job.kind]

    async def _fail(self, item: WorkItem, error: str) -> None:
        log.warning("job failed", job=item.ref, reason=error)
        await self._db.write(_end, item, JobState.FAILED, self._clock.now(), error)


def _begin(tx: Tx, item: WorkItem, total: int | None, now: datetime) -> Job:
    items.confirm(tx, item)
    store.begin(tx, item.ref, total, now)
    return _job(tx, item)


def _apply(tx: Tx, item: WorkItem, chunk: Chunk) -> Job:
    items.confirm(tx, item)
    job = _job(tx, item)
    if job.cancelling:  # asked for while the chunk was prepared: nothing of it is written
        return job
    store.advance(tx, job, chunk.cursor, chunk.apply(tx))
    return _job(tx, item)


def _end(tx: Tx, item: WorkItem, state: JobState, now: datetime, error: str = "") -> Job:
    items.finish(tx, item)
    store.end(tx, item.ref, state, now, error)
    return _job(tx, item)


def _job(tx: Tx, item: WorkItem) -> Job:
    job = store.get(tx, item.ref)
    if job is None:
        raise LeaseLostError(f"job {item.ref} was deleted while it ran")
    return job
