"""Publishes notices at their time, from one thread, with the faults on order."""

from __future__ import annotations

import heapq
import json
import logging
import threading
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from backend.sandbox.accepted import stamp
from backend.sandbox.faults import NOTICE_FAULTS, FaultKind

if TYPE_CHECKING:
    import random

    from backend.ports import Clock
    from backend.sandbox.faults import Faults

log = logging.getLogger(__name__)

_OVERTAKEN_SECONDS = (0.5, 1.5)


class Topics(Protocol):
    """Where notices are published."""

    def publish(self, topic_arn: str, message: str, *, message_id: str, at: str) -> None:
        """Publish a message under an SNS MessageId."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One notice on its way; a duplicate shares its ``message_id``."""

    channel: str
    topic_arn: str
    message: str
    message_id: str


class Emitter:
    """A heap of postings by due time, emptied by one thread."""

    def __init__(self, topics: Topics, *, faults: Faults, clock: Clock, rng: random.Random) -> None:
        self._topics = topics
        self._faults = faults
        self._clock = clock
        self._rng = rng
        self._ready = threading.Condition()
        self._heap: list[tuple[float, int, bool, Posting]] = []
        self._count = 0
        self._stopping = False
        self.published = 0
        self._thread = threading.Thread(target=self._run, name="sandbox-events", daemon=True)

    @property
    def pending(self) -> int:
        """How many postings are not yet due."""
        return len(self._heap)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; what is not yet due is dropped, as everything is in memory."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        self._thread.join()

    def schedule(self, channel: str, topic: str, body: dict[str, Any], *, after: float) -> None:
        """Publish a notice ``after`` seconds from now."""
        self._push(self._posting(channel, topic, body), after, settled=False)

    def publish_now(self, channel: str, topic: str, body: dict[str, Any]) -> None:
        """Publish before returning, unless a fault on order says otherwise."""
        self._strike_or_publish(self._posting(channel, topic, body))

    def _posting(self, channel: str, topic: str, body: dict[str, Any]) -> Posting:
        noise = uuid.UUID(int=self._rng.getrandbits(128), version=4)
        return Posting(
            channel=channel, topic_arn=topic, message=json.dumps(body), message_id=str(noise)
        )

    def _push(self, posting: Posting, after: float, *, settled: bool) -> None:
        with self._ready:
            self._count += 1
            due = self._clock.monotonic() + after
            heapq.heappush(self._heap, (due, self._count, settled, posting))
            self._ready.notify()

    def _run(self) -> None:
        while (due := self._next()) is not None:
            settled, posting = due
            try:
                if settled:
                    self._publish(posting)
                else:
                    self._strike_or_publish(posting)
            except Exception:  # the loop's edge: one bad topic must not silence the others
                log.exception("sandbox: a notice could not be published to %s", posting.topic_arn)

    def _next(self) -> tuple[bool, Posting] | None:
        with self._ready:
            while not self._stopping:
                wait = self._heap[0][0] - self._clock.monotonic() if self._heap else None
                if wait is not None and wait <= 0:
                    _, _, settled, posting = heapq.heappop(self._heap)
                    return settled, posting
                self._ready.wait(wait)
            return None

    def _strike_or_publish(self, posting: Posting) -> None:
        fault = self._faults.draw(NOTICE_FAULTS, posting.channel)
        if fault is None:
            self._publish(posting)
        elif fault.kind is FaultKind.DUPLICATE:
            self._publish(posting)
            self._push(posting, self._rng.uniform(0.0, fault.seconds), settled=True)
        elif fault.kind is FaultKind.REORDER:
            self._push(posting, self._rng.uniform(*_OVERTAKEN_SECONDS), settled=True)
        elif fault.kind is FaultKind.DELAY:
            self._push(posting, fault.seconds, settled=True)

    def _publish(self, posting: Posting) -> None:
        self._topics.publish(
            posting.topic_arn,
            posting.message,
            message_id=posting.message_id,
            at=stamp(self._clock.now()),
        )
        self.published += 1
