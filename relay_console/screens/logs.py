"""Logs: all mail, both ways, newest first, with the mail under the cursor beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from backend import LogSort
from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.safe import safe
from relay_console.screens.beside import BesideScreen
from relay_console.screens.choose_columns import ChooseColumns
from relay_console.screens.loading import brief_of
from relay_console.screens.mail import mail_screen
from relay_console.viewmodel.log_source import LogSource
from relay_console.viewmodel.rows import LOG_COLUMNS, LOG_SORTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

    from relay_console.safe import SafeText
    from relay_console.session import Session
    from relay_console.viewmodel.page import Page
    from relay_console.viewmodel.table import Column, RowSource, TableRow

_SORTS = tuple(LogSort)


class LogsScreen(BesideScreen):
    """The log follows the newest mail as long as the cursor is on it."""

    area = Scope.LOGS
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.LOGS)
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

    def source(self, line: str) -> RowSource:
        """Make the row source of a filter line."""
        self._log = LogSource(self.session, line, self._sort, self._ascending)
        return self._log

    def on_mount(self) -> None:
        """Begin at the newest mail; Textual runs the handler of the frame after this one."""
        self.table.window.follow = True
        self._show_columns()

    def open_row(self, row: TableRow) -> None:
        """Open a mail."""
        self.app.push_screen(mail_screen(self.session, row.key, self.area))

    async def brief(self, key: str) -> Page:
        """Tell what became of a mail, of either way."""
        return await brief_of(self.session, key)

    def action_follow(self) -> None:
        """Stay with the newest mail, or stop doing so."""
        window = self.table.window
        window.follow = not window.following
        if window.follow:
            self.table.action_top()
        self._describe()

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
        titles, arrow = LOG_SORTS[self._sort], "▲" if self._ascending else "▼"
        plain = self._sort is LogSort.TIME and not self._ascending
        self.table.use_columns(
            [
                replace(column, title=f"{column.title.removesuffix(' UTC')} {arrow}")
                if column.title in titles and not plain
                else column
                for column in self._chosen
            ]
        )

    def _count_words(self) -> SafeText:
        words = super()._count_words()
        if self._log is not None and self._log.capped:
            return safe(words.replace(" mails", "+ mails", 1))
        return words
