"""The registry of actions as Textual bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding, BindingType

from relay_console.actions import in_scope

if TYPE_CHECKING:
    from relay_console.action import Scope


def bindings(scope: Scope) -> list[BindingType]:
    """Give the bindings of one scope; what may not run is held back by ``check_action``."""
    return [
        Binding(action.key, action.id, action.title, show=False, tooltip=action.help)
        for action in in_scope(scope)
    ]
