"""The receiver: a worker of its own for mail in, so that nothing else takes its slots.

Most messages it has in hand wait for the database, whose writes they share, so it has more of them
than it makes calls to a target (targets.py); large ones are few at a time (pipeline.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.inbound.pipeline import process
from backend.model.work import WorkKind
from backend.queue.worker import Worker

if TYPE_CHECKING:
    from backend.inbound.pipeline import Inbound
    from backend.model.work import WorkItem
    from backend.queue.worker import WorkerSettings

PER_SLOT = 3  # messages in hand for each slot of an ordinary worker


def make_receiver(inbound: Inbound, *, owner: str, settings: WorkerSettings) -> Worker:
    """Make the worker that carries received mail to its targets."""

    async def receive(item: WorkItem) -> None:
        await process(item, inbound)

    return Worker(
        inbound.db,
        inbound.clock,
        {WorkKind.INBOUND: receive},
        owner=owner,
        settings=replace(settings, concurrency=settings.concurrency * PER_SLOT),
    )
