"""Quarantine: received mail that waits for a person, and the reason of each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.safe import safe
from relay_console.screens.area import AreaScreen
from relay_console.screens.confirm import Confirm
from relay_console.screens.detail import DetailScreen, mail_loader
from relay_console.viewmodel.rows import QUARANTINE_COLUMNS
from relay_console.viewmodel.sources import QuarantineSource
from relay_console.viewmodel.words import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

    from relay_console.viewmodel.table import RowSource, TableRow


class QuarantineScreen(AreaScreen):
    """Quarantined, held, unrouted and failed messages."""

    area = Scope.QUARANTINE
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.QUARANTINE)
    columns = QUARANTINE_COLUMNS
    noun = "message waits"
    nouns = "messages wait"
    hint = "state:held  tenant:name  part of an address or subject"
    empty = (
        "Nothing waits for a person.\n"
        "\n"
        "Messages come here when they look dangerous, no target is set for them,\n"
        "no route fits, or a target did not take them in all the time allowed."
    )

    def source(self, line: str) -> RowSource:
        """Make the row source of a filter line."""
        return QuarantineSource(self.session, line)

    def open_row(self, row: TableRow) -> None:
        """Open a message with its explanation."""
        load = mail_loader(self.session, f"in:{row.key}")
        self.app.push_screen(DetailScreen(self.session, self.area, load))

    def action_reprocess(self) -> None:
        """Ask, then process the chosen messages again."""
        chosen = self.table.window.chosen()
        if chosen:
            self.act(partial(self._reprocess, chosen))

    async def _reprocess(self, chosen: Sequence[str]) -> None:
        question = safe(f"Process {plural(len(chosen), 'message')} again?")
        warning = safe("Screening, matching and routing run anew; what is in order is delivered.")
        if not await self.app.push_screen_wait(Confirm(question, warning)):
            return
        service = await self.session.service()
        queued = await service.reprocess(chosen, actor=self.session.actor)
        self.table.action_unmark()
        self.tell(safe(f"{plural(queued, 'message is', 'messages are')} queued again."))
        self.reload()
