"""The sanitiser: what a stranger wrote cannot move the cursor, and shows that it was there."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from relay_console.line_filter import StripControls
from relay_console.safe import HIDDEN, safe, safe_lines, together


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;PWNED\x07", "␛]0;PWNED␇"),
        ("\x9b2J", "�2J"),
        ("a\u202egpj.exe", "a�gpj.exe"),
        ("a\u061cb", "a�b"),
        ("a\tb\nc", "a b␤c"),
        ("\x7f\x00", "␡␀"),
        ("zero\u200bwidth\ufeff", "zero�width�"),
        ("tag\U000e0041", "tag�"),
        ("lone\ud800", "lone�"),
        ("[@click=app.quit]x[/]", "[@click=app.quit]x[/]"),
        ("👩‍🔧 請求書 Übersicht", "👩‍🔧 請求書 Übersicht"),
    ],
)
def test_what_a_terminal_would_obey_becomes_visible(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    assert safe("x" * 600, 10) == "x" * 9 + "…"


def test_marks_beyond_four_on_one_base_are_dropped() -> None:
    assert safe("e" + "\u0301" * 50) == "e" + "\u0301" * 4


@given(st.text())
def test_no_text_leaves_a_control_or_bidi_character(text: str) -> None:
    for char in safe(text):
        assert ord(char) not in HIDDEN
        assert unicodedata.category(char) not in {"Cc", "Cs"}


@given(st.text())
def test_safe_text_is_safe_already(text: str) -> None:
    once = safe(text)
    assert safe(once) == once


def test_only_line_feeds_and_returns_end_a_line() -> None:
    assert safe_lines("a\r\nb\rc\x0bd\u2028e\n\n") == ("a", "b", "c␋d�e")


def test_a_long_body_says_how_many_lines_are_not_shown() -> None:
    assert safe_lines("\n".join("abcdef"), limit=2) == ("a", "b", "… 4 more lines are not shown")


def test_parts_join_without_a_gap() -> None:
    assert together(safe("a"), safe("\x1b")) == "a␛"


def filtered(segment: Segment) -> Segment:
    return StripControls().apply([segment], Color(0, 0, 0))[0]


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9d0;x\x9c", "\u202eabc", "\u061c", "\x00\x7f"])
def test_the_line_filter_deletes_what_slipped_through(text: str) -> None:
    left = filtered(Segment(f"a{text}b")).text
    assert left.isprintable()
    assert left.startswith("a")


def test_the_line_filter_drops_links() -> None:
    style = filtered(Segment("x", Style(link="http://evil.example/\x1b]0;x\x07", bold=True))).style
    assert style is not None
    assert style.link is None
    assert style.bold


def test_the_line_filter_keeps_joined_emoji() -> None:
    assert filtered(Segment("👩‍🔧")).text == "👩‍🔧"
