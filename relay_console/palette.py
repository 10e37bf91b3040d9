"""The ``:`` palette: the actions of the registry, and jumps such as ``logs status:bounced``."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.widgets import Input

from relay_console.action import Scope
from relay_console.actions import AREAS, alive_on, allowed, in_scope
from relay_console.messages import Goto
from relay_console.safe import safe
from relay_console.screens.live import LiveScreen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from relay_console.action import Action

_WITH_FILTER = tuple(area for area in AREAS if area is not Scope.CHARTS)


class Palette(CommandPalette):
    """Textual's palette with a cursor that does not blink."""

    def on_mount(self) -> None:
        """Stop the blinking."""
        self.query_one(Input).cursor_blink = False

    def _action_command_list(self, action: str) -> None:
        """Move in the list; one without a line in sight, as on a tiny terminal, cannot be paged."""
        # QUIRK(Textual 8.2.8): OptionList._move_page looks up lines that were never laid out
        with suppress(KeyError):
            super()._action_command_list(action)


class RegistryCommands(Provider):
    """The actions alive on the screen below, and jumps to an area under a filter."""

    async def discover(self) -> Hits:
        """Give all commands before anything is typed."""
        for action in self._actions():
            yield DiscoveryHit(action.title.capitalize(), self._run(action), help=action.help)

    async def search(self, query: str) -> Hits:
        """Give the commands that fit what was typed."""
        for jump in self._jumps(query):
            yield jump
        matcher = self.matcher(query)
        for action in self._actions():
            title = action.title.capitalize()
            score = matcher.match(title)
            if score > 0:
                shown = matcher.highlight(title)
                yield Hit(score, shown, self._run(action), text=title, help=action.help)

    def _actions(self) -> Iterator[Action]:
        screen = self.screen
        if not isinstance(screen, LiveScreen):
            return
        for action in in_scope(*alive_on(screen.area)):
            if action.palette and allowed(action.id, readonly=screen.session.readonly):
                yield action

    def _run(self, action: Action) -> Callable[[], object]:
        where = self.app if Scope.GLOBAL in action.scopes else self.screen
        return partial(where.run_action, action.id)

    def _jumps(self, query: str) -> Iterator[Hit]:
        """Read ``logs status:bounced``: an area, or the beginning of its name, and a filter."""
        word, _, line = query.removeprefix(":").strip().partition(" ")
        for area in _WITH_FILTER if word and line.strip() else ():
            if area.name.lower().startswith(word.lower()):
                shown = Content(safe(f"{area.value}: {line.strip()}"))
                jump = partial(self.app.post_message, Goto(area.name.lower(), line.strip()))
                yield Hit(2.0, shown, jump, text=area.value, help="Go there under this filter.")
