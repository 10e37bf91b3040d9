"""How many bytes the console costs a slow line: exact, so that a test can hold them."""

from __future__ import annotations

from tests.console.terminal import Terminal


def test_an_idle_console_writes_nothing() -> None:
    with Terminal("tests.console.pty_app", "both", "clean") as terminal:
        terminal.read_until(b"42 mails")
        assert terminal.read(quiet=1.6) == b""


def test_an_idle_field_and_an_idle_palette_write_nothing() -> None:
    with Terminal("tests.console.pty_app", "both", "clean") as terminal:
        terminal.read_until(b"42 mails")
        terminal.press("/")
        terminal.read_until(b"part of an address")
        assert terminal.read(quiet=1.1) == b""
        terminal.press("\x10")
        terminal.read_until(b"Leave the console")
        assert terminal.read(quiet=1.1) == b""


def test_moving_and_paging_stay_within_the_floors() -> None:
    with Terminal("tests.console.pty_app", "both", "clean") as terminal:
        start = terminal.read_until(b"42 mails")
        terminal.press("j")
        move = terminal.read(quiet=0.4)
        terminal.press("\x1b[6~")
        page = terminal.read(quiet=0.4)
    assert len(start) < 25_000
    assert 0 < len(move) < 600
    assert 0 < len(page) < 7_500
