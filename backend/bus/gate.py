"""The gate before each destination of one process: a few calls at a time, none to one that fails.

A dead endpoint would otherwise take every slot of the worker for as long as its time limit, and
hold up the others. One that takes what it gets is given more at a time, until it fails. What is
turned away here has not been tried; it is only put back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.ports import Clock

FEWEST = 4  # calls at a time for one we know nothing good of
MOST = 16
TRIPS = 5  # failures in a row
PAUSE = 20.0  # seconds after the trip, doubling with every failed probe
LONGEST = 300.0
SOON = 1.0
SOONER = 0.2  # while all goes well


@dataclass(slots=True)
class _Lane:
    """One destination; ``closed_until`` in monotonic seconds."""

    running: int = 0
    allowed: int = FEWEST
    failures: int = 0
    closed_until: float = 0.0


class Gate:
    """Admits calls by destination; every ``admit`` that lets in needs its ``leave``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lanes: dict[str, _Lane] = {}

    def admit(self, key: str) -> float | None:
        """Let a call in (None), or give the seconds after which to ask again."""
        lane = self._lanes.setdefault(key, _Lane())
        left = lane.closed_until - self._clock.monotonic()
        if left > 0:
            return max(left, SOON)
        # after a pause one call goes ahead to see; the rest wait for how it ends
        if lane.running >= (1 if lane.failures >= TRIPS else lane.allowed):
            return SOON if lane.failures else SOONER
        lane.running += 1
        return None

    def leave(self, key: str, *, ok: bool) -> None:
        """Tell how a call that was let in has ended."""
        lane = self._lanes[key]
        lane.running -= 1
        if ok:
            lane.failures, lane.closed_until = 0, 0.0
            lane.allowed = min(lane.allowed + 1, MOST)
            return
        lane.failures += 1
        lane.allowed = FEWEST
        if lane.failures >= TRIPS:
            pause = min(PAUSE * 2.0 ** min(lane.failures - TRIPS, 10), LONGEST)
            lane.closed_until = self._clock.monotonic() + pause
