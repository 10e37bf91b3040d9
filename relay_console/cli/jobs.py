"""``relay-console jobs``: bulk jobs, how far they are, what they did, and stopping them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

import click

from backend import JobState, LineOutcome
from relay_console.cli.exits import Exit
from relay_console.cli.opening import (
    Common,
    actor,
    database_option,
    json_option,
    opened,
    pass_common,
    run,
)
from relay_console.cli.output import moment, write_json, write_line, write_pairs, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backend import Backend, Job, JobLine

PAGE = 500
LOOK_EVERY = 0.5  # seconds


@click.group()
def jobs() -> None:
    """Follow and stop bulk jobs; a running server or console carries them out."""


@jobs.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in JobState]),
    help="Only jobs that stand here; repeatable.",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@database_option
@json_option
@pass_common
def list_(common: Common, states: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List jobs, newest first; with --json one object a line."""

    async def work() -> list[Job]:
        async with opened(common) as backend:
            return list(await backend.jobs.list([JobState(s) for s in states], limit=limit))

    found = run(work())
    if as_json:
        for job in found:
            write_json(job_as_json(job))
        return
    head = ("CREATED", "STATE", "DONE", "CHANGED", "REFUSED", "FAILED", "BY", "ID", "KIND")
    write_table([head, *map(_row, found)])


@jobs.command("show")
@click.argument("job_id", metavar="ID")
@click.option("--report", is_flag=True, help="Write every line of the report.")
@click.option(
    "--outcome",
    type=click.Choice([outcome.value for outcome in LineOutcome]),
    help="Only lines of this outcome; implies --report.",
)
@database_option
@json_option
@pass_common
def show(common: Common, job_id: str, report: bool, outcome: str | None, as_json: bool) -> None:
    """Show the job ID; with --json --report the job first and then one object a line."""

    async def work() -> None:
        async with opened(common) as backend:
            job = await backend.jobs.get(job_id)
            write_json(job_as_json(job)) if as_json else write_job(job)
            if report or outcome:
                await write_report(
                    backend, job_id, LineOutcome(outcome) if outcome else None, as_json=as_json
                )

    run(work())


@jobs.command("cancel")
@click.argument("job_id", metavar="ID")
@database_option
@json_option
@pass_common
def cancel(common: Common, job_id: str, as_json: bool) -> None:
    """Stop the job ID before its next part; what it has done stays done."""

    async def work() -> Job:
        async with opened(common) as backend:
            return await backend.jobs.cancel(job_id, actor=actor())

    job = run(work())
    write_json(job_as_json(job)) if as_json else write_job(job)


@jobs.command("watch")
@click.argument("job_id", metavar="ID")
@database_option
@json_option
@pass_common
def watch(common: Common, job_id: str, as_json: bool) -> None:
    """Follow the job ID until it is over; Ctrl-C stops the watching, not the job.

    With --json one object a line whenever it has moved. Exits 1 when the job failed or was
    cancelled.
    """

    async def work() -> Job:
        async with opened(common) as backend:
            return await follow(backend, job_id, as_json=as_json)

    end_with(run(work()), as_json=as_json)


async def follow(backend: Backend, job_id: str, *, as_json: bool) -> Job:
    """Show the progress of a job until it is over: a bar on a terminal, or lines of JSON."""
    told: Job | None = None
    with _bar(quiet=as_json) as advance:
        while True:
            job = await backend.jobs.get(job_id)
            if as_json and job != told and not job.over:
                write_json(job_as_json(job))
            advance(job)
            if job.over:
                return job
            told = job
            await asyncio.sleep(LOOK_EVERY)


def end_with(job: Job, *, as_json: bool) -> None:
    """Write how a job ended; exits 1 when it failed or was cancelled."""
    write_json(job_as_json(job)) if as_json else write_job(job)
    if job.state is not JobState.DONE:
        click.get_current_context().exit(Exit.FAILED)


def job_as_json(job: Job) -> dict[str, object]:
    """Write a job as one object; docs/reprocessing.md lists the fields."""
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "cancelling": job.cancelling,
        "actor": job.actor,
        "tenant_id": job.tenant_id,
        "params": job.params,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "total": job.total,
        "done": job.done,
        "changed": job.changed,
        "unchanged": job.unchanged,
        "refused": job.refused,
        "failed": job.failed,
        "error": job.error or None,
    }


def write_job(job: Job) -> None:
    """Write a job for people."""
    state = f"{job.state} (stopping)" if job.cancelling and not job.over else job.state
    write_line(f"{job.id}  {job.kind}: {state}")
    of_total = "" if job.total is None else f" of {job.total:,}"
    write_pairs(
        [
            ("done", f"{job.done:,}{of_total}"),
            ("changed", f"{job.changed:,}"),
            ("unchanged", f"{job.unchanged:,}"),
            ("refused", f"{job.refused:,}"),
            ("failed", f"{job.failed:,}"),
            ("by", job.actor),
            ("created", moment(job.created_at)),
            ("finished", moment(job.finished_at)),
            ("error", job.error),
        ]
    )


async def write_report(
    backend: Backend, job_id: str, outcome: LineOutcome | None, *, as_json: bool
) -> None:
    """Write a report line by line, a page at a time."""
    start = 0
    while page := await backend.jobs.report(job_id, start, PAGE, outcome):
        for line in page:
            write_json(line) if as_json else _write_line(line)
        start += len(page)


def _write_line(line: JobLine) -> None:
    write_line(f"{line.outcome:<9}", line.ref, "", line.sentence)


def _row(job: Job) -> tuple[object, ...]:
    done = f"{job.done:,}/{job.total:,}" if job.total is not None else f"{job.done:,}"
    return (
        moment(job.created_at),
        job.state,
        done,
        job.changed,
        job.refused,
        job.failed,
        job.actor,
        job.id,
        job.kind,
    )


@contextlib.contextmanager
def _bar(*, quiet: bool) -> Iterator[Callable[[Job], None]]:
    """Show a bar on a terminal; elsewhere show nothing."""
    if quiet or not sys.stderr.isatty():
        yield lambda _job: None
        return
    with click.progressbar(length=1, label="waits for a worker", file=sys.stderr) as bar:

        def advance(job: Job) -> None:
            bar.label = "stopping" if job.cancelling else job.state.value
            bar.length = max(1, job.total or 0, job.done)
            bar.update(job.done - bar.pos)

        yield advance
