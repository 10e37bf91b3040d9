"""Since when this process hears the events of SES without a gap.

A SEND event that was published while nobody asked for it may still lie in the queue: SQS was away,
the network was cut, the machine slept. Time in which nothing could be heard is therefore not time
in which a SEND event did not come.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from backend.ports import Clock

GAP = timedelta(seconds=45)  # a long poll, a failed one and the rest after it
DEAF_AT_MOST = 3600.0  # seconds: better twice than never


class Hearing:
    """What one process has heard; the poller calls ``heard`` after each answer of the queue."""

    def __init__(self, clock: Clock, *, polls: bool = False) -> None:
        """Without ``polls`` events come by HTTP, and this process hears all its life."""
        self._clock = clock
        self._polls = polls
        self._since = clock.now()
        self._last = self._since - 2 * GAP
        self._last_tick = clock.monotonic()

    def heard(self) -> None:
        """Note that the queue answered just now, events or none."""
        now = self._clock.now()
        if self._is_deaf(now):
            self._since = now
        self._last, self._last_tick = now, self._clock.monotonic()

    def since(self) -> datetime:
        """Give the beginning of the present stretch of hearing, now while nothing is heard.

        One that has been deaf for an hour is not waited for any longer.
        """
        now = self._clock.now()
        if self._polls and self._is_deaf(now):
            waited = self._clock.monotonic() - self._last_tick
            return now if waited < DEAF_AT_MOST else self._since
        return self._since

    def _is_deaf(self, now: datetime) -> bool:
        # a clock that was set, back or ahead, looks like a gap and is waited for like one
        return abs(now - self._last) > GAP
