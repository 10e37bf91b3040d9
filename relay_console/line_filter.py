"""The last wall before the terminal: delete whatever a terminal would obey from every line.

Apart from ``safe`` because it needs Textual. The deleted characters have cell width 0, so the
layout stays. Textual calls line filters internal: the pin and the pty test belong together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.filter import LineFilter

from relay_console.safe import HIDDEN

if TYPE_CHECKING:
    from rich.style import Style
    from textual.color import Color

_UNSAFE = dict.fromkeys((*range(0x20), 0x7F, *HIDDEN))


class StripControls(LineFilter):
    """Delete control, bidi and zero-width characters, and all links, just before the write."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Give the segments without anything a terminal would obey."""
        return [_clean(segment) for segment in segments]


def _clean(segment: Segment) -> Segment:
    text, style, control = segment
    if not text.isprintable():
        text = text.translate(_UNSAFE)
    return Segment(text, _unlinked(style), control)


def _unlinked(style: Style | None) -> Style | None:
    """Drop OSC 8: the address of a link goes to the terminal as it is."""
    return style.update_link(None) if style is not None and style.link else style
