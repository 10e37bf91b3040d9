"""A question over many rows: who means it types their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from relay_console.widgets.filter_bar import FilterInput

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from relay_console.safe import SafeText


class ConfirmCount(ModalScreen[bool]):
    """Ask for the number of rows; anything else leaves all as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel", show=False)]
    AUTO_FOCUS = "#count"

    def __init__(self, question: SafeText, count: int) -> None:
        super().__init__()
        self._question = question
        self._count = count

    def compose(self) -> ComposeResult:
        """Lay out the question."""
        with Vertical(classes="dialog"):
            yield Static(Content.assemble((self._question, "bold")), markup=False)
            yield Static(f"Type {self._count} to go on.", markup=False)
            yield FilterInput(id="count", compact=True)
            yield Static(
                Content.assemble(
                    ("enter", "bold $accent"), " go on    ", ("esc", "bold $accent"), " cancel"
                ),
                markup=False,
                classes="answers",
            )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on only when the number is right."""
        event.stop()
        typed = event.value.strip().replace(",", "")
        self.dismiss(result=typed == str(self._count))

    def action_cancel(self) -> None:
        """Leave all as it is."""
        self.dismiss(result=False)
