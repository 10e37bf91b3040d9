"""Glyphs, tones, times and counts as the console writes them. No I/O, no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells

from backend import Direction, DomainStatus, EmailStatus, Finding, InboundStatus, SendState

if TYPE_CHECKING:
    from datetime import datetime

    from backend import SendingStatus

_GOOD = ("✓", "good")
_BUSY = ("~", "busy")
_BAD = ("✗", "bad")
_DIM = ("-", "dim")
_WAITS = ("!", "busy")
_PLAIN = ("·", "")

_MARKS: dict[str, tuple[str, str]] = {
    EmailStatus.SCHEDULED: _PLAIN,
    EmailStatus.QUEUED: _PLAIN,
    EmailStatus.UNKNOWN: ("?", "busy"),
    EmailStatus.SENT: (">", ""),
    EmailStatus.DELAYED: _BUSY,
    EmailStatus.DELIVERED: _GOOD,
    EmailStatus.BOUNCED: _BAD,
    EmailStatus.COMPLAINED: _BAD,
    EmailStatus.REJECTED: _BAD,
    EmailStatus.FAILED: _BAD,
    EmailStatus.SUPPRESSED: _DIM,
    EmailStatus.CANCELED: _DIM,
    InboundStatus.RECEIVED: _PLAIN,
    InboundStatus.FORWARDING: _BUSY,
    InboundStatus.FORWARDED: _GOOD,
    InboundStatus.HELD: _WAITS,
    InboundStatus.QUARANTINED: ("!", "bad"),
    InboundStatus.UNROUTED: ("?", "busy"),
    InboundStatus.DISCARDED: _DIM,
    DomainStatus.PENDING: _BUSY,
    DomainStatus.VERIFIED: _GOOD,
    Finding.OK: _GOOD,
    Finding.NOTE: _PLAIN,
    Finding.QUARANTINE: ("!", "bad"),
    Finding.HOLD: _WAITS,
    Finding.STOP: _DIM,
    Finding.RETRY: _BUSY,
}
"""Wire value to glyph and tone; failed, suppressed and the like are one word in both ways."""


def glyph(status: str) -> str:
    """Give the one sign that says the tone without colour."""
    return _MARKS.get(status, _PLAIN)[0]


def tone(status: str) -> str:
    """Give good, busy, bad, dim or nothing."""
    return _MARKS.get(status, _PLAIN)[1]


def sentence(status: str, direction: Direction) -> str:
    """Give the sentence of an outbound or inbound status; empty when the word is unknown.

    The direction matters: suppressed and failed are words of both ways.
    """
    words = InboundStatus if direction is Direction.IN else EmailStatus
    return words(status).sentence if status in {member.value for member in words} else ""


def moment(at: datetime, now: datetime) -> str:
    """Give the time of day when it is today, else the date and the minute; 11 cells, UTC."""
    return f"{at:%H:%M:%S}   " if at.date() == now.date() else f"{at:%m-%d %H:%M}"


def short_moment(at: datetime, now: datetime) -> str:
    """Give the time of day when it is today, else the date alone; 8 cells, UTC."""
    return f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%d %b}"


def when(at: datetime, now: datetime) -> str:
    """Give the minute for a sentence: the time alone when it is today, UTC."""
    return f"{at:%H:%M}Z" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}Z"


def full_moment(at: datetime | None) -> str:
    """Give date and time to the second in UTC, or a dash."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at is not None else "-"


def plural(count: int, noun: str, many: str = "") -> str:
    """Give ``1 mail`` or ``1,204 mails``."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def size_of(count: int) -> str:
    """Give a size in bytes, KB or MB, as people say it."""
    if count < 1024:
        return f"{count} B"
    if count < 1024 * 1024:
        return f"{count / 1024:.1f} KB"
    return f"{count / 1024 / 1024:.1f} MB"


def wrap(text: str, width: int) -> list[str]:
    """Cut one line into lines of at most ``width`` cells, at spaces where there are any."""
    lines, rest = [], text
    while cell_len(rest) > width > 0:
        fits = max(1, len(chop_cells(rest, width)[0]))
        space = rest[: fits + 1].rfind(" ")
        cut = space if space > width // 2 else fits
        lines.append(rest[:cut])
        rest = rest[cut:].removeprefix(" ")
    return [*lines, rest]


_HELD = {
    SendState.THROTTLED: "sending slowed down",
    SendState.QUOTA_SPENT: "daily quota spent",
    SendState.PAUSED: "sending paused",
    SendState.DENIED: "AWS denies sending",
}


def held_words(status: SendingStatus) -> str:
    """Say in a few words that no mail goes out, and since when; nothing while it does."""
    if status.hold is None:
        return "SES sandbox" if status.is_sandbox else ""
    return f"{_HELD[status.hold.state]} since {status.hold.since:%H:%M}Z"
