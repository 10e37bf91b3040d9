"""How many bytes the console costs a slow line: exact, so that a test can hold them."""

from __future__ import annotations

from tests.console.terminal import Terminal


def test_idle_it_writes_nothing_and_moving_and_paging_stay_within_the_floors() -> None:
    with Terminal("tests.console.pty_app", "both", "wrong") as terminal:
        start = terminal.read_until(b"REVIEW RISK")  # the line of an alert is at the top
        assert terminal.read(quiet=1.6) == b""
        terminal.press("j")
        move = terminal.read(quiet=0.4)
        terminal.press("\x1b[6~")
        page = terminal.read(quiet=0.4)
        terminal.press("/")
        terminal.read_until(b"part of an address")
        assert terminal.read(quiet=1.1) == b"", "an idle field"
        terminal.press("\x10")
        terminal.read_until(b"or: logs status:bounced")
        assert terminal.read(quiet=1.1) == b"", "an idle palette"
    assert len(start) < 25_000
    assert 0 < len(move) < 600
    assert 0 < len(page) < 7_500
