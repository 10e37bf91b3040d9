"""Four sliding windows over what was accepted: may ``n`` more pass, and if not, when? Pure.

Each window is cut into 20 slices, and a message counts until its slice and 20 more are over. So no
span as long as a window, wherever it begins, ever holds more than the limit (windows aligned to the
clock let twice as many pass around their edge, a token bucket refills while a burst goes on); the
price is that a place comes free up to a twentieth of the window late. All four windows of one owner
are one small value, so counting is one row to read and one to write, exact across restarts and
servers.

A batch larger than the limit of a second passes when that window is empty, and then fills the
seconds to come, as if its messages had been handed in at that pace: 50 messages at 10 a second
close the window for five seconds. One larger than another window's limit never passes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.limits import Allowance, SendLimits, Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SLICES = 20
MOST_AT_ONCE = 100  # messages of the largest batch: nothing is counted further ahead than these
Usage = dict[str, list[list[int]]]
"""By window: ``[number of the slice since 1970, messages]`` pairs in their order; plain JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A window that is full, and the seconds until it lets the messages pass: inf is never."""

    window: Window
    limit: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Meter:
    """One window of one owner at one moment: its slices that still count, oldest first."""

    window: Window
    limit: int
    slices: list[list[int]]
    now: int

    @property
    def used(self) -> int:
        return sum(n for _, n in self.slices)

    def seconds_until(self, most: int) -> float:
        """Give the seconds until at most ``most`` messages count."""
        left = self.used
        freed_at = self.now
        for place, n in self.slices:
            if left <= most:
                break
            left -= n
            freed_at = (place + SLICES + 1) * _slice(self.window)
        return max(0.0, (freed_at - self.now) / 1000)

    def wait_for(self, n: int) -> float:
        """Give the seconds until ``n`` more may pass, infinity when they never may."""
        if n > self.limit and self.window is not Window.SECOND:
            return math.inf
        return self.seconds_until(max(0, self.limit - n))


def blocked(usage: Sequence[tuple[SendLimits, Usage]], n: int, now: int) -> Blocked | None:
    """Give the window that keeps ``n`` messages out for the longest, None when they may pass.

    ``usage`` has the limits and the counts of each owner: the tenant and the key; ``now`` is in
    milliseconds since 1970.
    """
    waits = (
        Blocked(window=meter.window, limit=meter.limit, seconds=meter.wait_for(n))
        for limits, used in usage
        for meter in _meters(limits, used, now)
    )
    return max(
        (wait for wait in waits if wait.seconds > 0), key=lambda one: one.seconds, default=None
    )


def charge(limits: SendLimits, used: Usage, n: int, now: int) -> Usage:
    """Count ``n`` messages in every window, limited or not; change ``used`` and give it back."""
    for name, length, ahead in _SLICED:
        slices = used.setdefault(name, [])
        place, left = now // length, n
        while slices and slices[0][0] < place - SLICES:
            del slices[0]
        while slices and slices[-1][0] > place + ahead:
            del slices[-1]
        limit = (limits.second if name == Window.SECOND else None) or n
        while left > 0:
            _add(slices, place, min(left, limit))
            place, left = place + SLICES, left - limit
    return used


def allowance(usage: Sequence[tuple[SendLimits, Usage]], now: int) -> Allowance | None:
    """Describe the window with the fewest places left; None when nothing is limited."""
    meters = [meter for limits, used in usage for meter in _meters(limits, used, now)]
    if not meters:
        return None
    tightest = min(meters, key=lambda meter: (meter.limit - meter.used, -meter.window.seconds))
    wait = math.ceil(tightest.seconds_until(0)) or tightest.window.seconds
    return Allowance(
        limit=tightest.limit,
        remaining=max(0, tightest.limit - tightest.used),
        reset=wait,
        policy=_policy(meters),
    )


def counted(used: Usage, now: int) -> Mapping[Window, int]:
    """Give how many messages count in each window."""
    return {
        window: sum(n for _, n in _live(window, used.get(window.value, ()), now))
        for window in Window
    }


def _meters(limits: SendLimits, used: Usage, now: int) -> list[_Meter]:
    return [
        _Meter(window, limit, _live(window, used.get(window.value, ()), now), now)
        for window in Window
        if (limit := limits.of(window)) is not None
    ]


def _live(window: Window, slices: Sequence[Sequence[int]], now: int) -> list[list[int]]:
    """Keep what still counts; what lies further ahead than a batch reaches: the clock went back."""
    place = now // _slice(window)
    first, last = place - SLICES, place + _ahead(window)
    return [[at, n] for at, n in slices if first <= at <= last]


def _add(slices: list[list[int]], place: int, n: int) -> None:
    for known in reversed(slices):
        if known[0] == place:
            known[1] += n
            return
        if known[0] < place:
            break
    slices.append([place, n])
    slices.sort()


def _slice(window: Window) -> int:
    """Give the length of a slice in milliseconds."""
    return window.seconds * 1000 // SLICES


def _ahead(window: Window) -> int:
    """Give how many slices ahead a batch may have been counted."""
    return SLICES * (MOST_AT_ONCE if window is Window.SECOND else 1)


_SLICED = tuple((window.value, _slice(window), _ahead(window)) for window in Window)
"""The name of each window, the length of a slice, and how far ahead slices may be."""


def _policy(meters: Sequence[_Meter]) -> str:
    """Give the limits in force, the lower of tenant and key, as the RateLimit draft writes them."""
    lowest: dict[int, int] = {}
    for meter in meters:
        seconds = meter.window.seconds
        lowest[seconds] = min(meter.limit, lowest.get(seconds, meter.limit))
    return ", ".join(f"{limit};w={seconds}" for seconds, limit in sorted(lowest.items()))
