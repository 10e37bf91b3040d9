"""A question that is answered with one line of text."""

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


class AskText(ModalScreen["str | None"]):
    """Give what was typed; None when esc was pressed. An empty line is no answer."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel", show=False)]
    AUTO_FOCUS = "#answer"

    def __init__(self, question: SafeText, about: SafeText, example: SafeText) -> None:
        super().__init__()
        self._question = question
        self._about = about
        self._example = example

    def compose(self) -> ComposeResult:
        """Lay out the question and the field."""
        with Vertical(classes="dialog"):
            yield Static(Content.assemble((self._question, "bold")), markup=False)
            yield Static(Content(self._about), markup=False)
            yield FilterInput(id="answer", compact=True, placeholder=self._example, max_length=200)
            yield Static(
                Content.assemble(
                    ("enter", "bold $accent"), " go on    ", ("esc", "bold $accent"), " cancel"
                ),
                markup=False,
                classes="answers",
            )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Finish when there is an answer."""
        event.stop()
        if typed := event.value.strip():
            self.dismiss(typed)

    def action_cancel(self) -> None:
        """Leave all as it is."""
        self.dismiss(None)
