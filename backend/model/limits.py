"""How much mail a tenant and a key may hand in: four windows, and how full they are. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.model.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Mapping


class Window(Explained):
    """The four spans of time in which accepted mail is counted."""

    SECOND = "second", "The last second."
    MINUTE = "minute", "The last minute."
    HOUR = "hour", "The last hour."
    DAY = "day", "The last 24 hours."

    @property
    def seconds(self) -> int:
        """How long it is."""
        return _SECONDS[self]


_SECONDS = {Window.SECOND: 1, Window.MINUTE: 60, Window.HOUR: 3600, Window.DAY: 86_400}


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLimits:
    """How many messages each window takes; None: no limit of its own."""

    second: int | None = None
    minute: int | None = None
    hour: int | None = None
    day: int | None = None

    def of(self, window: Window) -> int | None:
        """Give the limit of one window."""
        limit: int | None = getattr(self, window)
        return limit

    def or_else(self, other: SendLimits) -> SendLimits:
        """Give these limits, with those of ``other`` where there is none."""
        return SendLimits(
            second=other.second if self.second is None else self.second,
            minute=other.minute if self.minute is None else self.minute,
            hour=other.hour if self.hour is None else self.hour,
            day=other.day if self.day is None else self.day,
        )


NO_LIMITS = SendLimits()
MOST = 1_000_000_000
STANDARD = SendLimits(second=10, minute=100, hour=2_000, day=40_000)
"""What The One Relay documents for every tenant."""


def read_limits(text: str) -> SendLimits:
    """Read limits as ``10/s 100/min 2000/h 40000/day``; ``none`` is no limits.

    Raises InvalidInputError.
    """
    found: dict[str, int] = {}
    for word in [] if text.strip().lower() == "none" else text.replace(",", " ").split():
        count, _, unit = word.lower().partition("/")
        window = _UNITS.get(unit)
        if window is None or not count.isdecimal() or not 1 <= int(count) <= MOST:
            raise InvalidInputError(
                f"limits: {word[:40]!r} is not a limit; write 10/s 100/min 2000/h 40000/day,"
                " any of them, or none",
                field="limits",
            )
        found[window.value] = int(count)
    return SendLimits(**found)


_UNITS = {
    unit: window
    for window, units in (
        (Window.SECOND, "s sec second"),
        (Window.MINUTE, "m min minute"),
        (Window.HOUR, "h hour"),
        (Window.DAY, "d day"),
    )
    for unit in units.split()
}


def write_limits(limits: SendLimits) -> str:
    """Write limits as ``read_limits`` reads them."""
    words = [f"{limits.of(window)}/{window.value}" for window in Window if limits.of(window)]
    return " ".join(words) or "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What the tightest window says after a request, in the words of the RateLimit headers.

    ``reset`` is in seconds, until that window is empty if nothing more is sent; ``policy`` lists
    every limit that holds, such as ``10;w=1, 100;w=60``.
    """

    limit: int
    remaining: int
    reset: int
    policy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitState:
    """The limits of a tenant, or of one of its keys, and how much of them is used.

    ``own`` is what was set for it, ``holds`` what counts in the end.
    """

    tenant_id: str
    key_id: str
    own: SendLimits
    holds: SendLimits
    used: Mapping[Window, int]
