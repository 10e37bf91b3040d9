"""Points per minute to the lines and totals of the Charts screen. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend import Counter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend import SeriesPoint

WINDOWS = (15, 30, 60, 180, 720, 1440)
"""Minutes to choose from; 30 is where the screen starts."""

SHOWN = (Counter.SENT, Counter.DELIVERED, Counter.BOUNCED)
MAX_POINTS = 180
_STEPS = (1, 2, 3, 5, 10, 15, 20, 30, 60)
"""Minutes that a bar may sum up; each divides every window it is used for, or nearly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What to draw: one list per counter, as long as ``minutes_ago``; totals of the window.

    ``step`` is how many minutes one point sums up.
    """

    minutes_ago: tuple[int, ...]
    lines: dict[Counter, tuple[int, ...]]
    totals: dict[Counter, int]
    step: int

    @property
    def empty(self) -> bool:
        """Whether nothing happened in the whole window."""
        return not any(self.totals.values())


def chart_of(points: Sequence[SeriesPoint], room: int = MAX_POINTS) -> Chart:
    """Sum points, oldest first, one a minute, into at most ``room`` bars of whole minutes."""
    least = -(-len(points) // max(1, room))
    step = next((step for step in _STEPS if step >= least), least)
    starts = range(0, len(points), step)
    lines = {
        counter: tuple(
            sum(point.counts.get(counter, 0) for point in points[start : start + step])
            for start in starts
        )
        for counter in SHOWN
    }
    totals = {c: sum(point.counts.get(c, 0) for point in points) for c in SHOWN}
    ago = tuple(start - len(points) + 1 for start in starts)
    return Chart(minutes_ago=ago, lines=lines, totals=totals, step=step)


def other_window(window: int, step: int) -> int:
    """Give the next longer (``step`` 1) or shorter (-1) window; the ends hold."""
    place = WINDOWS.index(window) + step
    return WINDOWS[min(max(place, 0), len(WINDOWS) - 1)]
