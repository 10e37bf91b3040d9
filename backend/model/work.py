"""Work that must happen later; every piece is a row of the one work queue. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from datetime import datetime


class WorkKind(Explained):
    """What a work item asks for; ``ref`` names the row it is about."""

    SEND = "send", "Hand one mail to SES."
    INBOUND = "inbound", "Process one inbound message."
    PUBLISH = "publish", "Fan one event out to the bus and to subscribers."
    BUS = "bus", "Post one event to the bus."
    WEBHOOK = "webhook", "Post one event to one subscriber."
    UNSUPPRESS = "unsuppress", "Free one address on the list of SES too."
    AUTO_RESPONSE = "auto_response", "Answer the sender of one mail that opened a ticket."
    JOB = "job", "Carry a bulk job on by some of its items."


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """One claimed piece of work; ``fence`` must still be ours when the result is written."""

    id: str
    kind: WorkKind
    ref: str
    run_at: datetime
    attempts: int
    fence: int
