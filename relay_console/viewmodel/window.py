"""Which part of a long list is on the screen, where the cursor is, and which rows are known.

All positions count from 0. The cursor and the marks hold row keys, so they survive a refresh: a
new mail on top moves the rows, never what the next key press acts on. Pure: no I/O, no Textual.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relay_console.viewmodel.table import TableRow

_FAR = 500
"""When more rows than this came at once, only their whole number is looked at."""


@dataclass(slots=True)
class Window:
    """The visible part of a list.

    ``height`` is in rows; ``total`` is None until it was counted; ``unseen`` counts the rows that
    came on top while the top was out of sight; ``follow`` keeps a cursor on row 0 there.
    """

    height: int = 1
    total: int | None = None
    top: int = 0
    cursor: int = 0
    follow: bool = False
    unseen: int = 0
    marks: dict[str, None] = field(default_factory=dict)
    rows: dict[int, TableRow] = field(default_factory=dict)
    _key: str = ""

    @property
    def current(self) -> TableRow | None:
        """The row under the cursor, None when it is not loaded or there is none."""
        return self.rows.get(self.cursor)

    @property
    def following(self) -> bool:
        """Whether the cursor goes along with the newest row."""
        return self.follow and self.cursor == 0

    @property
    def last(self) -> int:
        """The position of the last row, 0 when there is none."""
        return max(0, (self.total or 0) - 1)

    @property
    def thumb(self) -> range:
        """The lines of the view, from 0, beside which the scroll bar stands; none: all is seen."""
        hidden = (self.total or 0) - self.height
        if hidden <= 0:
            return range(0)
        size = max(1, self.height * self.height // (hidden + self.height))
        start = (self.height - size) * self.top // hidden
        return range(start, start + size)

    def forget(self) -> None:
        """Begin anew at the top, for another filter; marks stay."""
        self.total, self.top, self.cursor, self.unseen, self._key = None, 0, 0, 0, ""
        self.rows.clear()

    def move(self, position: int) -> None:
        """Put the cursor somewhere; the view follows.

        One step over an edge moves the view by half a page: a terminal has no cheaper way to
        scroll by one row than to paint them all.
        """
        position = min(max(position, 0), self.last)
        bottom = self.top + self.height - 1
        jump = max(1, self.height // 2)
        if position == bottom + 1:
            self.top += jump
        elif position == self.top - 1:
            self.top -= jump
        elif position > bottom:
            self.top = position - self.height + 1
        elif position < self.top:
            self.top = position
        self._settle(position)

    def scroll(self, rows: int) -> None:
        """Move the view; the cursor stays on its row as long as that is in sight."""
        self.top += rows
        self._settle(self.cursor)
        self._settle(min(max(self.cursor, self.top), self.top + self.height - 1))

    def resize(self, height: int) -> None:
        """Take a new height; the cursor stays in sight."""
        self.height = max(1, height)
        if self.cursor >= self.top + self.height:
            self.top = self.cursor - self.height + 1
        self._settle(self.cursor)

    def _settle(self, position: int) -> None:
        """Clamp everything and remember the key under the cursor."""
        self.cursor = min(max(position, 0), self.last)
        self.top = min(max(self.top, 0), max(0, self.last - self.height + 1))
        self.unseen = min(self.unseen, self.top)
        row = self.rows.get(self.cursor)
        self._key = row.key if row else ""

    def missing(self) -> tuple[int, int] | None:
        """Give (start, size) to load so that the view and a page around it are known."""
        if self.total is None:
            return None
        first, end = self.top, min(self.top + self.height, self.total)
        if all(position in self.rows for position in range(first, end)):
            return None
        start = max(0, first - self.height)
        return start, min(end + self.height, self.total) - start

    def store(self, start: int, rows: Sequence[TableRow]) -> None:
        """Keep rows that were loaded; those far from the view are dropped."""
        self.rows.update(enumerate(rows, start))
        near = range(self.top - 4 * self.height, self.top + 5 * self.height)
        if len(self.rows) > 12 * self.height:
            self.rows = {place: row for place, row in self.rows.items() if place in near}
        self._settle(self.cursor)

    def span_after(self, total: int) -> tuple[int, int]:
        """Give (start, size) to load after a change, where the cursor's row is likely now."""
        grown = 0 if self.total is None or self.following else total - self.total
        low, high = sorted((self.top, self.top + grown))
        if abs(grown) > _FAR:
            low = high = self.top + grown
        start = min(max(0, low - self.height), max(0, total - self.height))
        return start, high + 2 * self.height - start

    def renew(self, total: int, start: int, rows: Sequence[TableRow]) -> None:
        """Take the list as it is now; cursor and view stay with their rows."""
        self.total = total
        self.rows = dict(enumerate(rows, start))
        if self.following:
            self._settle(0)
            return
        place = next((p for p, row in self.rows.items() if row.key == self._key), None)
        if place is None or not self._key:
            self._settle(self.cursor)
            return
        moved = place - self.cursor
        self.top += moved
        self.unseen += max(0, moved)
        self._settle(place)

    def toggle_mark(self) -> None:
        """Mark or unmark the row under the cursor."""
        row = self.current
        if row is None:
            return
        if row.key in self.marks:
            del self.marks[row.key]
        else:
            self.marks[row.key] = None

    def toggle_view(self) -> None:
        """Mark all rows in sight; take their marks away when all of them have one."""
        places = range(self.top, self.top + self.height)
        keys = [row.key for place in places if (row := self.rows.get(place)) is not None]
        if all(key in self.marks for key in keys):
            for key in keys:
                del self.marks[key]
        else:
            self.marks |= dict.fromkeys(keys)

    def chosen(self) -> tuple[str, ...]:
        """Give the keys to act on: the marked rows, else the one under the cursor."""
        if self.marks:
            return tuple(self.marks)
        return (self.current.key,) if self.current else ()
