"""Announce a bus event: into the outbox, with the work of publishing it, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.model.work import WorkKind
from backend.queue import items
from backend.store import outbox

if TYPE_CHECKING:
    from backend.model.bus import BusEvent
    from backend.store.types import Tx


def announce(tx: Tx, event: BusEvent) -> None:
    """Write an event beside the change that caused it and queue it for the bus."""
    outbox.add(tx, event)
    items.enqueue(tx, WorkKind.PUBLISH, event.id, run_at=event.created_at, now=event.created_at)
