"""What reprocessing would do and what a job does, as pages of safe text. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend import JobState, LineOutcome
from relay_console.safe import safe
from relay_console.viewmodel.page import Line, Page, fact, section
from relay_console.viewmodel.words import full_moment, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend import DecisionDiff, Job, JobLine

FIRST = 20
"""Messages shown one by one."""
_COURSES = 12
_BAR = 40
_SUBJECT = 40
_TONES = {
    LineOutcome.CHANGED: "good",
    LineOutcome.UNCHANGED: "dim",
    LineOutcome.REFUSED: "busy",
    LineOutcome.FAILED: "bad",
}
_STATE_TONES = {
    JobState.DONE: "good",
    JobState.RUNNING: "busy",
    JobState.CANCELLED: "busy",
    JobState.FAILED: "bad",
}


@dataclass(slots=True)
class Preview:
    """What a preview has seen so far; it keeps the first messages and counts the rest."""

    total: int
    seen: int = 0
    changed: int = 0
    refused: int = 0
    failed: int = 0
    courses: Counter[tuple[str, str]] = field(default_factory=Counter)
    first: list[DecisionDiff] = field(default_factory=list)

    def add(self, diff: DecisionDiff) -> None:
        """Count one message."""
        self.seen += 1
        self.refused += bool(diff.refused)
        self.failed += bool(diff.error and not diff.refused)
        if diff.changed and not diff.refused:
            self.changed += 1
            self.courses[diff.old, diff.new] += 1
        if len(self.first) < FIRST:
            self.first.append(diff)

    @property
    def unchanged(self) -> int:
        """How many would stay as they are."""
        return self.seen - self.changed - self.refused - self.failed


def preview_page(preview: Preview, *, finished: bool) -> Page:
    """Show the counts, every change of course, and the first messages."""
    done = "" if finished else f"  {bar(preview.seen, preview.total)}"
    counts = (
        fact("would change", f"{preview.changed:,}", "good" if preview.changed else ""),
        fact("stay as is", f"{preview.unchanged:,}", "dim"),
        fact("may not go", f"{preview.refused:,}", "busy" if preview.refused else "dim"),
        fact("unreadable", f"{preview.failed:,}", "bad" if preview.failed else "dim"),
    )
    courses = [
        fact(f"{n:,}", f"{old or '-'} -> {new or '-'}")
        for (old, new), n in preview.courses.most_common(_COURSES)
    ]
    head = f"{plural(preview.seen, 'message')} of {preview.total:,} looked at{done}"
    return Page(
        title=safe(f"Process again   {head}"),
        sections=(
            section("What would become of them", counts),
            section("From -> to", courses, "Nothing would go another way."),
            section(
                f"The first {len(preview.first)}",
                [line for diff in preview.first for line in _diff_lines(diff)],
                "There is no message.",
            ),
        ),
    )


def job_page(job: Job, lines: Sequence[JobLine]) -> Page:
    """Show how far a job is, and the lines of its report."""
    stopping = job.cancelling and not job.over
    facts = (
        fact("state", "stopping" if stopping else job.state.value, _STATE_TONES.get(job.state, "")),
        fact("progress", bar(job.done, job.total or 0)),
        fact("changed", f"{job.changed:,}", "good" if job.changed else "dim"),
        fact("unchanged", f"{job.unchanged:,}", "dim"),
        fact("refused", f"{job.refused:,}", "busy" if job.refused else "dim"),
        fact("failed", f"{job.failed:,}", "bad" if job.failed else "dim"),
        fact("begun", full_moment(job.started_at)),
        fact("ended", full_moment(job.finished_at)),
        *((fact("error", job.error, "bad"),) if job.error else ()),
    )
    told = [
        fact(one.outcome.value, f"{one.ref}  {one.sentence}", _TONES[one.outcome]) for one in lines
    ]
    rest = job.done - len(lines)
    if rest > 0:
        told.append(
            Line(text=safe(f"and {rest:,} more: relay-console jobs show {job.id} --report"))
        )
    return Page(
        title=safe(f"{job.kind.sentence.rstrip('.')}   {job.id}"),
        sections=(section("Job", facts), section("Report", told, "No line yet.")),
        copy=job.id,
    )


def bar(done: int, total: int) -> str:
    """Draw how far something is, also without colour."""
    if total <= 0:
        return f"{done:,}"
    filled = min(_BAR, _BAR * done // total)
    return f"[{'#' * filled}{'.' * (_BAR - filled)}] {done:,} of {total:,}"


def _diff_lines(diff: DecisionDiff) -> list[Line]:
    tone = "bad" if diff.error else "busy" if diff.refused else "" if diff.changed else "dim"
    subject = safe(diff.subject or "(no subject)", _SUBJECT)
    lines = [
        Line(text=safe(f"{safe(diff.sender or '<>', _SUBJECT)}  {subject}"), tone=tone),
        Line(text=safe(f"    {diff.refused or diff.sentence}"), tone=tone),
    ]
    if diff.changed and not diff.refused:
        lines += [
            Line(text=safe(f"    {name}: {change.old or '-'} -> {change.new or '-'}"), tone="dim")
            for name, change in diff.changes.items()
        ]
    return lines
