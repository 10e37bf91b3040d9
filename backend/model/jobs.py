"""Bulk jobs: work over many rows that a person asked for, its progress and its report. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class JobKind(Explained):
    """What a job does to each of its items; a kind has one JobStep (backend/queue/jobs.py)."""

    REPROCESS = "reprocess", "Process inbound messages again."


class JobState(Explained):
    """How far a job is."""

    QUEUED = "queued", "Waits for a worker."
    RUNNING = "running", "Under way."
    DONE = "done", "Every item was looked at; the report has one line for each."
    CANCELLED = "cancelled", "Stopped by a person; what was done until then stays done."
    FAILED = "failed", "Could not go on; the error says why."


OVER = frozenset({JobState.DONE, JobState.CANCELLED, JobState.FAILED})
"""The states a job does not leave."""


class LineOutcome(Explained):
    """What became of one item of a job."""

    CHANGED = "changed", "It was acted on."
    UNCHANGED = "unchanged", "There was nothing to do."
    REFUSED = "refused", "It may not be acted on; the sentence says why."
    FAILED = "failed", "It could not be done; the sentence says why."


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWish:
    """What a person asks for: ``params`` is JSON that only the step of the kind understands."""

    kind: JobKind
    params: Mapping[str, object]
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it stands.

    ``total`` is None until it has been counted; ``done`` counts all lines, the other numbers
    those of one outcome. ``cursor`` tells its step where to go on.
    """

    id: str
    kind: JobKind
    tenant_id: str | None
    actor: str
    state: JobState
    params: Mapping[str, object]
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    total: int | None = None
    done: int = 0
    changed: int = 0
    refused: int = 0
    failed: int = 0
    cursor: str = ""
    cancelling: bool = False
    error: str = ""

    @property
    def unchanged(self) -> int:
        """How many items there was nothing to do for."""
        return self.done - self.changed - self.refused - self.failed

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine:
    """What became of one item: ``ref`` is its id, ``before`` and ``after`` small JSON objects."""

    ref: str
    outcome: LineOutcome
    sentence: str = ""
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
