"""The app over the snapshot world."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relay_console.app import RelayApp
from relay_console.profile import Profile
from tests.console.world import NOW, World, build_world

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def world() -> World:
    """A small world with everything in it."""
    return build_world()


@pytest.fixture
def make_app(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., RelayApp]:
    """Make the app at the world's moment, apart from the user's own settings and tmux."""
    monkeypatch.delenv("TMUX", raising=False)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))

    def make(world: object, *, readonly: bool = False, theme: str = "relay-dark") -> RelayApp:
        return RelayApp(
            world,  # type: ignore[arg-type]  # a World, or a factory of one
            actor="sam@ops",
            readonly=readonly,
            profile=Profile(theme=theme),
            clock=lambda: NOW,
        )

    return make
