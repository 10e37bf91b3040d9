"""The verbs of bulk jobs for the console, the command line and the API: ``backend.jobs``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.errors import NotFoundError
from backend.model.jobs import Job, JobState
from backend.model.work import WorkKind
from backend.queue import items
from backend.store import audit
from backend.store import jobs as store
from backend.store.audit import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from backend.model.jobs import JobLine, JobWish, LineOutcome
    from backend.ports import Clock, Ids
    from backend.store.engine import Database
    from backend.store.types import Tx

EVERY_STATE: frozenset[JobState] = frozenset()


class JobDesk:
    """Jobs: start them, follow them, stop them; every verb may raise a RelayError."""

    def __init__(self, db: Database, clock: Clock, ids: Ids, nudge: Callable[[], None]) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._nudge = nudge

    async def start(self, wish: JobWish, *, actor: str) -> Job:
        """Queue a job and give it; a worker, here or elsewhere, carries it out."""
        job = Job(
            id=self._ids.new("job"),
            kind=wish.kind,
            tenant_id=wish.tenant_id,
            actor=actor,
            state=JobState.QUEUED,
            params=wish.params,
            created_at=self._clock.now(),
        )
        await self._db.write(_start, job, self._entry(job, "job.started", actor))
        self._nudge()
        return job

    async def get(self, job_id: str) -> Job:
        """Give a job as it stands; raises NotFoundError."""
        return await self._db.read(_the_one, job_id)

    async def list(
        self, states: Collection[JobState] = EVERY_STATE, *, limit: int = 100
    ) -> Sequence[Job]:
        """Give the newest jobs, those at one of ``states`` if any is named."""
        return await self._db.read(store.newest, states, limit)

    async def cancel(self, job_id: str, *, actor: str) -> Job:
        """Ask a job to stop and give it; one that is over stays as it is.

        What it has done stays done. Raises NotFoundError.
        """
        job = await self.get(job_id)
        entry = self._entry(job, "job.cancelled", actor)
        stopped = await self._db.write(_cancel, job_id, entry)
        self._nudge()
        return stopped

    async def report(
        self, job_id: str, start: int, size: int, outcome: LineOutcome | None = None
    ) -> Sequence[JobLine]:
        """Give a page of a job's report, all lines or those of one outcome."""
        return await self._db.read(store.report, job_id, start, size, outcome)

    async def count_lines(self, job_id: str, outcome: LineOutcome | None = None) -> int:
        """Count the lines of a job's report."""
        return await self._db.read(store.count_lines, job_id, outcome)

    def _entry(self, job: Job, action: str, actor: str) -> AuditEntry:
        return AuditEntry(
            id=self._ids.new("aud"),
            at=self._clock.now(),
            actor=actor,
            action=action,
            subject=job.id,
            tenant_id=job.tenant_id or "",
            detail={"kind": job.kind.value},
        )


def _start(tx: Tx, job: Job, entry: AuditEntry) -> None:
    store.add(tx, job)
    items.enqueue(tx, WorkKind.JOB, job.id, run_at=job.created_at, now=job.created_at)
    audit.add(tx, entry)


def _cancel(tx: Tx, job_id: str, entry: AuditEntry) -> Job:
    job = _the_one(tx, job_id)
    if job.over or job.cancelling:
        return job
    store.ask_to_stop(tx, job_id)
    if job.state is JobState.QUEUED:  # nobody has begun it: no need to wait for a worker
        store.end(tx, job_id, JobState.CANCELLED, entry.at)
    items.enqueue(tx, WorkKind.JOB, job_id, run_at=entry.at, now=entry.at)
    audit.add(tx, entry)
    return _the_one(tx, job_id)


def _the_one(tx: Tx, job_id: str) -> Job:
    job = store.get(tx, job_id)
    if job is None:
        raise NotFoundError(f"there is no job {job_id}")
    return job
