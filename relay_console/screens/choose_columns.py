"""Which columns of a table are shown: a list to tick."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from relay_console.viewmodel.table import Column


class ChooseColumns(ModalScreen["Sequence[Column] | None"]):
    """Tick with space; enter shows the ticked columns, esc leaves all as it is.

    Columns of one title are variants for narrow and wide terminals and go together.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "show", show=False, priority=True),
        Binding("space", "tick", "tick", show=False, priority=True),
        Binding("escape", "leave", "cancel", show=False),
    ]

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self._columns = columns
        self._ticked = {column.title: not column.optional for column in columns}

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical(classes="dialog"):
            yield Static(Content.assemble(("Columns", "bold")), markup=False)
            yield OptionList(*map(self._words, self._ticked), markup=False)
            yield Static(
                Content.assemble(
                    ("space", "bold $accent"),
                    " tick    ",
                    ("enter", "bold $accent"),
                    " show    ",
                    ("esc", "bold $accent"),
                    " cancel",
                ),
                markup=False,
                classes="answers",
            )

    def _words(self, title: str) -> Content:
        """Give a line; the tick is told from its lack without colour too."""
        return Content(f"[{'x' if self._ticked[title] else ' '}] {title or 'way'}")

    def action_tick(self) -> None:
        """Tick the column under the cursor, or take its tick away."""
        options = self.query_one(OptionList)
        place = options.highlighted
        if place is not None:
            title = list(self._ticked)[place]
            self._ticked[title] = not self._ticked[title]
            options.replace_option_prompt_at_index(place, self._words(title))

    def action_take(self) -> None:
        """Show the ticked columns; with none ticked, all stay as they are."""
        if not any(self._ticked.values()):
            self.dismiss(None)
            return
        ticked = self._ticked
        self.dismiss([replace(one, optional=not ticked[one.title]) for one in self._columns])

    def action_leave(self) -> None:
        """Leave all as it is."""
        self.dismiss(None)
