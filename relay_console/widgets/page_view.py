"""A page of sections, wrapped to the width and painted line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.safe import NOTHING, SafeText, safe
from relay_console.viewmodel.table import fit
from relay_console.viewmodel.words import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual import events
    from textual.binding import BindingType

    from relay_console.viewmodel.page import Line, Page

_LABEL = 15
_SHORT_LABEL = 10
"""Cells of a label, its gap included; the short one on pages beside a table."""
_NARROW = 50
_WHEEL = 3
Painted = tuple[str, str]
"""Text and the name of its component class."""


class PageView(Widget, can_focus=True):
    """A scrolling page; until one is shown it says what it waits for."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "page--heading",
        "page--text",
        "page--good",
        "page--busy",
        "page--bad",
        "page--dim",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        binding
        for binding in bindings(Scope.DETAIL)
        if not isinstance(binding, tuple) and binding.action.startswith("scroll_")
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self.page: Page | None = None
        self._saying: SafeText = safe("loading…")
        self._lines: list[Painted] = []
        self._top = 0
        self._wrapped_at = Size()

    @property
    def position(self) -> SafeText:
        """How far down the page is, in words."""
        end = min(self._top + self.size.height, len(self._lines))
        return safe(f"lines {min(self._top + 1, end)}-{end} of {len(self._lines)}")

    def show(self, page: Page) -> None:
        """Show a page, or the same one anew at the same place; the same content costs nothing."""
        if page != self.page:
            self.page = page
            self._layout_lines()

    def say(self, sentence: SafeText) -> None:
        """Show a sentence in place of a page that cannot be had."""
        if self.page is None:
            self._saying = sentence
            self.refresh()

    def clear(self) -> None:
        """Show nothing."""
        self.page, self._lines, self._top, self._saying = None, [], 0, NOTHING
        self.refresh()

    def _layout_lines(self) -> None:
        before, top = self._in_sight(), self._top
        self._wrap()
        changed = [y for y, now in enumerate(self._in_sight()) if now != before[y]]
        # the next mail of a list is much like the last: most of its lines are on the screen already
        known = self._wrapped_at == self.size and top == self._top and before[0] is not None
        if changed or not known:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed if known))
        self._wrapped_at = self.size

    def _in_sight(self) -> list[Painted | None]:
        places = range(self._top, self._top + max(1, self.size.height))
        return [self._lines[place] if place < len(self._lines) else None for place in places]

    def _wrap(self) -> None:
        width = self.size.width - 2
        if self.page is not None and width > _LABEL:
            self._lines = list(_painted(self.page, width))
        self._top = min(self._top, max(0, len(self._lines) - self.size.height))

    def on_resize(self, event: events.Resize) -> None:
        """Wrap anew."""
        del event
        self._layout_lines()

    def render_line(self, y: int) -> Strip:
        """Paint one line from memory."""
        text, name = "", "page--text"
        if self.page is None:
            sayings = wrap(self._saying, self.size.width - 3)
            text = f"  {sayings[y - 1]}" if 0 <= y - 1 < len(sayings) else ""
        else:
            place = self._top + y
            text, name = self._lines[place] if place < len(self._lines) else ("", "page--text")
            text = f" {text}"
        style = self.get_component_rich_style(name)
        return Strip([Segment(fit(text, self.size.width), style)], self.size.width)

    def scroll_lines(self, lines: int) -> None:
        """Scroll by some lines; the ends hold."""
        most = max(0, len(self._lines) - self.size.height)
        top = min(max(self._top + lines, 0), most)
        if top != self._top:
            self._top = top
            self.refresh()

    def action_scroll_line_down(self) -> None:
        """Scroll one line down."""
        self.scroll_lines(1)

    def action_scroll_line_up(self) -> None:
        """Scroll one line up."""
        self.scroll_lines(-1)

    def action_scroll_page_down(self) -> None:
        """Scroll a page down, less two lines."""
        self.scroll_lines(max(1, self.size.height - 2))

    def action_scroll_page_up(self) -> None:
        """Scroll a page up, less two lines."""
        self.scroll_lines(-max(1, self.size.height - 2))

    def action_scroll_first(self) -> None:
        """Go to the first line."""
        self.scroll_lines(-self._top)

    def action_scroll_last(self) -> None:
        """Go to the last line."""
        self.scroll_lines(len(self._lines))

    def on_mouse_scroll_down(self) -> None:
        """Scroll by the wheel."""
        self.scroll_lines(_WHEEL)

    def on_mouse_scroll_up(self) -> None:
        """Scroll by the wheel."""
        self.scroll_lines(-_WHEEL)


def _painted(page: Page, width: int) -> Iterator[Painted]:
    for number, section in enumerate(page.sections):
        if number:
            yield "", "page--text"
        yield fit(section.title, width), "page--heading"
        for line in section.lines:
            yield from _wrapped(line, width)


def _wrapped(line: Line, width: int) -> Iterator[Painted]:
    name = f"page--{line.tone or 'text'}"
    size = _LABEL if width > _NARROW else _SHORT_LABEL
    if not line.label and not line.text.startswith(" "):
        yield from ((f"  {text}", name) for text in wrap(line.text, width - 2))
        return
    for number, text in enumerate(wrap(line.text, width - size - 2)):
        label = line.label if number == 0 else ""
        yield f"  {fit(label, size)}{text}", name
