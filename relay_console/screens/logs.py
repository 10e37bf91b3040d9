"""Logs: all mail, both ways, newest first, with the mail under the cursor beside it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Horizontal

from backend import LogSort
from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.safe import safe
from relay_console.screens.area import AreaScreen
from relay_console.screens.choose_columns import ChooseColumns
from relay_console.screens.detail import mail_loader
from relay_console.screens.mail import mail_screen
from relay_console.viewmodel.log_source import LogSource
from relay_console.viewmodel.rows import LOG_COLUMNS, LOG_SORTS
from relay_console.widgets.page_view import PageView
from relay_console.widgets.vtable import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer

    from relay_console.safe import SafeText
    from relay_console.session import Session
    from relay_console.viewmodel.table import Column, RowSource, TableRow

_WIDE = 120
"""Columns of a terminal from which on there is room for a mail beside the table."""
_PAUSE = 0.25
"""Seconds the cursor rests on a row before its mail is shown beside it."""
_SORTS = tuple(LogSort)


class LogsScreen(AreaScreen):
    """The log follows the newest mail as long as the cursor is on it."""

    area = Scope.LOGS
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.LOGS)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]  # noqa: RUF012  # Textual's own
    columns = LOG_COLUMNS
    noun = "mail"
    nouns = "mails"
    hint = "status:bounced to:@x.example since:2h -tag:test  part of an address or subject"
    empty = (
        "No mail yet.\n"
        "\n"
        "Send one through the API (POST /emails), or start the living example:\n"
        "relay-console demo"
    )

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._sort = LogSort.TIME
        self._ascending = False
        self._chosen: Sequence[Column] = LOG_COLUMNS
        self._log: LogSource | None = None
        self._beside = ""
        self._rest: Timer | None = None

    def compose_rows(self) -> ComposeResult:
        """Put the mail under the cursor beside the table."""
        with Horizontal(id="beside"):
            yield from super().compose_rows()
            yield PageView(id="pane")

    def source(self, line: str) -> RowSource:
        """Make the row source of a filter line."""
        self._log = LogSource(self.session, line, self._sort, self._ascending)
        return self._log

    def on_mount(self) -> None:
        """Begin at the newest mail; Textual runs the handler of the frame after this one."""
        self.table.window.follow = True
        self.add_class("-without-pane")  # it costs ten times the bytes of a move of the cursor
        self.query_one("#pane", PageView).can_focus = False
        self.query_one("#pane", PageView).clear()
        self._show_columns()

    def reload(self) -> None:
        """Read again, the mail beside the table too."""
        super().reload()
        self._beside = ""
        self._look_beside()

    def open_row(self, row: TableRow) -> None:
        """Open a mail."""
        self.app.push_screen(mail_screen(self.session, row.key, self.area))

    @on(VirtualTable.Moved)
    def _moved_beside(self) -> None:
        self._look_beside()

    def _look_beside(self) -> None:
        """Show the mail under the cursor in a moment, unless the cursor has moved on by then."""
        if self._rest is not None:
            self._rest.stop()
        if self.has_class("-wide") and not self.has_class("-without-pane"):
            self._rest = self.set_timer(_PAUSE, self._show_beside)

    def _show_beside(self) -> None:
        row = self.table.window.current
        if row is None:
            self.query_one("#pane", PageView).clear()
        elif row.key != self._beside:
            self._beside = row.key
            self.start(partial(self._load_beside, row.key), "beside")

    async def _load_beside(self, key: str) -> None:
        page = await mail_loader(self.session, key)()
        self.query_one("#pane", PageView).show(page)

    def on_resize(self) -> None:
        """Fill the pane when there is room for it now."""
        self._look_beside()

    def action_follow(self) -> None:
        """Stay with the newest mail, or stop doing so."""
        window = self.table.window
        window.follow = not window.following
        if window.follow:
            self.table.action_top()
        self._describe()

    def action_pane(self) -> None:
        """Show or hide the mail beside the table."""
        self.toggle_class("-without-pane")
        if not self.has_class("-wide"):
            self.tell(safe(f"There is room for it from {_WIDE} columns on; enter opens the mail."))
        self._beside = ""
        self._look_beside()

    def action_sort(self) -> None:
        """Order by the next column."""
        self._order(_SORTS[(_SORTS.index(self._sort) + 1) % len(_SORTS)], ascending=False)

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._order(self._sort, ascending=not self._ascending)

    def _order(self, sort: LogSort, *, ascending: bool) -> None:
        self._sort, self._ascending = sort, ascending
        self.table.window.follow = sort is LogSort.TIME and not ascending
        self.table.show(self.source(self.filter_bar.line))
        self._show_columns()
        self._describe()

    def action_columns(self) -> None:
        """Choose the columns."""
        self.act(self._choose)

    async def _choose(self) -> None:
        chosen = await self.app.push_screen_wait(ChooseColumns(self._chosen))
        if chosen is not None:
            self._chosen = chosen
            self._show_columns()

    def _show_columns(self) -> None:
        """Show the chosen columns; the one the log is ordered by has an arrow."""
        sorted_by, arrow = LOG_SORTS[self._sort], "▲" if self._ascending else "▼"
        plain = self._sort is LogSort.TIME and not self._ascending
        self.table.use_columns(
            [
                replace(column, title=f"{column.title} {arrow}")
                if column.title == sorted_by and not plain
                else column
                for column in self._chosen
            ]
        )

    def _count_words(self) -> SafeText:
        words = super()._count_words()
        if self._log is not None and self._log.capped:
            return safe(words.replace(" mails", "+ mails", 1))
        return words
