"""Help: every key of the registry, the ones of this screen first, with a search field."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from relay_console.action import Scope
from relay_console.actions import AREAS, alive_on, allowed, in_scope
from relay_console.safe import safe
from relay_console.viewmodel.page import Page, Section, fact, section
from relay_console.widgets.filter_bar import FilterInput
from relay_console.widgets.page_view import PageView

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widgets import Input


class Help(ModalScreen[None]):
    """Type to search; arrows scroll; esc closes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark", "close", "close", show=False, priority=True),
        Binding("down", "scroll(1)", "down", show=False, priority=True),
        Binding("up", "scroll(-1)", "up", show=False, priority=True),
        Binding("pagedown", "scroll(15)", "page down", show=False, priority=True),
        Binding("pageup", "scroll(-15)", "page up", show=False, priority=True),
    ]
    AUTO_FOCUS = "FilterInput"

    def __init__(self, area: Scope, *, readonly: bool) -> None:
        super().__init__()
        self._area = area
        self._readonly = readonly

    def compose(self) -> ComposeResult:
        """Lay out the field and the keys."""
        with Vertical(classes="dialog wide"):
            yield FilterInput(placeholder="search the keys; esc closes", compact=True)
            yield PageView()

    def on_mount(self) -> None:
        """Show all keys."""
        self.query_one(PageView).show(help_page(self._area, "", readonly=self._readonly))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the keys that fit the words typed."""
        event.stop()
        page = help_page(self._area, event.value, readonly=self._readonly)
        self.query_one(PageView).show(page)

    def action_scroll(self, lines: int) -> None:
        """Scroll the keys."""
        self.query_one(PageView).scroll_lines(lines)

    def action_close(self) -> None:
        """Close the help."""
        self.dismiss()


def help_page(area: Scope, wanted: str, *, readonly: bool) -> Page:
    """Lay out the keys whose title, help or key holds the words; the area's own come first."""
    here = alive_on(area)
    others = (*AREAS, Scope.DETAIL, Scope.SENT, Scope.MESSAGE, Scope.DIALOG)
    rest = [scope for scope in others if scope not in here]
    sections = (_keys(scope, wanted.lower().strip(), readonly=readonly) for scope in (*here, *rest))
    shown = tuple(part for part in sections if part.lines)
    nothing = section("Keys", (), "No key fits; type other words.")
    return Page(title=safe("Keys"), sections=shown or (nothing,))


def _keys(scope: Scope, wanted: str, *, readonly: bool) -> Section:
    return section(
        scope.value,
        [
            fact(action.caps, action.help)
            for action in in_scope(scope)
            if allowed(action.id, readonly=readonly)
            and wanted in f"{action.caps} {action.title} {action.help}".lower()
        ],
    )
