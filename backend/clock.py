"""The real clock and the real source of ids; the one module that may ask the system for either."""

from __future__ import annotations

import secrets
import time
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_BYTES = 10  # 80 bits
_AT_ONCE = 64


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Give the present moment, aware, in UTC, to the millisecond the store keeps."""
        return datetime.fromtimestamp(time.time_ns() // 1_000_000 / 1000, tz=UTC)

    def monotonic(self) -> float:
        """Give seconds that never go back."""
        return time.monotonic()


class UlidIds:
    """Ids that sort by time: 48 bits of milliseconds, 80 bits of chance, Crockford base32."""

    def __init__(self) -> None:
        self._chance: deque[str] = deque()

    def new(self, prefix: str) -> str:
        """Make ``prefix_`` plus 26 lower case characters; safe to call from any thread."""
        return f"{prefix}_{_written_moment(time.time_ns() // 1_000_000)}{self._draw()}"

    def _draw(self) -> str:
        """Give 80 bits of chance; the system is asked for many at a time, which is dear."""
        while True:
            try:
                return self._chance.popleft()
            except IndexError:
                many = secrets.token_bytes(_BYTES * _AT_ONCE)
                self._chance.extend(
                    _written(int.from_bytes(many[place : place + _BYTES], "big"), 80)
                    for place in range(0, len(many), _BYTES)
                )


@lru_cache(maxsize=8)
def _written_moment(millis: int) -> str:
    return _written(millis, 50)  # 48 bits and 2 of zero, as ULIDs have them


def _written(value: int, bits: int) -> str:
    """Write a number of so many bits, a multiple of 10, in base32, highest digits first."""
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(bits - 10, -1, -10)])
