"""Announce a bus event: into the outbox, with the work of publishing it, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.model.work import WorkKind
from backend.queue import items
from backend.store import outbox

if TYPE_CHECKING:
    from backend.model.bus import BusEvent
    from backend.store.types import Tx


def announce(tx: Tx, *happened: BusEvent) -> None:
    """Write events beside the change that caused them and queue them for the bus."""
    if not happened:
        return
    outbox.add(tx, *happened)
    items.enqueue_all(tx, WorkKind.PUBLISH, {event.id: event.created_at for event in happened})
