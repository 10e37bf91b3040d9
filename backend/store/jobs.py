"""Bulk jobs and the lines of their reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from backend.model.jobs import Job, JobKind, JobLine, JobState, LineOutcome
from backend.store.schema_jobs import job_lines as lines
from backend.store.schema_jobs import jobs as t

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row

    from backend.store.types import Tx

_NOT_OVER = (JobState.QUEUED.value, JobState.RUNNING.value)


def add(tx: Tx, job: Job) -> None:
    """Insert a job."""
    tx.execute(
        insert(t).values(
            id=job.id,
            kind=job.kind.value,
            tenant_id=job.tenant_id,
            actor=job.actor,
            state=job.state.value,
            params=dict(job.params),
            created_at=job.created_at,
        )
    )


def get(tx: Tx, job_id: str) -> Job | None:
    """Read a job."""
    row = tx.execute(select(t).where(t.c.id == job_id)).one_or_none()
    return None if row is None else _job(row)


def newest(tx: Tx, states: Collection[JobState], limit: int) -> list[Job]:
    """Give the newest jobs that stand at one of ``states``; none named means all."""
    wanted = [t.c.state.in_([state.value for state in states])] if states else []
    rows = select(t).where(*wanted).order_by(t.c.id.desc()).limit(limit)
    return [_job(row) for row in tx.execute(rows)]


def begin(tx: Tx, job_id: str, total: int | None, now: datetime) -> None:
    """Record that a job is under way and how many items it has."""
    begun = {"state": JobState.RUNNING.value, "started_at": now, "total": total}
    tx.execute(update(t).where(t.c.id == job_id).values(begun))


def advance(tx: Tx, job: Job, cursor: str, told: Sequence[JobLine]) -> None:
    """Add lines to the report, count them, and move the cursor."""
    rows = [
        {
            "job_id": job.id,
            "position": position,
            "ref": line.ref,
            "outcome": line.outcome.value,
            "sentence": line.sentence,
            "before": dict(line.before),
            "after": dict(line.after),
        }
        for position, line in enumerate(told, start=job.done)
    ]
    if rows:
        tx.execute(insert(lines), rows)
    outcomes = [line.outcome for line in told]
    tx.execute(
        update(t)
        .where(t.c.id == job.id)
        .values(
            cursor=cursor,
            done=job.done + len(told),
            changed=job.changed + outcomes.count(LineOutcome.CHANGED),
            refused=job.refused + outcomes.count(LineOutcome.REFUSED),
            failed=job.failed + outcomes.count(LineOutcome.FAILED),
        )
    )


def end(tx: Tx, job_id: str, state: JobState, now: datetime, error: str = "") -> None:
    """Record that a job is over."""
    over = {"state": state.value, "finished_at": now, "error": error}
    tx.execute(update(t).where(t.c.id == job_id, t.c.state.in_(_NOT_OVER)).values(over))


def ask_to_stop(tx: Tx, job_id: str) -> None:
    """Note that a job is to stop before its next part."""
    tx.execute(update(t).where(t.c.id == job_id).values(cancelling=True))


def report(
    tx: Tx, job_id: str, start: int, size: int, outcome: LineOutcome | None = None
) -> list[JobLine]:
    """Give a page of a report in the order of the work."""
    rows = select(lines).where(*_of(job_id, outcome)).order_by(lines.c.position).limit(size)
    # positions have no gaps, so all lines need no offset, which would read what it passes over
    rows = rows.where(lines.c.position >= start) if outcome is None else rows.offset(start)
    return [_line(row) for row in tx.execute(rows)]


def count_lines(tx: Tx, job_id: str, outcome: LineOutcome | None = None) -> int:
    """Count the lines of a report."""
    return tx.execute(
        select(func.count()).select_from(lines).where(*_of(job_id, outcome))
    ).scalar_one()


def finished_before(tx: Tx, before: datetime, limit: int) -> list[str]:
    """Give jobs that were over before a moment, oldest first."""
    old = select(t.c.id).where(t.c.finished_at < before).order_by(t.c.finished_at).limit(limit)
    return list(tx.execute(old).scalars())


def forget(tx: Tx, job_ids: Collection[str]) -> int:
    """Delete jobs and their reports; give how many."""
    tx.execute(delete(lines).where(lines.c.job_id.in_(job_ids)))
    return tx.execute(delete(t).where(t.c.id.in_(job_ids))).rowcount


def _of(job_id: str, outcome: LineOutcome | None) -> list[ColumnElement[bool]]:
    wanted = [lines.c.job_id == job_id]
    return wanted if outcome is None else [*wanted, lines.c.outcome == outcome.value]


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        kind=JobKind(row.kind),
        tenant_id=row.tenant_id,
        actor=row.actor,
        state=JobState(row.state),
        params=row.params,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        total=row.total,
        done=row.done,
        changed=row.changed,
        refused=row.refused,
        failed=row.failed,
        cursor=row.cursor,
        cancelling=row.cancelling,
        error=row.error,
    )


def _line(row: Row[Any]) -> JobLine:
    return JobLine(
        ref=row.ref,
        outcome=LineOutcome(row.outcome),
        sentence=row.sentence,
        before=row.before,
        after=row.after,
    )
