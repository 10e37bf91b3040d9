"""``relay-console demo`` as scripts and as people start it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.cli import PROGRAM, Shell

if TYPE_CHECKING:
    from pathlib import Path

CTRL_Q = b"\x11"
FIRST_PAINT_SECONDS = 5
TRIES = 3  # on a machine that has other work


def test_headless_without_json_it_writes_lines_to_read(tmp_path: Path) -> None:
    answer = Shell(home=tmp_path).run("demo", "--headless", "--quiet-world", "--seconds", "0")

    assert answer.code == 0
    assert answer.out.startswith("api url    http://127.0.0.1:")
    assert "\nforwarded  0 to psa, 0 to crm, 0 to portal\n" in answer.out


@pytest.mark.parametrize("arguments", [[], ["demo"]], ids=["console", "demo"])
def test_on_a_terminal_the_console_paints_at_once_and_leaves_cleanly(
    tmp_path: Path, arguments: list[str]
) -> None:
    took = [seconds_to_paint_and_leave(tmp_path, arguments)]
    while took[-1] > FIRST_PAINT_SECONDS and len(took) < TRIES:
        took.append(seconds_to_paint_and_leave(tmp_path, arguments))

    assert min(took) < FIRST_PAINT_SECONDS


def seconds_to_paint_and_leave(home: Path, arguments: list[str]) -> float:
    """Open the console and close it again; give how long the first picture took."""
    process, terminal = start_on_terminal(home, arguments)
    took = seconds_until(terminal, "Logs")
    os.write(terminal, CTRL_Q)
    rest = read_to_end(terminal)
    _, status = os.waitpid(process, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert "Traceback" not in rest
    return took


def start_on_terminal(home: Path, arguments: list[str]) -> tuple[int, int]:
    """Start the program on a terminal of 80x24; give its process id and the terminal."""
    environ = Shell(home=home).environ | {"TERM": "xterm-256color"}
    process, terminal = pty.fork()
    if process == 0:
        os.execve(sys.executable, [*PROGRAM, *arguments], environ)  # noqa: S606
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    return process, terminal


def seconds_until(terminal: int, word: str) -> float:
    """Read until a word is on the screen; give how long that took."""
    begun, seen = time.monotonic(), ""
    while word not in seen:
        ready, _, _ = select.select([terminal], [], [], 30)
        assert ready, f"{word} did not appear in {seen!r}"
        seen += os.read(terminal, 65536).decode(errors="replace")
    return time.monotonic() - begun


def read_to_end(terminal: int) -> str:
    """Read what a program still writes until it closes the terminal."""
    seen = b""
    while select.select([terminal], [], [], 30)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux says EIO when the last writer is gone
            break
        if not part:
            break
        seen += part
    os.close(terminal)
    return seen.decode(errors="replace")
