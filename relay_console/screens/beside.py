"""A table with the mail under the cursor told beside it, on terminals that have room for it."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal
from textual.widgets import Static

from relay_console.safe import safe
from relay_console.screens.area import AreaScreen
from relay_console.widgets.page_view import PageView
from relay_console.widgets.vtable import VirtualTable

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.timer import Timer

    from relay_console.session import Session
    from relay_console.viewmodel.page import Page

WIDE = 120
"""Columns of a terminal from which on there is room for a mail beside the table."""
_PAUSE = 0.25
"""Seconds the cursor rests on a row before its mail is told: a held key pays for one, not each."""
_FLOOD = 2.0
"""Least seconds from one mail told to the next while the log is followed."""


class BesideScreen(AreaScreen):
    """An area with a pane; it is a read of its own, and never holds the table up."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012  # Textual's own

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._beside = ""
        self._told_at = 0.0
        self._rest: Timer | None = None

    def compose_rows(self) -> ComposeResult:
        """Put the mail under the cursor beside the table."""
        # known before the first paint: Textual's breakpoints come after it and paint all again
        self.set_class(self.app.size.width >= WIDE, "-wide")
        with Horizontal(id="beside"):
            yield from super().compose_rows()
            # a border of the pane would be written again with each of its lines
            yield Static(id="seam", markup=False)
            yield PageView(id="pane")

    @abstractmethod
    async def brief(self, key: str) -> Page:
        """Read what there is to say of a row, in few lines; raises RelayError."""

    @property
    def pane(self) -> PageView:
        """The pane; it never has the keys."""
        return self.query_one("#pane", PageView)

    def on_mount(self) -> None:
        """Leave the keys to the table; Textual runs the handler of the frame after this one."""
        self.pane.can_focus = False
        self.pane.clear()

    def reload(self) -> None:
        """Read again, the mail beside the table too."""
        super().reload()
        self._look_anew()

    @on(VirtualTable.Moved)
    def _moved_beside(self) -> None:
        self._look_beside()

    def on_resize(self) -> None:
        """Fill the pane when there is room for it now."""
        self._look_anew()

    def _look_anew(self) -> None:
        self._beside = ""
        self._look_beside()

    def _look_beside(self) -> None:
        """Tell of the mail under the cursor in a moment, unless the cursor has moved on by then."""
        if self._rest is not None:
            self._rest.stop()
        if not self.has_class("-wide") or self.has_class("-without-pane"):
            return
        pause = _PAUSE
        if self.table.window.following:
            pause = max(pause, self._told_at + _FLOOD - asyncio.get_running_loop().time())
        self._rest = self.set_timer(pause, self._show_beside)

    def _show_beside(self) -> None:
        row = self.table.window.current
        if row is None:
            self.pane.clear()
        elif row.key != self._beside:
            self._beside, self._told_at = row.key, asyncio.get_running_loop().time()
            self.start(partial(self._load_beside, row.key), "beside")

    async def _load_beside(self, key: str) -> None:
        self.pane.show(await self.brief(key))

    def action_pane(self) -> None:
        """Show or hide the mail beside the table."""
        self.toggle_class("-without-pane")
        if not self.has_class("-wide"):
            self.tell(safe(f"There is room for it from {WIDE} columns on; enter opens the mail."))
        self._look_anew()
