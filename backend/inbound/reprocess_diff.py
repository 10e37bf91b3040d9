"""What would be decided over a stored message now, beside what was: the pipeline's own code.

Nothing is written. What a person decided by hand is on the message and counts as in the pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.errors import NotFoundError
from backend.inbound.pipeline import conclude, prepared
from backend.inbound.reprocess_guard import refusal
from backend.model.decision_diff import about, compare, decision_fields
from backend.model.inbound import InboundStatus
from backend.store import deliveries, explanations
from backend.store import inbound as store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.inbound.decide import Decision
    from backend.inbound.pipeline import Inbound
    from backend.model.decision_diff import DecisionDiff, Selection
    from backend.model.inbound import InboundMessage, Step
    from backend.store.types import Tx

NO_RAW = "the raw message is no longer in the store"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A stored message, the steps of its newest explanation, and why it may not go again."""

    message: InboundMessage
    steps: tuple[Step, ...]
    refused: str


def recorded(tx: Tx, message: InboundMessage) -> Recorded:
    """Read what was decided over a message."""
    return Recorded(
        message=message,
        steps=explanations.newest(tx, message.id),
        refused=refusal(message, deliveries.of_message(tx, message.id)),
    )


def selected(
    tx: Tx, selection: Selection, cursor: str, size: int
) -> list[tuple[str, Recorded | None]]:
    """Give the next messages of a selection by id, newest first, or in the order of its ids.

    ``cursor`` is the last id given, empty at the beginning. None stands for an unknown id.
    """
    if not selection.ids:
        rows = store.older(tx, selection.query, cursor, size)
        return [(row.id, recorded(tx, row)) for row in rows]
    some = selection.ids[_place(selection.ids, cursor) :][:size]
    found = ((one, store.get(tx, one)) for one in some)
    return [(one, recorded(tx, row) if row else None) for one, row in found]


def count_selected(tx: Tx, selection: Selection) -> int:
    """Count the messages of a selection."""
    return len(selection.ids) or store.count(tx, selection.query)


async def redecide(inbound: Inbound, was: Recorded) -> DecisionDiff:
    """Decide over a message anew; raises TransientError."""
    message = was.message
    try:
        raw = await inbound.blobs.get(message.blob_key)
    except NotFoundError:
        fields = decision_fields(message, was.steps)
        return replace(about(message, fields, error=NO_RAW), refused=was.refused)
    mail = await inbound.reader.read(raw)
    fresh = replace(message, status=InboundStatus.RECEIVED, route=None, size=len(raw))
    decision = await conclude(inbound, fresh, mail)
    new, steps = _decided(decision, inbound)
    return replace(compare(message, was.steps, new, steps), refused=was.refused)


def _decided(decision: Decision, inbound: Inbound) -> tuple[InboundMessage, Sequence[Step]]:
    """Give the message and steps as the pipeline would record them, were it not for the call."""
    known = decision.message.thread_id  # a conversation that would be begun has no id yet
    ready = prepared(decision, inbound)
    if ready.rest is None:
        return replace(ready.message, status=InboundStatus.FORWARDING, thread_id=known), ready.steps
    rest = ready.rest
    decided = replace(ready.message, status=rest.status, reason=rest.reason, thread_id=known)
    return decided, rest.steps


def _place(ids: Sequence[str], cursor: str) -> int:
    return ids.index(cursor) + 1 if cursor else 0
