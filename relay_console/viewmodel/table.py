"""What a table shows: rows, columns, and how columns share the width of the terminal. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rich.cells import cell_len, set_cell_size

from relay_console.safe import NOTHING, SafeText

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = 1
"""Cells between two columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One line: a stable key, safe cells, one tone for the whole row.

    ``tone`` is good, busy, bad, dim or empty; the glyph in the cells says the same in black and
    white. ``note`` is the sentence shown while the cursor is here; ``copy`` is what ``y`` takes.
    """

    key: str
    cells: tuple[SafeText, ...]
    tone: str = ""
    note: SafeText = NOTHING
    copy: str = ""


class RowSource(Protocol):
    """Rows in one order, asked for by position from 0; a new filter is a new source."""

    async def count(self) -> int:
        """Count the rows; raises RelayError."""
        ...

    async def page(self, start: int, size: int) -> Sequence[TableRow]:
        """Give at most ``size`` rows; raises RelayError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: ``width`` in cells is its least width, ``share`` of what is left it also gets.

    In tables narrower than ``from_width`` or wider than ``to_width`` cells it is left out. An
    ``optional`` one is shown when it is asked for.
    """

    title: str
    width: int
    share: int = 0
    from_width: int = 0
    to_width: int = 100_000
    optional: bool = False


def fit(text: str, width: int) -> str:
    """Cut or pad to exactly ``width`` cells; a cut shows as …."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, width - 1).rstrip() + "…", width)


def share_out(columns: Sequence[Column], width: int) -> tuple[tuple[int, int], ...]:
    """Give (column index, cells) of the columns that fit, left to right.

    What is left over goes to columns with a share, in proportion; the last such one takes the
    remainder, so that a row is exactly as wide as the table.
    """
    shown = [
        index
        for index, column in enumerate(columns)
        if column.from_width <= width <= column.to_width and not column.optional
    ]
    spare = width - sum(columns[index].width + GAP for index in shown) + GAP
    shares = sum(columns[index].share for index in shown)
    if spare <= 0 or not shares:
        return tuple((index, columns[index].width) for index in shown)
    cells = {
        index: columns[index].width + spare * columns[index].share // shares for index in shown
    }
    last = max(index for index in shown if columns[index].share)
    cells[last] += width - sum(cells.values()) - GAP * (len(shown) - 1)
    return tuple(cells.items())


def line(cells: Sequence[str], layout: Sequence[tuple[int, int]], width: int) -> str:
    """Lay cells out as one line of exactly ``width`` cells."""
    text = (" " * GAP).join(fit(cells[index], size) for index, size in layout)
    return fit(text, width) if cell_len(text) != width else text
