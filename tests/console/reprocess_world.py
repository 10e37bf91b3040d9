"""Reprocessing and jobs in the snapshot world: a job does a part whenever it is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from backend import (
    Change,
    DecisionDiff,
    InboundStatus,
    Job,
    JobKind,
    JobLine,
    JobState,
    LineOutcome,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from backend import InboundMessage, Selection
    from tests.console.world import World

REFUSED = "it reached psa already as T-1; it is not sent twice"


@dataclass(slots=True)
class ReprocessWorld:
    """What is unrouted would get a ticket, what is forwarded is refused, the rest stays."""

    world: World
    jobs: dict[str, tuple[Job, list[JobLine]]] = field(default_factory=dict)
    a_look: int = 1000
    """Messages that a job does whenever it is looked at."""

    def _selected(self, selection: Selection) -> list[InboundMessage]:
        if selection.ids:
            return [self.world.received[one] for one in selection.ids]
        return self.world._inbound(selection.query)

    async def count(self, selection: Selection) -> int:
        self.world._check()
        return len(self._selected(selection))

    async def preview(self, selection: Selection) -> AsyncIterator[DecisionDiff]:
        for message in self._selected(selection):
            yield _diff(message)

    async def start(self, selection: Selection, *, actor: str) -> Job:
        self.world._check()
        self.world.calls.append(("reprocess", selection, actor))
        messages = self._selected(selection)
        now = min(message.received_at for message in messages) + timedelta(hours=1)
        job = Job(
            id=f"job_{len(self.jobs) + 1:026d}",
            kind=JobKind.REPROCESS,
            tenant_id=None,
            actor=actor,
            state=JobState.RUNNING,
            params={},
            created_at=now,
            started_at=now,
            total=len(messages),
        )
        self.jobs[job.id] = (job, [_line(_diff(message)) for message in messages])
        return job

    async def get(self, job_id: str) -> Job:
        self.world._check()
        job, lines = self.jobs[job_id]
        if not job.over:
            done = min(len(lines), job.done + self.a_look)
            outcomes = [line.outcome for line in lines[:done]]
            job = replace(
                job,
                done=done,
                changed=outcomes.count(LineOutcome.CHANGED),
                refused=outcomes.count(LineOutcome.REFUSED),
                state=_state(job, all_done=done == len(lines)),
            )
            self.jobs[job_id] = (job, lines)
            self.world.bump()
        return job

    async def cancel(self, job_id: str, *, actor: str) -> Job:
        job, lines = self.jobs[job_id]
        self.world.calls.append(("cancel", job_id, actor))
        self.jobs[job_id] = (replace(job, cancelling=True), lines)
        self.world.bump()
        return self.jobs[job_id][0]

    async def report(self, job_id: str, start: int, size: int) -> Sequence[JobLine]:
        job, lines = self.jobs[job_id]
        return lines[: job.done][start : start + size]


def _state(job: Job, *, all_done: bool) -> JobState:
    if job.cancelling:
        return JobState.CANCELLED
    return JobState.DONE if all_done else JobState.RUNNING


def _diff(message: InboundMessage) -> DecisionDiff:
    old = f"{message.status.value} {message.reason.value}"
    diff = DecisionDiff(
        inbound_id=message.id,
        received_at=message.received_at,
        sender=message.from_address,
        recipient=message.recipient,
        subject=message.subject,
        old=old,
        new=old,
        refused=REFUSED if message.status is InboundStatus.FORWARDED else "",
    )
    if message.status is not InboundStatus.UNROUTED:
        return diff
    changes = {
        "status": Change(old="unrouted", new="forwarded"),
        "target": Change(old="", new="psa"),
    }
    return replace(diff, new="forwarded rule_routed psa new_ticket", changes=changes)


def _line(diff: DecisionDiff) -> JobLine:
    outcome = LineOutcome.CHANGED if diff.changed else LineOutcome.UNCHANGED
    if diff.refused:
        outcome = LineOutcome.REFUSED
    return JobLine(ref=diff.inbound_id, outcome=outcome, sentence=diff.refused or diff.sentence)
