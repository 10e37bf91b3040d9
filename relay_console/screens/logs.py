"""Logs: all mail, both ways, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.screens.area import AreaScreen
from relay_console.screens.detail import DetailScreen, mail_loader
from relay_console.viewmodel.rows import LOG_COLUMNS
from relay_console.viewmodel.sources import LogSource

if TYPE_CHECKING:
    from textual.binding import BindingType

    from relay_console.viewmodel.table import RowSource, TableRow


class LogsScreen(AreaScreen):
    """The log follows the newest mail as long as the cursor is on it."""

    area = Scope.LOGS
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.LOGS)
    columns = LOG_COLUMNS
    noun = "mail"
    nouns = "mails"
    hint = "status:bounced  dir:in  tenant:name  part of an address or subject"
    empty = (
        "No mail yet.\n"
        "\n"
        "Send one through the API (POST /emails), or start the living example:\n"
        "relay-console demo"
    )

    def source(self, line: str) -> RowSource:
        """Make the row source of a filter line."""
        return LogSource(self.session, line)

    def on_mount(self) -> None:
        """Begin at the newest mail; Textual runs the handler of the frame after this one."""
        self.table.window.follow = True

    def open_row(self, row: TableRow) -> None:
        """Open a mail."""
        load = mail_loader(self.session, row.key)
        self.app.push_screen(DetailScreen(self.session, self.area, load))

    def action_follow(self) -> None:
        """Stay with the newest mail, or stop doing so."""
        window = self.table.window
        window.follow = not window.following
        if window.follow:
            self.table.action_top()
        self._describe()
