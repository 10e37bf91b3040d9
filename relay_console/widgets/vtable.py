"""A table over any number of rows: it knows a few pages, and paints a row with one style.

The rows come from a ``RowSource``; ``Window`` decides what is in sight. Workers only load and post
messages; handlers own every change. ``render_line`` reads memory, never a database.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.edge import sentence_of
from relay_console.safe import NOTHING, SafeText, safe
from relay_console.viewmodel.table import line, share_out
from relay_console.viewmodel.window import Window
from relay_console.viewmodel.words import wrap

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from rich.style import Style
    from textual import events
    from textual.binding import BindingType

    from relay_console.viewmodel.table import Column, RowSource, TableRow

_GUTTER = 2
"""Cells before the first column: the cursor sign and the mark."""
_BAR = 1
"""Cells behind the last column: the scroll bar."""
_WHEEL = 3


class VirtualTable(Widget, can_focus=True):
    """Rows of a source under a header; ``empty`` says what to do when there are none."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header",
        "table--row",
        "table--cursor",
        "table--marked",
        "table--good",
        "table--busy",
        "table--bad",
        "table--dim",
    }
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.TABLE)

    @dataclass
    class Moved(Message):
        """The cursor is on another row, or what is known of the list changed."""

        table: VirtualTable

        @property
        def control(self) -> VirtualTable:
            """Let handlers choose by the table's id."""
            return self.table

    @dataclass
    class Opened(Message):
        """The row was opened with enter or a second click."""

        table: VirtualTable
        row: TableRow

    @dataclass
    class Failed(Message):
        """The source could not answer; the rows shown are those of before."""

        table: VirtualTable
        sentence: SafeText

    @dataclass
    class _Renewed(Message, bubble=False):
        generation: int
        total: int
        start: int
        rows: Sequence[TableRow]

    @dataclass
    class _Filled(Message, bubble=False):
        generation: int
        start: int
        rows: Sequence[TableRow]

    def __init__(self, columns: Sequence[Column], *, empty: str, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self.columns = columns
        self.empty = empty
        self.window = Window()
        self.waiting: SafeText = safe("loading…")
        self.trouble: SafeText = NOTHING
        self._source: RowSource | None = None
        self._generation = 0
        self._stale = True

    def show(self, source: RowSource) -> None:
        """Show another source from its first row; marks stay."""
        self._source = source
        self._generation += 1
        self.window.forget()
        self.trouble = NOTHING
        self.refresh()
        self.reload()

    def use_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns of the same rows."""
        self.columns = columns
        self.refresh()

    def reload(self) -> None:
        """Read again, keeping the cursor on its row."""
        self._stale = True
        self._start_loading()

    def _start_loading(self) -> None:
        if self._source is not None and self.is_mounted:
            load: Callable[[], Awaitable[None]] = partial(self._load, self._source)
            self.run_worker(load, group="rows", exclusive=True, exit_on_error=False)

    async def _load(self, source: RowSource) -> None:
        """Load what is missing and post it; runs as a worker, touches nothing itself."""
        generation = self._generation
        try:
            if self._stale:
                total = await source.count()
                start, size = self.window.span_after(total)
                rows = await source.page(start, size)
                self.post_message(self._Renewed(generation, total, start, rows))
            elif span := self.window.missing():
                rows = await source.page(*span)
                self.post_message(self._Filled(generation, span[0], rows))
        except Exception as error:  # noqa: BLE001  # the edge of a worker; recorded by sentence_of
            self.post_message(self.Failed(self, sentence_of(error)))

    def on_virtual_table__renewed(self, message: _Renewed) -> None:
        """Take the list as it is now; only lines that differ are painted."""
        if message.generation != self._generation:
            return
        before = self._picture()
        unknown = self.window.total is None or bool(self.trouble)
        self._stale = False
        self.trouble = NOTHING
        self.window.renew(message.total, message.start, message.rows)
        self._repaint(before, everything=unknown or not message.total)
        self._fill()
        self.post_message(self.Moved(self))

    def on_virtual_table__filled(self, message: _Filled) -> None:
        """Keep a page that was loaded."""
        if message.generation != self._generation:
            return
        before = self._picture()
        self.window.store(message.start, message.rows)
        self._repaint(before)
        self.post_message(self.Moved(self))

    def on_virtual_table_failed(self, message: Failed) -> None:
        """Show the sentence in place of rows when there are none yet."""
        if self.window.total is None:
            self.trouble = message.sentence
            self.refresh()

    def _fill(self) -> None:
        if self.window.missing():
            self._start_loading()

    def _picture(self) -> list[tuple[object, ...]]:
        """Give what each visible line is made of, to find the ones that changed."""
        window = self.window
        places = range(window.top, window.top + window.height)
        rows = ((place, window.rows.get(place)) for place in places)
        thumb = window.thumb
        return [
            (
                row and (row.cells, row.tone),
                place == window.cursor,
                self._is_marked(row),
                place - window.top in thumb,
            )
            for place, row in rows
        ]

    def _is_marked(self, row: TableRow | None) -> bool:
        return row is not None and row.key in self.window.marks

    def _repaint(self, before: list[tuple[object, ...]], *, everything: bool = False) -> None:
        after = self._picture()
        if everything or len(before) != len(after):
            self.refresh()
            return
        changed = [y for y, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
        if changed:
            self.refresh(*(Region(0, y + 1, self.size.width, 1) for y in changed))

    def on_resize(self, event: events.Resize) -> None:
        """Take the new size."""
        self.window.resize(event.size.height - 1)
        self.refresh()
        self._fill()

    def on_mount(self) -> None:
        """Load, if a source was given before the table was mounted."""
        self._start_loading()

    def render_line(self, y: int) -> Strip:
        """Paint one line from memory."""
        width = self.size.width - _GUTTER - _BAR
        layout = share_out(self.columns, width)
        if y == 0:
            titles = [column.title for column in self.columns]
            text = " " * _GUTTER + line(titles, layout, width) + " " * _BAR
            return self._strip(text, "table--header")
        place = self.window.top + y - 1
        row = self.window.rows.get(place)
        if row is not None:
            at_cursor = place == self.window.cursor
            text = self._gutter(row, at_cursor=at_cursor) + line(row.cells, layout, width)
            # in the style of the row: a style of its own would cost 36 bytes a line
            text += "▐" if y - 1 in self.window.thumb else " "
            return self._strip(text, self._class_of(row, at_cursor=at_cursor))
        return self._message_line(y, place)

    def _message_line(self, y: int, place: int) -> Strip:
        """Paint a line without a row: a miss, or what there is to say in place of rows."""
        if self.window.total and place < self.window.total:
            return self._padded("  …")
        saying: str = self.trouble or (self.waiting if self.window.total is None else self.empty)
        room = self.size.width - _GUTTER - _BAR
        said = [] if self.window.total else saying.split("\n")
        sayings = [part for whole in said for part in wrap(whole, room)]
        return self._padded(f"  {sayings[y - 2]}" if 0 <= y - 2 < len(sayings) else "")

    def _padded(self, text: str) -> Strip:
        style = self.get_component_rich_style("table--row")
        return Strip([Segment(text, style)]).adjust_cell_length(self.size.width, style)

    def _strip(self, text: str, name: str) -> Strip:
        style: Style = self.get_component_rich_style(name)
        return Strip([Segment(text, style)], self.size.width)

    def _gutter(self, row: TableRow, *, at_cursor: bool) -> str:
        return (">" if at_cursor else " ") + ("*" if self._is_marked(row) else " ")

    def _class_of(self, row: TableRow, *, at_cursor: bool) -> str:
        if at_cursor:
            return "table--cursor"
        if self._is_marked(row):
            return "table--marked"
        return f"table--{row.tone}" if row.tone else "table--row"

    def _changed(self, before: list[tuple[object, ...]]) -> None:
        self._repaint(before)
        self._fill()
        self.post_message(self.Moved(self))

    def move_to(self, position: int) -> None:
        """Put the cursor on a row."""
        before = self._picture()
        self.window.move(position)
        self._changed(before)

    def action_down(self) -> None:
        """Go one row down."""
        self.move_to(self.window.cursor + 1)

    def action_up(self) -> None:
        """Go one row up."""
        self.move_to(self.window.cursor - 1)

    def action_top(self) -> None:
        """Go to the first row."""
        self.move_to(0)

    def action_bottom(self) -> None:
        """Go to the last row."""
        self.move_to(self.window.last)

    def action_half_down(self) -> None:
        """Go half a page down."""
        self.move_to(self.window.cursor + max(2, self.window.height // 2))

    def action_half_up(self) -> None:
        """Go half a page up."""
        self.move_to(self.window.cursor - max(2, self.window.height // 2))

    def action_page_down(self) -> None:
        """Go a page down."""
        self.move_to(self.window.cursor + self.window.height)

    def action_page_up(self) -> None:
        """Go a page up."""
        self.move_to(self.window.cursor - self.window.height)

    def action_mark(self) -> None:
        """Mark the row and go one down."""
        before = self._picture()
        self.window.toggle_mark()
        self.window.move(self.window.cursor + 1)
        self._changed(before)

    def action_mark_view(self) -> None:
        """Mark all rows in sight, or take their marks away."""
        before = self._picture()
        self.window.toggle_view()
        self._changed(before)

    def action_unmark(self) -> None:
        """Take all marks away."""
        before = self._picture()
        self.window.marks.clear()
        self._changed(before)

    def action_open_row(self) -> None:
        """Open the row under the cursor."""
        if row := self.window.current:
            self.post_message(self.Opened(self, row))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the row clicked; a click on the cursor opens."""
        if event.x >= self.size.width - _BAR and event.y:
            self.move_to((event.y - 1) * (self.window.total or 0) // max(1, self.window.height))
            return
        place = self.window.top + event.y - 1
        if event.y == 0 or place not in self.window.rows:
            return
        if place == self.window.cursor:
            self.action_open_row()
        else:
            self.move_to(place)

    def on_mouse_scroll_down(self) -> None:
        """Scroll by the wheel."""
        self._scroll(_WHEEL)

    def on_mouse_scroll_up(self) -> None:
        """Scroll by the wheel."""
        self._scroll(-_WHEEL)

    def _scroll(self, rows: int) -> None:
        before = self._picture()
        self.window.scroll(rows)
        self._changed(before)
