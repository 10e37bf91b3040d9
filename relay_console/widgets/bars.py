"""The one-line bars around a screen: areas above, what is said and the keys below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from relay_console.actions import AREAS, footer_of
from relay_console.safe import NOTHING, SafeText, safe
from relay_console.viewmodel.table import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from relay_console.action import Action, Scope


_NAME = "Relay "
_EDGE = 1
"""Empty cells at both ends of a line."""


class TopBar(Widget):
    """The six areas with their number keys; the one we are in stands out, also without colour."""

    def __init__(self, area: Scope, right: SafeText) -> None:
        super().__init__()
        self._area = area
        self._badge = right
        self._right = right

    def warn(self, words: SafeText) -> None:
        """Show a warning in place of the badge; without words the badge again."""
        right = words or self._badge
        if right != self._right:
            self._right = right
            self.refresh()

    def _layout_words(self) -> tuple[str, list[str]]:
        """Give what comes first, and the words of each area: close together when it is narrow."""
        words = [f"{number} {area.value}" for number, area in enumerate(AREAS, 1)]
        needed = len(_NAME) + sum(len(text) + 2 for text in words) + cell_len(self._badge)
        name, end = (_NAME, " ") if needed < self.size.width else ("", "")
        return name, [
            f"[{text}]" if area is self._area else f" {text}{end}"
            for area, text in zip(AREAS, words, strict=True)
        ]

    def render(self) -> Content:
        """Draw the areas; what is at the right goes when there is no room."""
        name, words = self._layout_words()
        parts: list[str | tuple[str, str]] = [(name, "bold $primary")]
        for area, text in zip(AREAS, words, strict=True):
            parts.append((text, "bold $accent" if area is self._area else "$text-muted"))
        left = Content.assemble(*parts)
        room = self.size.width - left.cell_length - 1
        right = fit(self._right, room) if cell_len(self._right) > room else self._right
        if room < 4:
            return left
        gap = " " * (self.size.width - left.cell_length - cell_len(right))
        return Content.assemble(left, gap, (right, "$warning"))

    def on_click(self, event: events.Click) -> None:
        """Go to the area clicked."""
        name, words = self._layout_words()
        start = len(name) + _EDGE
        for area, text in zip(AREAS, words, strict=True):
            if start <= event.x < start + len(text):
                self.app.call_later(self.app.run_action, f"area('{area.name.lower()}')")
            start += len(text)


class Saying(Widget):
    """A line of text; what does not change is not painted again."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._left: SafeText = NOTHING
        self._right: SafeText = NOTHING

    def say(self, left: SafeText, right: SafeText = NOTHING) -> None:
        """Show a text, and another at the right edge."""
        if (left, right) == (self._left, self._right):
            return
        changed = max(cell_len(right), cell_len(self._right)) + _EDGE
        only_right = left == self._left and cell_len(left) + changed + _EDGE < self.size.width
        self._left, self._right = left, right
        if only_right:
            self.refresh(Region(self.size.width - changed, 0, changed, 1))
        else:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Paint the line with one style; the left text is cut when they do not fit."""
        del y
        width = self.size.width
        room = width - cell_len(self._right) - 2 * _EDGE
        text = (
            f" {fit(self._left, room - 1)} {self._right} " if room > 1 else fit(self._left, width)
        )
        return Strip([Segment(fit(text, width), self.rich_style)], width)


class KeyBar(Widget):
    """The keys of a screen; as many as fit, the important ones first, never one cut in half."""

    def __init__(self, area: Scope, *, readonly: bool) -> None:
        super().__init__()
        self._actions = footer_of(area, readonly=readonly)
        self._without: frozenset[str] = frozenset()

    def leave_out(self, ids: frozenset[str]) -> None:
        """Leave out the keys of actions that make no sense just now; they work all the same."""
        if ids != self._without:
            self._without = ids
            self.refresh()

    def render(self) -> Content:
        """Draw the keys that fit."""
        parts: list[str | tuple[str, str]] = []
        shown = [action for action in self._actions if action.id not in self._without]
        for action in _that_fit(shown, self.size.width):
            parts += [(_cap(action), "bold $accent"), (f" {action.title}  ", "$text-muted")]
        return Content.assemble(*parts)


def _cap(action: Action) -> str:
    return action.caps.split(" ")[0]


def _that_fit(actions: Sequence[Action], width: int) -> list[Action]:
    kept, used = [], 0
    for action in actions:
        needed = len(_cap(action)) + len(action.title) + 3
        if used + needed - 2 <= width:
            kept.append(action)
            used += needed
    return kept


def badge(*, readonly: bool, actor: str) -> SafeText:
    """Give what stands at the right of the top bar: read-only, else who is at work."""
    return safe("read-only" if readonly else actor, 16)
