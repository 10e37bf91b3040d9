"""The real clock and the real source of ids; the one module that may ask the system for either."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


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

    def new(self, prefix: str) -> str:
        """Make ``prefix_`` plus 26 lower case characters."""
        value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
        return f"{prefix}_" + "".join(
            _CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5)
        )
