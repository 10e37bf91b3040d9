"""The sender: a worker of its own for mail out, so that nothing else takes its slots.

Most mails it has in hand wait for the database or for SES, so it has many more of them than there
are threads that call SES; large ones are few at a time (context.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.model.outbound import GaveUp
from backend.model.work import WorkKind
from backend.outbound import hold
from backend.outbound.record import Result, record
from backend.outbound.send import process
from backend.queue.worker import Worker

if TYPE_CHECKING:
    from backend.model.work import WorkItem
    from backend.outbound.context import Outbound
    from backend.queue.worker import WorkerSettings
    from backend.store.types import Tx

PER_THREAD = 8  # mails in hand for each thread that calls SES
TRIES = 12  # of a mail that makes the program fail: some forty minutes


def make_sender(
    outbound: Outbound, *, owner: str, threads: int, settings: WorkerSettings
) -> Worker:
    """Make the worker that sends mail; ``threads`` is how many calls to SES run at a time."""

    async def send(item: WorkItem) -> None:
        await process(item, outbound)

    def fail(tx: Tx, item: WorkItem, reason: str) -> None:
        at, event_id = outbound.clock.now(), outbound.ids.new("evt")
        outcome = GaveUp(reason=f"it could not be handled: {reason}")
        result = Result(
            item=item,
            email_id=item.ref,
            outcome=outcome,
            attempt=None,
            at=at,
            event_id=event_id,
        )
        record(tx, result)

    return Worker(
        outbound.db,
        outbound.clock,
        {WorkKind.SEND: send},
        owner=owner,
        claims={WorkKind.SEND: hold.claim},
        burials={WorkKind.SEND: fail},
        settings=replace(settings, concurrency=threads * PER_THREAD, attempts=TRIES),
    )
