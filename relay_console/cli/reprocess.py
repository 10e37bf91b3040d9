"""``relay-console reprocess``: what would be decided over messages now, and having it done."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from relay_console.cli.exits import Exit
from relay_console.cli.jobs import end_with, follow, job_as_json, write_report
from relay_console.cli.opening import (
    Common,
    actor,
    database_option,
    json_option,
    opened,
    pass_common,
    run,
)
from relay_console.cli.output import moment, write_json, write_line, write_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend import Backend, DecisionDiff, JobLine, Selection

ID = "inb_"
FEW = 20  # ids that are queued at once, without a job
SHOWN = 10  # rows of the preview before a question
# -state:held is a word, not options: so there are no short options here, not even -h
QUERY_SETTINGS = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
COUNT_EVERY = 100  # messages between two words of progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for, beside the messages."""

    yes: bool
    wait: bool
    as_json: bool


@click.command(context_settings=QUERY_SETTINGS)
@click.argument("words", metavar="QUERY|ID...", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Tell what would be decided; write nothing.")
@click.option("--changes", is_flag=True, help="Of a dry run, only what would be decided otherwise.")
@click.option("--yes", is_flag=True, help="Do not show the preview and ask.")
@click.option("--wait", is_flag=True, help="Follow the job until it is over, and write its report.")
@database_option
@json_option
@pass_common
def reprocess(
    common: Common,
    *,
    words: tuple[str, ...],
    dry_run: bool,
    changes: bool,
    yes: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Process inbound messages again, by ID or by QUERY.

    A QUERY is words such as: state:unrouted reason:no_route from:*@client.example since:2d.
    Screening, matching and routing run anew; what has a way now is delivered, by a running server
    or console. No message that its target has, or may yet get, is sent twice. Up to 20 IDs are
    queued at once; more, or a QUERY, become a job (see jobs). On a terminal the difference is
    shown first. Exits 1 when nothing could be queued or the job did not end well.
    """
    asked = Asked(yes=yes, wait=wait, as_json=as_json)

    async def work() -> None:
        async with opened(common) as backend:
            selection = await _selection(backend, words)
            if dry_run:
                await _dry_run(backend, selection, only_changes=changes, as_json=as_json)
            elif await _agreed(backend, selection, asked):
                await _live(backend, selection, asked)

    run(work())


async def _selection(backend: Backend, words: tuple[str, ...]) -> Selection:
    from backend import Selection, SystemClock, read_inbound_query

    named = [word for word in words if word.startswith(ID)]
    if len(named) == len(words):
        return Selection(ids=tuple(dict.fromkeys(named)))
    if named:
        raise click.UsageError("give ids or query words, not both")
    line = " ".join(map(quoted, words))
    query = read_inbound_query(line, await backend.tenants(), SystemClock().now())
    return Selection(query=query)


def quoted(word: str) -> str:
    """Put the quotes back that the shell took off: ``subject:'printer jam'``."""
    if '"' in word or not any(map(str.isspace, word)):
        return word
    key, colon, value = word.partition(":")
    return f'{key}:"{value}"' if colon and key.isalpha() else f'"{word}"'


@dataclass(slots=True)
class _Tally:
    """What a preview has seen so far."""

    seen: int = 0
    changed: int = 0
    refused: int = 0
    failed: int = 0
    courses: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, diff: DecisionDiff) -> None:
        self.seen += 1
        self.refused += bool(diff.refused)
        self.failed += bool(diff.error)
        self.changed += diff.changed and not diff.refused
        if diff.changed and not diff.refused:
            self.courses[diff.old, diff.new] += 1


async def _dry_run(
    backend: Backend, selection: Selection, *, only_changes: bool, as_json: bool
) -> None:
    """Write the differences as they are found: memory does not grow with their number."""
    tally, total = _Tally(), await backend.reprocessing.count(selection)
    async for diff in backend.reprocessing.preview(selection):
        tally.add(diff)
        if diff.changed or diff.error or not only_changes:
            write_json(diff.as_json()) if as_json else write_diff(diff)
        _progress(tally.seen, total)
    said = _summary(tally)
    click.echo(said, err=True) if as_json else write_line(said)


async def _agreed(backend: Backend, selection: Selection, asked: Asked) -> bool:
    """Show on a terminal what would be done, and ask."""
    if asked.yes or asked.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    tally, total = _Tally(), await backend.reprocessing.count(selection)
    async for diff in backend.reprocessing.preview(selection):
        tally.add(diff)
        if tally.seen <= SHOWN:
            write_diff(diff)
        _progress(tally.seen, total)
    rows = [(f"{n:,}", old, "->", new) for (old, new), n in tally.courses.most_common(SHOWN)]
    if rows:
        write_line("")
        write_table(rows)
    write_line(_summary(tally))
    if not tally.changed:
        return False
    return click.confirm(f"Process {tally.changed:,} again?", default=False)


async def _live(backend: Backend, selection: Selection, asked: Asked) -> None:
    if selection.ids and len(selection.ids) <= FEW and not asked.wait:
        lines = await backend.reprocessing.queue(selection.ids, actor=actor())
        _end_queued(lines, as_json=asked.as_json)
        return
    job = await backend.reprocessing.start(selection, actor=actor())
    if not asked.wait:
        if asked.as_json:
            write_json(job_as_json(job))
        else:
            write_line(f"{job.id} is queued; follow it with: relay-console jobs watch {job.id}")
        return
    if not asked.as_json:
        click.echo(f"{job.id}; Ctrl-C leaves it running", err=True)
    ended = await follow(backend, job.id, as_json=asked.as_json)
    await write_report(backend, job.id, None, as_json=asked.as_json)
    end_with(ended, as_json=asked.as_json)


def _end_queued(lines: Sequence[JobLine], *, as_json: bool) -> None:
    from backend import LineOutcome

    left = [line for line in lines if line.outcome is not LineOutcome.CHANGED]
    queued = len(lines) - len(left)
    if as_json:
        told = {"refused": {line.ref: line.sentence for line in left}} if left else {}
        write_json({"asked": len(lines), "queued": queued, **told})
    else:
        for line in left:
            write_line(f"{line.ref}: {line.sentence}")
        write_line(f"{queued} of {len(lines)} queued")
    if not queued:
        click.get_current_context().exit(Exit.FAILED)


def write_diff(diff: DecisionDiff) -> None:
    """Write a difference for people: what it is about, the course, each field."""
    mark = "error" if diff.error else "*" if diff.changed else "-"
    write_line(f"{mark:<5}", moment(diff.received_at), diff.inbound_id, diff.sender)
    write_line("      ", diff.subject)
    write_line("      ", diff.sentence)
    for name, change in diff.changes.items():
        write_line(f"         {name:<9}", change.old or "-", "->", change.new or "-")
    if diff.refused:
        write_line("       not again:", diff.refused)


def _summary(tally: _Tally) -> str:
    return (
        f"{tally.changed:,} of {tally.seen:,} would go another way;"
        f" {tally.refused:,} may not go again, {tally.failed:,} could not be read"
    )


def _progress(seen: int, total: int) -> None:
    """Say on a terminal how far a long preview is."""
    if seen % COUNT_EVERY == 0 and sys.stderr.isatty():
        click.echo(f"\r{seen:,} of {total:,}", nl=False, err=True)
        if seen >= total:
            click.echo("", err=True)
