"""Quarantine: received mail that waits for a person, the reason of each, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from backend import Selection
from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.screens.acting import ActingScreen
from relay_console.screens.beside import BesideScreen
from relay_console.screens.loading import brief_of
from relay_console.screens.message import MessageScreen
from relay_console.screens.reprocess_preview import ReprocessPreview
from relay_console.viewmodel.filters import quarantine_query
from relay_console.viewmodel.rows import QUARANTINE_COLUMNS
from relay_console.viewmodel.sources import QuarantineSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

    from relay_console.viewmodel.page import Page
    from relay_console.viewmodel.table import RowSource, TableRow


class QuarantineScreen(ActingScreen, BesideScreen):
    """Quarantined, held, unrouted and failed messages."""

    area = Scope.QUARANTINE
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.QUARANTINE)
    columns = QUARANTINE_COLUMNS
    noun = "message waits"
    nouns = "messages wait"
    hint = "state:held  reason:spam_verdict  tenant:name  since:2d  text"
    empty = (
        "Nothing waits for a person.\n"
        "\n"
        "Messages come here when they look dangerous, no target is set for them,\n"
        "no route fits, or a target did not take them in all the time allowed.\n"
        "state:discarded shows what was put away."
    )

    def source(self, line: str) -> RowSource:
        """Make the row source of a filter line."""
        return QuarantineSource(self.session, line)

    def open_row(self, row: TableRow) -> None:
        """Open a message with its explanation."""
        self.app.push_screen(MessageScreen(self.session, row.key))

    async def brief(self, key: str) -> Page:
        """Tell why a message came here, and what a release would make of it."""
        return await brief_of(self.session, f"in:{key}")

    def chosen(self) -> Sequence[str]:
        """Give the marked messages, or the one under the cursor."""
        return self.table.window.chosen()

    def acted(self) -> None:
        """Take the marks away and read again."""
        self.table.action_unmark()
        self.reload()

    def action_reprocess(self) -> None:
        """Show what would become of the chosen messages, then process them again."""
        if chosen := self.table.window.chosen():
            self._preview(Selection(ids=tuple(chosen)))

    def action_reprocess_all(self) -> None:
        """Show what would become of all messages of the filter, then process them again."""
        self.act(self._reprocess_all)

    async def _reprocess_all(self) -> None:
        tenants, now = await self.session.tenants(), self.session.clock()
        self._preview(Selection(query=quarantine_query(self.filter_bar.line, tenants, now)))

    def _preview(self, selection: Selection) -> None:
        begun = self.table.action_unmark
        self.app.push_screen(ReprocessPreview(self.session, selection, begun))
