"""What retention deletes, or would delete. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from datetime import datetime

    from backend.model.inbound import InboundStatus


class RetentionCause(Explained):
    """Why messages go."""

    AGE = "age", "They came to rest longer ago than their state is kept."
    SIZE = "size", "The stored raw mail is larger than it may be."


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Messages of one state that go for one cause; ``size`` is their raw mail in bytes."""

    status: InboundStatus
    cause: RetentionCause
    messages: int
    size: int
    oldest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionReport:
    """One run, or with ``dry`` what one would do.

    ``stored`` is the raw mail that stays and ``limit`` what it may be (0: no limit), in bytes.
    ``raw_deleted`` counts objects deleted from the blob store, ``raw_waiting`` those that could not
    be yet, ``files_deleted`` linked attachments that nobody can read any more. The other numbers
    count kept answers, finished jobs, buried work items and marks of deleted mail
    that were dropped.
    """

    dry: bool
    at: datetime
    gone: tuple[Gone, ...] = ()
    stored: int = 0
    limit: int = 0
    raw_deleted: int = 0
    raw_waiting: int = 0
    files_deleted: int = 0
    answers: int = 0
    jobs: int = 0
    work_items: int = 0
    marks: int = 0

    @property
    def messages(self) -> int:
        """How many messages go."""
        return sum(one.messages for one in self.gone)

    @property
    def did_something(self) -> bool:
        """Whether anything was deleted or dropped."""
        files = (self.raw_deleted, self.files_deleted)
        return any((self.messages, *files, self.jobs, self.work_items))

    @property
    def too_large(self) -> bool:
        """Whether more raw mail stays than may: all the rest waits for a person."""
        return bool(self.limit) and self.stored > self.limit
