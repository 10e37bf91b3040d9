"""``relay-console demo`` as scripts and as people start it."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.cli import PROGRAM, Shell
from tests.acceptance.processes import Running

if TYPE_CHECKING:
    from pathlib import Path

CONNECTION = {
    "api_url",
    "api_key",
    "from_address",
    "inbound_domain",
    "smtp",
    "aws_endpoint",
    "desk_url",
    "database",
}
SUMMARY = {
    "sent",
    "delivered",
    "bounced",
    "complained",
    "suppressed",
    "received",
    "threaded",
    "forwarded",
    "held",
    "quarantined",
    "pending",
    "lost",
    "duplicates",
}
CTRL_Q = b"\x11"
FIRST_PAINT_SECONDS = 5


def test_headless_it_runs_until_ctrl_c_and_sums_up(tmp_path: Path) -> None:
    command = ["demo", "--headless", "--json", "--quiet-world", "--keep", str(tmp_path / "kept")]
    demo = Running(command, Shell(home=tmp_path).environ, tmp_path / "demo.log")

    first = json.loads(demo.line())
    demo.process.send_signal(signal.SIGINT)
    last = json.loads(demo.line())
    code = demo.process.wait(30)
    demo.stop()

    assert first.keys() == CONNECTION
    assert last.keys() == SUMMARY
    assert (last["lost"], last["duplicates"], code) == (0, 0, 0)
    assert (tmp_path / "kept" / "relay.db").is_file()


def test_headless_without_json_it_writes_lines_to_read(tmp_path: Path) -> None:
    answer = Shell(home=tmp_path).run("demo", "--headless", "--quiet-world", "--seconds", "0")

    assert answer.code == 0
    assert answer.out.startswith("api url    http://127.0.0.1:")
    assert "\nforwarded  0 to psa, 0 to crm, 0 to portal\n" in answer.out


@pytest.mark.parametrize("arguments", [[], ["demo"]], ids=["console", "demo"])
def test_on_a_terminal_the_console_paints_at_once_and_leaves_cleanly(
    tmp_path: Path, arguments: list[str]
) -> None:
    process, terminal = start_on_terminal(tmp_path, arguments)

    took = seconds_until(terminal, "Logs")
    os.write(terminal, CTRL_Q)
    rest = read_to_end(terminal)
    _, status = os.waitpid(process, 0)

    assert took < FIRST_PAINT_SECONDS
    assert os.waitstatus_to_exitcode(status) == 0
    assert "Traceback" not in rest


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
