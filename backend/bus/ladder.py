"""When a delivery that failed is tried again, and when no more. Pure."""

from __future__ import annotations

import hashlib
from datetime import timedelta

LADDER = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
"""The wait after each failed try; what fails once more after the last is a dead letter."""

LONGEST = timedelta(days=1)  # no receiver may put us off for longer
JITTER = 0.1


def wait_after(
    delivery_id: str, tried: int, *, retry_after: float | None = None
) -> timedelta | None:
    """Give the wait after failed try number ``tried`` (1 is the first), None to give up.

    ``retry_after`` (seconds, as the receiver asked) makes it longer, never shorter. Up to a tenth
    more by chance of the id keeps what failed together from coming back together.
    """
    if tried > len(LADDER):
        return None
    wait = LADDER[tried - 1]
    if retry_after is not None:
        wait = min(max(wait, timedelta(seconds=min(retry_after, 1e6))), LONGEST)
    return wait * (1 + JITTER * chance(f"{delivery_id}/{tried}"))


def chance(seed: str) -> float:
    """Give a number from 0 (inclusive) to 1 (exclusive) that only ``seed`` decides."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) / 2**32
