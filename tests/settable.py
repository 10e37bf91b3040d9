"""A clock that moves only when told, and ids that count: what a test needs to be repeatable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday


class SettableClock:
    """Implements backend.ports.Clock; ``advance`` and ``set`` move it."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._monotonic = 1000.0

    def now(self) -> datetime:
        """Give the moment last set."""
        return self._now

    def monotonic(self) -> float:
        """Give seconds that only ``advance`` moves."""
        return self._monotonic

    def advance(self, by: timedelta | float) -> datetime:
        """Move both clocks on by a timedelta or by seconds, and give the new moment."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        self._now += step
        self._monotonic += step.total_seconds()
        return self._now

    def set(self, moment: datetime) -> None:
        """Jump the wall clock, as an administrator would; monotonic time stays."""
        self._now = moment


class CountingIds:
    """Implements backend.ports.Ids with 26 digits that sort in the order they were made."""

    def __init__(self) -> None:
        self._made = 0

    def new(self, prefix: str) -> str:
        """Make ``prefix_`` plus the next number."""
        self._made += 1
        return f"{prefix}_{self._made:026d}"
