"""A question before anything is changed; no is the answer of every key but one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from relay_console.action import Scope
from relay_console.bindings import bindings

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from relay_console.safe import SafeText


class Confirm(ModalScreen[bool]):
    """Ask; ``y`` is yes, everything else is no."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.DIALOG)

    def __init__(self, question: SafeText, warning: SafeText) -> None:
        super().__init__()
        self._question = question
        self._warning = warning

    def compose(self) -> ComposeResult:
        """Lay out the question."""
        with Vertical(classes="dialog"):
            yield Static(Content.assemble((self._question, "bold")), markup=False)
            yield Static(Content(self._warning), markup=False)
            yield answers()

    def action_yes(self) -> None:
        """Answer yes."""
        self.dismiss(result=True)

    def action_no(self) -> None:
        """Answer no."""
        self.dismiss(result=False)


def answers() -> Static:
    """Give the line of the two answers."""
    yes, no = ("y", "bold $accent"), ("n", "bold $accent")
    words = Content.assemble(yes, " yes    ", no, " no (enter, esc)")
    return Static(words, markup=False, classes="answers")
