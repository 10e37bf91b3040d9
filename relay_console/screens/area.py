"""The frame of the table screens: headline and filter, table, sentence, keys."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from textual import on

from relay_console.safe import NOTHING, SafeText, safe
from relay_console.screens.live import LiveScreen
from relay_console.viewmodel.words import plural
from relay_console.widgets.bars import KeyBar, Saying
from relay_console.widgets.filter_bar import FilterBar
from relay_console.widgets.vtable import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from relay_console.viewmodel.table import Column, RowSource, TableRow


class AreaScreen(LiveScreen):
    """One area: a table over a source, under a filter.

    ``noun`` and ``nouns`` count its rows; ``hint`` stands in the empty filter field; ``empty``
    tells what to do when there are no rows at all.
    """

    columns: ClassVar[Sequence[Column]]
    noun: ClassVar[str]
    nouns: ClassVar[str] = ""
    hint: ClassVar[str]
    empty: ClassVar[str]

    def compose(self) -> ComposeResult:
        """Lay out the frame."""
        yield from self.compose_top(self.area)
        yield FilterBar(self.hint)
        yield from self.compose_rows()
        yield from self.compose_below()
        yield Saying(id="sentence")
        yield KeyBar(self.area, readonly=self.session.readonly)

    def compose_rows(self) -> ComposeResult:
        """Lay out the table, and what stands beside it."""
        yield VirtualTable(self.columns, empty=self.empty, id="rows")

    def compose_below(self) -> ComposeResult:
        """Lay out what stands between the table and the sentence."""
        yield from ()

    @abstractmethod
    def source(self, line: str) -> RowSource:
        """Make the row source of a filter line."""

    @abstractmethod
    def open_row(self, row: TableRow) -> None:
        """Open a row."""

    @property
    def table(self) -> VirtualTable:
        """The table."""
        return self.query_one("#rows", VirtualTable)

    @property
    def filter_bar(self) -> FilterBar:
        """The headline and filter."""
        return self.query_one(FilterBar)

    def on_mount(self) -> None:
        """Begin with the whole list."""
        if self.session.starting:
            self.table.waiting = safe("starting the backend…")
        self.table.show(self.source(self.filter_bar.line))
        self.table.focus()
        self._describe()

    def reload(self) -> None:
        """Read again; cursor and marks stay."""
        if not self.session.starting:
            self.table.waiting = safe("loading…")
        self.table.reload()

    def set_filter(self, line: str) -> None:
        """Show what a filter line means."""
        self.filter_bar.use(line)

    @on(FilterBar.Changed)
    def _filter_changed(self, message: FilterBar.Changed) -> None:
        wanted = "Nothing fits this filter; esc takes it away." if message.line else self.empty
        self.table.empty = wanted
        self.table.show(self.source(message.line))
        self._describe()

    @on(FilterBar.Closed)
    def _filter_closed(self) -> None:
        self.table.focus()

    @on(VirtualTable.Moved)
    def _moved(self, message: VirtualTable.Moved) -> None:
        message.stop()
        self._describe()

    @on(VirtualTable.Failed)
    def _failed(self, message: VirtualTable.Failed) -> None:
        message.stop()
        self._describe(message.sentence)

    @on(VirtualTable.Opened)
    def _opened(self, message: VirtualTable.Opened) -> None:
        message.stop()
        self.open_row(message.row)

    def _describe(self, trouble: SafeText = NOTHING) -> None:
        """Say how much there is, where the cursor is, and what its row means."""
        window = self.table.window
        self.filter_bar.say(self._count_words(), self._state_words())
        note = trouble or self._row_note()
        place = f"{window.cursor + 1:,}/{window.total:,}" if window.total else ""
        self.query_one("#sentence", Saying).say(note, safe(place))

    def _row_note(self) -> SafeText:
        row = self.table.window.current
        return row.note if row else NOTHING

    def _count_words(self) -> SafeText:
        total, headline = self.table.window.total, self.filter_bar.headline
        counted = plural(total, self.noun, self.nouns) if total is not None else ""
        return safe("   ".join(part for part in (counted, headline) if part))

    def _state_words(self) -> SafeText:
        window = self.table.window
        words = [f"▲ {window.unseen:,} new"] if window.unseen else []
        words += [f"{len(window.marks):,} marked"] if window.marks else []
        words += ["following"] if window.following else []
        return safe("  ".join(words))

    def action_filter(self) -> None:
        """Type a filter."""
        self.filter_bar.open()

    def action_clear(self) -> None:
        """Take the filter away, then the marks."""
        if self.filter_bar.line:
            self.filter_bar.use("")
        elif self.table.window.marks:
            self.table.action_unmark()

    def action_copy(self) -> None:
        """Copy what the cursor is on."""
        if row := self.table.window.current:
            self.copy_text(row.copy)
