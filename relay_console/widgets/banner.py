"""The line below the areas while something is wrong; not there while all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend import Level
from relay_console.viewmodel.health import banner_words
from relay_console.widgets.bars import Saying

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relay_console.viewmodel.health import Notice

_CLASSES = {level: f"-{level.value}" for level in Level}


class Banner(Saying):
    """Says the worst of all notices, in the colour of its level; a click opens the alerts."""

    def show(self, found: Sequence[Notice]) -> None:
        """Show notices, the worst first; the same ones again cost nothing."""
        level = found[0].level if found else None
        for one, name in _CLASSES.items():
            self.set_class(one is level, name)
        self.set_class(bool(found), "-shown")
        self.say(*banner_words(found))

    def on_click(self) -> None:
        """Open the alerts."""
        self.app.call_later(self.app.run_action, "area('alerts')")
