"""The queue against a model of it: whatever is asked in whatever order, both agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from backend.errors import LeaseLostError
from backend.model.work import WorkItem, WorkKind
from backend.queue import items
from backend.store.schema import metadata
from tests.settable import SettableClock

LEASE = timedelta(seconds=30)
REFS = st.sampled_from(["a", "b", "c"])
OWNERS = st.sampled_from(["x", "y"])


@dataclass
class Expected:
    """What the model knows of one item."""

    run_at: datetime
    dead: bool = False
    holder: WorkItem | None = None
    lease_until: datetime | None = None
    again: bool = False


class Queue(RuleBasedStateMachine):
    """Drives the real queue functions and a dictionary side by side."""

    @initialize()
    def begin(self) -> None:
        """Make an empty queue in memory."""
        self.clock = SettableClock()
        self.engine = create_engine("sqlite://", poolclass=StaticPool)
        self.tx: Connection = self.engine.connect()
        metadata.create_all(self.tx)
        self.model: dict[str, Expected] = {}
        self.held: list[WorkItem] = []

    def teardown(self) -> None:
        """Close the database."""
        if hasattr(self, "tx"):
            self.tx.close()
            self.engine.dispose()

    @rule(seconds=st.sampled_from([0.001, 1, 29, 31]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    @rule(ref=REFS, seconds=st.sampled_from([0, 0, 5]))
    def enqueue(self, ref: str, seconds: int) -> None:
        """Ask for work now or later."""
        now = self.clock.now()
        run_at = now + timedelta(seconds=seconds)
        items.enqueue(self.tx, WorkKind.SEND, ref, run_at=run_at, now=now)
        known = self.model.setdefault(ref, Expected(run_at))
        known.again = known.holder is not None
        known.run_at, known.dead = run_at, False

    @rule(owner=OWNERS, limit=st.integers(1, 3))
    def claim(self, owner: str, limit: int) -> None:
        """Claim some and compare with what the model says is free."""
        now = self.clock.now()
        free = {ref for ref, known in self.model.items() if self._is_free(known)}
        claimed = items.claim(self.tx, [WorkKind.SEND], owner, now=now, lease=LEASE, limit=limit)
        assert {item.ref for item in claimed} <= free
        assert len(claimed) == min(limit, len(free))
        for item in claimed:
            known = self.model[item.ref]
            known.holder, known.lease_until, known.again = item, now + LEASE, False
            self.held.append(item)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), how=st.sampled_from(["finish", "retry", "bury"]))
    def settle(self, data: st.DataObject, how: str) -> None:
        """End one claimed item, perhaps late; only the true holder may."""
        item = data.draw(st.sampled_from(self.held))
        self.held.remove(item)
        known = self.model.get(item.ref)
        later = self.clock.now() + timedelta(seconds=5)
        try:
            match how:
                case "finish":
                    items.finish(self.tx, item)
                case "retry":
                    items.retry(self.tx, item, later, "busy")
                case _:
                    items.bury(self.tx, item, "refused")
        except LeaseLostError:
            assert known is None or known.holder != item
            return
        assert known is not None
        assert known.holder == item
        known.holder = None
        if known.again:
            return
        if how == "finish":
            del self.model[item.ref]
        elif how == "retry":
            known.run_at = later
        else:
            known.dead = True

    @invariant()
    def agree(self) -> None:
        """The counts of the queue are those of the model."""
        if not hasattr(self, "tx"):
            return
        now = self.clock.now()
        (found,) = [c for c in items.counts(self.tx, now) if c.kind is WorkKind.SEND]
        alive = [known for known in self.model.values() if not known.dead]
        assert found.dead == len(self.model) - len(alive)
        assert found.due == sum(map(self._is_free, alive))
        assert found.due + found.scheduled + found.leased == len(alive)

    def _is_free(self, known: Expected) -> bool:
        now = self.clock.now()
        until = known.lease_until if known.holder is not None else None
        leased = until is not None and until >= now
        return not known.dead and not leased and known.run_at <= now


TestQueue = Queue.TestCase
TestQueue.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
