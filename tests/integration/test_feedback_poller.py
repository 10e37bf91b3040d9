"""Polling: acknowledged when durable, and never before."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backend.errors import DatabaseBusyError, ServiceUnavailableError
from backend.feedback.poller import FeedbackPoller
from backend.ports import Notice
from backend.store.schema import events as table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock

CASES = Path(__file__).parent.parent / "golden" / "feedback"


class ListQueue:
    """Implements ports.NoticeQueue over a list, so that a test can break it."""

    def __init__(self, bodies: Sequence[str]) -> None:
        self.waiting = [
            Notice(id=f"sqs-{n}", body=body, handle=str(n), receive_count=1)
            for n, body in enumerate(bodies)
        ]
        self.acknowledged: list[str] = []
        self.refusals = 0
        self.asked = asyncio.Event()
        self.emptied = asyncio.Event()

    async def receive(self, limit: int, wait_seconds: int) -> Sequence[Notice]:
        """Give what waits; when nothing does, wait like a long poll."""
        self.asked.set()
        if self.refusals:
            self.refusals -= 1
            raise ServiceUnavailableError("SQS is away")
        if not self.waiting and wait_seconds:
            await asyncio.Event().wait()
        return self.waiting[:limit]

    async def acknowledge(self, notices: Sequence[Notice]) -> None:
        """Forget these notices."""
        self.acknowledged += [notice.id for notice in notices]
        self.waiting = [n for n in self.waiting if n not in notices]
        self.emptied.set()


@pytest.fixture
def bodies() -> list[str]:
    """A send and a delivery, with something broken between."""
    return [
        (CASES / "01-send.json").read_text(),
        "not an event",
        json.dumps(json.loads((CASES / "17-raw-delivery.json").read_text())),
        (CASES / "21-subscription-confirmation.json").read_text(),
    ]


def stored(tx: Tx) -> int:
    """Count the events on disk."""
    return len(tx.execute(table.select()).all())


async def test_what_is_durable_is_acknowledged_and_what_is_malformed_is_left(
    db: Database, clock: SettableClock, ids: CountingIds, bodies: list[str]
) -> None:
    queue = ListQueue(bodies)
    assert await FeedbackPoller(db, queue, clock=clock, ids=ids).poll() == 3

    assert queue.acknowledged == ["sqs-0", "sqs-2", "sqs-3"]
    assert [notice.body for notice in queue.waiting] == ["not an event"]
    # the raw copy is the same fact as the enveloped one
    assert await db.read(stored) == 1


async def test_nothing_is_acknowledged_when_the_database_is_away(
    sqlite_url: str, clock: SettableClock, ids: CountingIds, bodies: list[str]
) -> None:
    from backend.store.engine import open_database

    db = open_database(sqlite_url)
    await db.write(table.drop)
    queue = ListQueue(bodies[:1])
    await FeedbackPoller(db, queue, clock=clock, ids=ids).poll()
    db.close()

    assert queue.acknowledged == []


async def test_events_that_must_wait_for_the_database_end_the_poll_with_its_reason(
    db: Database, clock: SettableClock, ids: CountingIds, bodies: list[str], tmp_path: Path
) -> None:
    queue, heard = ListQueue(bodies[:1]), []
    poller = FeedbackPoller(db, queue, clock=clock, ids=ids, heard=lambda: heard.append(1))
    await db.write(lambda _tx: None)
    (tmp_path / "relay.db").rename(tmp_path / "away")
    with pytest.raises(DatabaseBusyError):
        await poller.poll()
    assert (queue.acknowledged, heard) == ([], [])

    (tmp_path / "away").rename(tmp_path / "relay.db")
    assert await poller.poll() == 1
    assert (queue.acknowledged, heard) == (["sqs-0"], [1])


async def test_a_long_poll_ends_at_once_when_told_to_stop(
    db: Database, clock: SettableClock, ids: CountingIds
) -> None:
    queue = ListQueue([])
    poller = FeedbackPoller(db, queue, clock=clock, ids=ids)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(poller.run())
        await queue.asked.wait()
        poller.stop()
    assert running.done()


async def test_a_queue_that_is_away_for_a_moment_does_not_end_the_loop(
    db: Database,
    clock: SettableClock,
    ids: CountingIds,
    bodies: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("backend.feedback.poller.REST_SECONDS", 0.01)
    queue = ListQueue(bodies[:1])
    queue.refusals = 2
    poller = FeedbackPoller(db, queue, clock=clock, ids=ids)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(poller.run())
        await queue.emptied.wait()
        poller.stop()
    assert queue.acknowledged == ["sqs-0"]
