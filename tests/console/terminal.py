"""A pseudo-terminal with a program on it, and the escape sequences in what it writes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

from relay_console.safe import HIDDEN

if TYPE_CHECKING:
    from types import TracebackType

ROOT = Path(__file__).parents[2]
SEQUENCE = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC
    r"|\x1b\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]"  # CSI
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # DCS, SOS, PM, APC
    r"|\x1b.?"
    r"|[\x00-\x1f\x7f-\x9f]",
    re.DOTALL,
)


class Terminal:
    """``python -m MODULE ARGUMENTS`` on a terminal of 80 by 24."""

    def __init__(self, *arguments: str, columns: int = 80, rows: int = 24) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environ = {key: value for key, value in os.environ.items() if key not in {"TMUX", "CI"}}
        environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "", "LINES": ""}
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env={key: value for key, value in environ.items() if value},
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def press(self, keys: str) -> None:
        """Send keys as a keyboard would."""
        os.write(self._master, keys.encode())

    def read(self, *, quiet: float, limit: float = 20) -> bytes:
        """Read until nothing came for ``quiet`` seconds, or the program ended."""
        data, end = b"", time.monotonic() + limit
        while time.monotonic() < end and select.select([self._master], [], [], quiet)[0]:
            try:
                chunk = os.read(self._master, 65536)
            except OSError:  # EIO: the other side is closed
                break
            if not chunk:
                break
            data += chunk
        return data

    def read_until(self, text: bytes, limit: float = 20) -> bytes:
        """Read until a text came, then until it is quiet."""
        data, end = b"", time.monotonic() + limit
        while text not in data:
            assert time.monotonic() < end, data[-2000:]
            data += self.read(quiet=0.05, limit=1)
        return data + self.read(quiet=0.3)


def sequences(data: bytes) -> set[str]:
    """Give the kinds of what a terminal would obey: parameters cut, modes kept.

    So every SGR is ``CSI m``, every cursor position ``CSI H``, and each mode is its own kind.
    """
    return {_kind(found[0]) for found in SEQUENCE.finditer(data.decode("utf-8", "replace"))}


def hidden(data: bytes) -> set[str]:
    """Give the characters that draw nothing and turn the text around."""
    return {char for char in data.decode("utf-8", "replace") if ord(char) in HIDDEN}


def _kind(sequence: str) -> str:
    if sequence.startswith("\x1b]"):
        return "OSC " + sequence[2:].split(";", maxsplit=1)[0]
    if not sequence.startswith("\x1b["):
        return repr(sequence)
    body, final = sequence[2:-1], sequence[-1]
    if final in "hl" or body[:1] in {"<", ">", "=", "?"}:
        return f"CSI {body}{final}"
    return f"CSI {final}"
