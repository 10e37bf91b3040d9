"""The question before an act, with what it would do to each message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from relay_console.safe import NOTHING
from relay_console.screens.confirm import Confirm, answers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from relay_console.safe import SafeText


class Foresee(Confirm):
    """Show the preview and ask; ``y`` is yes, everything else is no.

    What cannot be done at all is not asked: ``possible`` is False then, and every key goes back.
    """

    def __init__(
        self,
        question: SafeText,
        lines: Sequence[SafeText],
        notes: Sequence[SafeText],
        *,
        possible: bool = True,
    ) -> None:
        super().__init__(question, NOTHING)
        self._lines = lines
        self._notes = notes
        self._possible = possible

    def compose(self) -> ComposeResult:
        """Lay out question, preview and answers."""
        with Vertical(classes="dialog preview"):
            yield Static(Content.assemble((self._question, "bold")), markup=False)
            with VerticalScroll(classes="foreseen"):  # it takes the arrow keys
                for line in self._lines:
                    yield Static(Content(line), markup=False)
            for note in self._notes:
                yield Static(Content(note), markup=False)
            yield answers() if self._possible else _back()

    def action_yes(self) -> None:
        """Answer yes, if there is anything to say yes to."""
        self.dismiss(result=self._possible)


def _back() -> Static:
    words = Content.assemble(("esc", "bold $accent"), " back")
    return Static(words, markup=False, classes="answers")
