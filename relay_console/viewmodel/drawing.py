"""Bars of characters over minutes: counts as they are, nothing between two of them invented. Pure.

A drawing is lines of pieces; a piece is text and its kind, which the widget gives a colour. The
glyphs differ too, so that the bars are told apart without colour.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from backend import Counter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from relay_console.viewmodel.series import Chart

Piece = tuple[str, str]
"""Text and its kind: text, dim, title, or the name of a counter."""
Drawn = list[list[Piece]]

SIGNS = {Counter.SENT: "░", Counter.DELIVERED: "█", Counter.BOUNCED: "▒"}
LEAST_HEIGHT = 8
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_BETWEEN = 11
"""Cells from one label of the time axis to the next, at least."""
_UNITS = (1, 2, 5, 10, 30, 60, 120, 180, 360)
_DIM = "dim"


def room_for(width: int, most: int) -> int:
    """Give how many bars fit beside the numbers of a chart whose highest count is ``most``."""
    return max(1, width - _margin(most))


def draw(chart: Chart, width: int, height: int) -> Drawn:
    """Draw sent and delivered mail, and bounced mail below on a scale of its own."""
    if height < LEAST_HEIGHT:
        return [[("Make the terminal taller to see the chart.", "text")]]
    below = max(2, height // 4)
    margin = _margin(max(max(counts) for counts in chart.lines.values()))
    edges = _edges(len(chart.minutes_ago), width - margin)
    flow = [(chart.lines[one], one) for one in (Counter.DELIVERED, Counter.SENT)]
    return [
        [("Sent ░, of these delivered █", "title")],
        *_bars(flow, edges, margin, height - below - 3),
        _times(chart, edges, margin),
        [("Bounced ▒", "title")],
        *_bars([(chart.lines[Counter.BOUNCED], Counter.BOUNCED)], edges, margin, below),
    ]


def _edges(bars: int, width: int) -> list[int]:
    """Give the cell each bar begins at, and the end: they share the width, one cell at least."""
    width = max(width, bars)
    return [number * width // bars for number in range(bars + 1)]


def _margin(most: int) -> int:
    return len(f"{most:,}") + 2


def _bars(
    lines: Sequence[tuple[Sequence[int], Counter]], edges: Sequence[int], margin: int, rows: int
) -> Drawn:
    """Draw counts in so many rows; of two counters the first stands in front."""
    most = max(1, *(max(counts) for counts, _ in lines))
    # rounded up: a single mail beside a million is seen too
    heights = [[-(-count * rows * 8 // most) for count in counts] for counts, _ in lines]
    kinds = [kind for _, kind in lines]
    sizes = [end - start for start, end in pairwise(edges)]
    gap = min(sizes) > 1
    bars = list(zip(zip(*heights, strict=True), sizes, strict=True))
    return [
        [
            (_scale(row, rows, most).rjust(margin - 1) + " ", _DIM),
            *_merged(_cell(bar, kinds, row, (size - gap, gap)) for bar, size in bars),
        ]
        for row in reversed(range(rows))
    ]


def _scale(row: int, rows: int, most: int) -> str:
    """Give what stands left of a row: the highest count at the top, nothing at the bottom."""
    if row == rows - 1:
        return f"{most:,}┤"
    return "0┤" if row == 0 else "│"


def _cell(bar: Sequence[int], kinds: Sequence[Counter], row: int, size: tuple[int, int]) -> Piece:
    """Draw one row of one bar, ``size`` cells of it and then of nothing."""
    full, gap = size
    for height, kind in zip(bar, kinds, strict=True):
        part = min(8, height - 8 * row)
        if part > 0:
            glyph = _EIGHTHS[part] if kind is Counter.DELIVERED else SIGNS[kind]
            return glyph * full + " " * gap, kind.value
    return " " * (full + gap), _DIM


def _merged(pieces: Iterable[Piece]) -> list[Piece]:
    """Join neighbours of one kind: each change of colour is 36 bytes on the line."""
    merged: list[Piece] = []
    for text, kind in pieces:
        if merged and (merged[-1][1] == kind or not text.strip()):
            merged[-1] = (merged[-1][0] + text, merged[-1][1])
        else:
            merged.append((text, kind))
    return merged


def _times(chart: Chart, edges: Sequence[int], margin: int) -> list[Piece]:
    """Draw the axis: how long ago, as far apart as the labels need it."""
    line = list("now".rjust(edges[-1]))
    oldest = -chart.minutes_ago[0]
    wide = next((u for u in _UNITS if u * edges[-1] >= _BETWEEN * (oldest + 1)), _UNITS[-1])
    for ago in range(wide, oldest + 1, wide):
        label = _ago(ago)
        place = edges[(oldest - ago) // chart.step]
        if place + len(label) < len(line) - len("now"):
            line[place : place + len(label)] = label
    return [(" " * margin + "".join(line), _DIM)]


def _ago(minutes: int) -> str:
    return f"-{minutes // 60}h" if minutes >= 120 and minutes % 60 == 0 else f"-{minutes}m"
