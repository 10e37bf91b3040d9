"""The gate before each destination: a few calls at a time, none to one that fails.

A dead endpoint would otherwise take every slot of the worker for as long as its time limit, and
hold up the others. One that takes what it gets is given more at a time, until it fails. What is
turned away here has not been tried; it is given a later turn, each of its kind another one, at the
pace the destination answers (bus/line.py).

A gate is that of one process. How often a webhook has failed in a row is in the database, so that
all processes rest together (``rest_after``), and each makes one call when the rest is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.ports import Clock

FEWEST = 4  # calls at a time for one we know nothing good of
MOST = 16  # for one that is quick
MOST_SLOW = 8  # for others: never all that a worker makes
QUICK = 0.5  # seconds a call may take
TRIPS = 5  # failures in a row
PAUSE = 20.0  # seconds after the trip, doubling with every failed probe
LONGEST = 300.0
SETTLED = 5.0  # seconds after which the database knows of every failure we know of
SHORTEST_CALL, LONGEST_CALL = 0.01, 2.0  # seconds; what a turn is reckoned with
WEIGHT = 0.2  # of the newest call among those before


@dataclass(slots=True)
class _Lane:
    """One destination; moments are monotonic seconds, ``seconds`` is how long a call takes."""

    running: int = 0
    allowed: int = FEWEST
    failures: int = 0
    failed_at: float = 0.0
    closed_until: float = 0.0
    seconds: float = 0.02
    given_until: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """When those turned away come again: the first after ``start`` seconds, then every ``step``."""

    start: float
    step: float

    def wait(self, number: int) -> float:
        """Give the seconds until turn ``number``, counted from 0; none is far away."""
        return min(self.start + number * self.step, self.start + LONGEST)


class Gate:
    """Admits calls by destination; every ``admit`` that lets in needs its ``leave``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lanes: dict[str, _Lane] = {}

    def admit(self, key: str, *, failures: int | None = None) -> bool:
        """Let a call in or turn it away; ``failures`` in a row is what the database knows."""
        lane, now = self._lanes.setdefault(key, _Lane()), self._clock.monotonic()
        if failures == 0 and lane.failures and now - lane.failed_at > SETTLED:
            # another process was taken from, or a person has switched it on again
            lane.failures, lane.closed_until = 0, 0.0
        if lane.closed_until > now:
            return False
        # after a pause one call goes ahead to see; the rest wait for how it ends
        failed = max(lane.failures, failures or 0)
        if lane.running >= (1 if failed >= TRIPS else lane.allowed):
            return False
        lane.running += 1
        return True

    def leave(self, key: str, *, ok: bool, seconds: float) -> None:
        """Tell how a call that was let in has ended, and how long it took."""
        lane = self._lanes[key]
        lane.running -= 1
        took = min(max(seconds, SHORTEST_CALL), LONGEST_CALL)
        lane.seconds += (took - lane.seconds) * WEIGHT
        if ok:
            lane.failures, lane.closed_until = 0, 0.0
            lane.allowed = min(lane.allowed + 1, MOST if lane.seconds < QUICK else MOST_SLOW)
            return
        lane.failures += 1
        lane.failed_at = self._clock.monotonic()
        lane.allowed = FEWEST
        lane.closed_until = lane.failed_at + rest_after(lane.failures)

    def turns(self, key: str, *, rest: float = 0.0) -> Turns:
        """Give the next turns of a destination that may be asked again after ``rest`` seconds."""
        lane, now = self._lanes.setdefault(key, _Lane()), self._clock.monotonic()
        step = lane.seconds / lane.allowed
        rests = max(rest, lane.closed_until - now)
        given = min(lane.given_until - now, LONGEST)
        return Turns(start=max(rests, given, step), step=step)

    def took(self, key: str, turns: Turns, number: int) -> None:
        """Tell how many turns were given to somebody."""
        lane = self._lanes[key]
        lane.given_until = self._clock.monotonic() + turns.wait(number)


def rest_after(failures: int) -> float:
    """Give the seconds a destination rests after so many failures in a row."""
    if failures < TRIPS:
        return 0.0
    return min(PAUSE * 2.0 ** min(failures - TRIPS, 10), LONGEST)
