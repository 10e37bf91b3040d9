"""How much the terminal line can carry, told from the environment. Imports no Textual.

Textual reads ``TEXTUAL_FPS`` when it is first imported; ``prepare_environment`` must run before
that, so the command line calls it ahead of ``relay_console.app``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

CopyMethod = Literal["auto", "osc52", "tmux", "file"]
_COPY_METHODS: Mapping[str, CopyMethod] = {
    "auto": "auto",
    "osc52": "osc52",
    "tmux": "tmux",
    "file": "file",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Choices that depend on the terminal and the line to it.

    ``fps`` is frames a second; ``theme`` names a theme, empty for the default one.
    """

    remote: bool = False
    fps: int = 30
    theme: str = ""
    ansi: bool = False
    copy_method: CopyMethod = "auto"

    @property
    def default_theme(self) -> str:
        """The theme to start with."""
        return self.theme or ("relay-ansi" if self.ansi else "relay-dark")


def profile_from(environ: Mapping[str, str]) -> Profile:
    """Read SSH, colour and clipboard facts from environment variables.

    ``RELAY_THEME`` names the theme, ``RELAY_COPY`` is auto, osc52, tmux or file.
    """
    remote = bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))
    few_colours = environ.get("TERM", "") in {"linux", "vt100", "vt220", "ansi", "screen"}
    return Profile(
        remote=remote,
        fps=15 if remote else 30,
        theme=environ.get("RELAY_THEME", ""),
        ansi=few_colours or environ.get("TEXTUAL_COLOR_SYSTEM") == "standard",
        copy_method=_COPY_METHODS.get(environ.get("RELAY_COPY", "auto"), "auto"),
    )


def prepare_environment(environ: MutableMapping[str, str]) -> None:
    """Tell Textual, not yet imported, the frame rate and that nothing is animated.

    The names inside the environment that the user set win.
    """
    environ.setdefault("TEXTUAL_FPS", str(profile_from(environ).fps))
    environ.setdefault("TEXTUAL_ANIMATIONS", "none")


def refusal(environ: Mapping[str, str]) -> str:
    """Say in a sentence why the console cannot run in this terminal; empty when it can."""
    if environ.get("TERM", "") in {"dumb", "unknown"}:
        return (
            f"The terminal type is TERM={environ['TERM']}, which cannot show the console; "
            "set TERM=xterm-256color, or use the headless commands (relay-console --help)."
        )
    return ""
