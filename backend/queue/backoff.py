"""How long to wait before the next try. Pure: the same item and attempt always wait the same."""

from __future__ import annotations

import hashlib
from datetime import timedelta

BASE = timedelta(seconds=2)
CAP = timedelta(minutes=15)
LONGEST = timedelta(days=1)  # no other side may put us off for longer
DOUBLINGS = 20  # beyond this the cap holds anyway


def delay(item_id: str, attempt: int, *, retry_after: float | None = None) -> timedelta:
    """Give the wait after failed attempt number ``attempt`` (1 is the first).

    Doubles from BASE to CAP, less up to a half by chance of the id, so that items which failed
    together do not come back together. ``retry_after`` (seconds, as the other side asked) is
    honoured instead: never sooner, at most a tenth later, within BASE and LONGEST.
    """
    chance = _fraction(f"{item_id}/{attempt}")
    if retry_after is not None:
        asked = timedelta(seconds=min(max(retry_after, 0.0), LONGEST.total_seconds()))
        return max(asked, BASE) * (1 + chance / 10)
    doubled = BASE * float(2 ** min(max(attempt, 1) - 1, DOUBLINGS))
    return min(doubled, CAP) * (1 - chance / 2)


def _fraction(seed: str) -> float:
    """Give a number from 0 (inclusive) to 1 (exclusive) that only ``seed`` decides."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) / 2**32
