"""Put text on the technician's clipboard, across SSH and tmux.

Bare OSC 52 dies silently in a tmux with default settings; ``tmux load-buffer -w -`` does not.
What was done is always said, and bare OSC 52 is only ever "sent to the terminal".
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from relay_console.profile import CopyMethod

MAX_ENCODED = 74_994
"""Bytes of base64 that xterm takes in one OSC 52."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clipboard:
    """The ways to the clipboard: the terminal, tmux, or a file in ``folder``.

    ``osc52`` writes the sequence; ``environ`` tells whether tmux or screen is in between.
    """

    osc52: Callable[[str], None]
    folder: Path
    environ: Mapping[str, str]
    method: CopyMethod = "auto"

    async def copy(self, text: str) -> str:
        """Copy and give the sentence for the toast: how it went and how much it was."""
        size = f"{len(text):,} characters"
        if self.method == "file" or _encoded_size(text) > MAX_ENCODED:
            path = await asyncio.to_thread(self._spill, text)
            return f"{size} saved to {path}"
        if self._use_tmux() and await _through_tmux(text):
            return f"{size} copied through tmux"
        self.osc52(text)
        return f"{size} sent to the terminal"

    def _use_tmux(self) -> bool:
        return self.method == "tmux" or (self.method == "auto" and "TMUX" in self.environ)

    def _spill(self, text: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "copied.txt"
        path.touch(mode=0o600)  # a mail body may be in it
        path.write_text(text, encoding="utf-8")
        return path


def _encoded_size(text: str) -> int:
    return len(base64.b64encode(text.encode("utf-8", "replace")))


async def _through_tmux(text: str) -> bool:
    """Load the tmux buffer and the outer clipboard; False when tmux is not there or refuses."""
    try:
        tmux = await asyncio.create_subprocess_exec(
            *("tmux", "load-buffer", "-w", "-"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return False
    await tmux.communicate(text.encode("utf-8", "replace"))
    return tmux.returncode == 0


def cache_folder(environ: Mapping[str, str], home: Path) -> Path:
    """Give the XDG cache folder of the program, for texts too large for the terminal."""
    base = environ.get("XDG_CACHE_HOME")
    return (home / ".cache" if not base else home / base) / "relay-console"
