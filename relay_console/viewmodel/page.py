"""A page of text in sections: what a detail screen shows. Pure values, safe text only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relay_console.safe import NOTHING, SafeText, safe

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: a short label in its own column, the text, and a tone for both."""

    text: SafeText
    label: SafeText = NOTHING
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and its lines."""

    title: SafeText
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole detail: its heading, sections, what ``y`` copies, and the mail it is linked to.

    ``linked`` is a log key such as ``out:msg_…``, empty when there is none.
    """

    title: SafeText
    sections: tuple[Section, ...]
    copy: str = ""
    linked: str = ""


def fact(label: str, text: str, tone: str = "") -> Line:
    """Make a line that names one fact; both may be foreign."""
    return Line(label=safe(label), text=safe(text), tone=tone)


def section(title: str, lines: Sequence[Line], empty: str = "") -> Section:
    """Make a section; ``empty`` is said in place of no lines."""
    shown = tuple(lines) or ((Line(text=safe(empty), tone="dim"),) if empty else ())
    return Section(title=safe(title), lines=shown)
