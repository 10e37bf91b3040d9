"""The line above a table: what is shown, or the filter being typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from relay_console.safe import NOTHING, SafeText, safe
from relay_console.widgets.bars import Saying

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.timer import Timer

_PAUSE = 0.15
"""Seconds without a key after which a filter being typed is tried."""


class FilterInput(Input):
    """The field; its cursor does not blink (2.5 KB a second over SSH)."""

    def on_mount(self) -> None:
        """Stop the blinking."""
        self.cursor_blink = False


class FilterBar(Horizontal):
    """Shows the headline; ``/`` turns it into a field until enter or esc."""

    @dataclass
    class Changed(Message):
        """The filter is another one now; it may still be being typed."""

        line: str

    @dataclass
    class Closed(Message):
        """The field is gone; the table wants the focus back."""

    def __init__(self, hint: str) -> None:
        super().__init__()
        self.line = ""
        self._hint = hint
        self._pause: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out the headline and the hidden field."""
        yield Saying(id="headline")
        yield FilterInput(placeholder=self._hint, compact=True, select_on_focus=False)

    def say(self, left: SafeText, right: SafeText = NOTHING) -> None:
        """Set the headline."""
        self.query_one(Saying).say(left, right)

    @property
    def headline(self) -> SafeText:
        """The filter in words, empty when there is none."""
        return safe(f"filter: {self.line}") if self.line else NOTHING

    def open(self) -> None:
        """Show the field with the present filter in it."""
        self.add_class("-typing")
        field = self.query_one(FilterInput)
        with field.prevent(Input.Changed):
            field.value = self.line
        field.cursor_position = len(self.line)
        field.focus()

    def close(self) -> None:
        """Hide the field."""
        self.remove_class("-typing")
        self.post_message(self.Closed())

    def use(self, line: str) -> None:
        """Take a filter as if it had been typed."""
        if self._pause:
            self._pause.stop()
        if line != self.line:
            self.line = line
            self.post_message(self.Changed(line))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Try the filter when the typing pauses."""
        event.stop()
        if self._pause:
            self._pause.stop()
        line = event.value.strip()
        self._pause = self.set_timer(_PAUSE, lambda: self.use(line))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter."""
        event.stop()
        self.use(event.value.strip())
        self.close()

    def on_key(self, event: events.Key) -> None:
        """Take the filter away on esc."""
        if event.key == "escape" and self.has_class("-typing"):
            event.stop()
            self.use("")
            self.close()
