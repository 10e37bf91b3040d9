"""What strangers wrote cannot make the terminal do anything: read from a real pseudo-terminal.

Two walls stand, ``safe()`` and the line filter; each is shown to hold alone, and without both the
same test finds the leak, so it can fail.
"""

from __future__ import annotations

import base64
from functools import cache

import pytest

from tests.console.pty_app import BETWEEN, HOSTILE, SHOWN
from tests.console.terminal import Terminal, hidden, sequences

# what Textual itself writes on a terminal, and the OSC 52 of our own copy
GRAMMAR = {
    "'\\r'",
    "'\\n'",
    "CSI m",
    "CSI H",
    "CSI >25u",  # the kitty keyboard, and its end
    "CSI <u",
    "CSI ?2026$p",  # can frames be synchronised?
    "CSI ?2048$p",  # are resizes told in the input?
    "OSC 22",  # the shape of the mouse pointer
    "OSC 52",
    *(
        f"CSI ?{mode}{end}"
        for mode in (7, 25, 1000, 1003, 1004, 1006, 1015, 1049, 2004)
        for end in "hl"
    ),
}


@cache
def tours(*pairs: str) -> list[bytes]:
    """Visit every screen and detail for each WALLS and WORLD, and give all that was written."""
    with Terminal("tests.console.pty_app", "tour", *pairs) as terminal:
        data = terminal.read(quiet=20, limit=60)
        assert terminal.process.wait(10) == 0, data[-3000:].decode("utf-8", "replace")
    return data.split(BETWEEN)


def tour(walls: str, world: str) -> bytes:
    """Give what one tour wrote; several share a process, for its start takes as long as a tour."""
    if walls in {"both", "safe"}:
        clean, both, safe, _ = tours("both", "clean", "both", "hostile", "safe", "hostile")
        return {"both": clean if world == "clean" else both, "safe": safe}[walls]
    without_filter, without_any, _ = tours("filter", "hostile", "none", "hostile")
    return without_filter if walls == "filter" else without_any


def test_clean_mail_needs_only_the_grammar_of_the_console() -> None:
    assert sequences(tour("both", "clean")) <= GRAMMAR


@pytest.mark.parametrize("walls", ["both", "safe", "filter"])
def test_hostile_mail_writes_no_sequence_that_clean_mail_does_not(walls: str) -> None:
    data = tour(walls, "hostile")
    assert sequences(data) - sequences(tour("both", "clean")) == set()
    assert hidden(data) == set()


def test_hostile_text_is_shown_as_it_is() -> None:
    text = tour("both", "hostile").decode()
    assert SHOWN in text
    assert "�2J�0;C1�" in text


def test_the_only_clipboard_writes_are_what_the_technician_copied() -> None:
    text = tour("both", "hostile").decode()
    payloads = [part.partition("\x07")[0] for part in text.split("\x1b]52;c;")[1:]]
    assert len(payloads) == 1
    assert base64.b64decode(payloads[0]).decode().startswith(HOSTILE[:20])


def test_without_the_two_walls_the_terminal_would_be_taken_over() -> None:
    leaked = sequences(tour("none", "hostile"))
    assert {"OSC 0", "CSI J"} <= leaked
    assert hidden(tour("none", "hostile"))
