"""Read when to send: ISO 8601, or words such as "in 1 min" and "tomorrow at 9am". Pure.

Rules, also in docs/api.md:

* ISO 8601 needs its offset (``Z``, ``+02:00``); words are UTC unless they end with a zone.
* A zone is ``UTC``, ``GMT``, an offset, ``EST`` and its like, ``ET`` and its like (with summer
  time), or a region such as ``Europe/Berlin``. A local time that the change to summer time skips or
  repeats is read by the offset that held before.
* A day without a time means 09:00. A weekday is the next one that lies ahead; ``next friday`` is
  never today. A time without a day is today, or tomorrow when it has passed.
* The moment lies at most 30 days ahead. One that has just passed, by five minutes at most, is now.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from backend.errors import InvalidInputError
from backend.model.moments import as_utc
from backend.outbound.when_words import DAYS, MONTHS, NUMBERS, OFFSETS, REGIONS, UNITS

if TYPE_CHECKING:
    from collections.abc import Callable

FIELD = "scheduled_at"
MOST_AHEAD = timedelta(days=30)
JUST_PASSED = timedelta(minutes=5)
MORNING = time(9)
MAX_LENGTH = 100
FORMS = (
    'give ISO 8601 with an offset, such as 2026-11-20T21:00:00Z, or words such as "in 1 min",'
    ' "in 2 hours", "tomorrow at 9am", "friday at 3pm ET" or "nov 25 at 14:00 Europe/Berlin"'
)

_ISO = re.compile(r"\d{4}-?\d\d-?\d\dT\d.*", re.IGNORECASE)
_SPACED_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d) (\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?) ?(Z|[+-]\d\d.*)", re.I
)
_ZONE = re.compile(
    r"(.*?)(?:\s+\(?((?:utc|gmt)?[+-]\d{1,2}(?::?\d\d)?|[a-z]{1,5}|[a-z]+(?:/[a-z0-9_+-]+)+)\)?|(z))",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"(?:utc|gmt)?([+-])(\d{1,2}):?(\d\d)?", re.IGNORECASE)
_COUNT = rf"\d{{1,6}}(?:\.\d{{1,3}})?|\b(?:{'|'.join(NUMBERS)})(?=\s)"
_PIECE = rf"(?:{_COUNT})\s*(?:{'|'.join(UNITS)})(?![a-z])"
_SPAN = re.compile(rf"{_PIECE}(?:(?:\s*,)?(?:\s+and)?\s*{_PIECE})*")
_ONE = re.compile(rf"({_COUNT})\s*({'|'.join(UNITS)})(?![a-z])")
_IN = re.compile(r"in\s+(.+)|(.+?)\s+from\s+now")
_TIME = re.compile(
    r"(\d{1,2})(?:[:.](\d\d))?(?::(\d\d))?\s*(am|pm|a\.m\.|p\.m\.)?|(noon|midday|midnight)"
)
_DAY_AND_TIME = re.compile(
    r"(.*?)(?:(?:\s*,)?\s+at|\s*@|(?:^|\s)at|,|(?<=\w)\s)\s*([\d:.]+\s*(?:[ap]\.?m\.?)?|noon|midday|midnight)"
)
_TIME_AND_DAY = re.compile(
    r"(?:at\s+)?(\d{1,2}(?:[:.]\d\d){1,2}(?:\s*[ap]\.?m\.?)?|\d{1,2}\s*[ap]\.?m\.?|noon|midday|midnight)"
    r",?\s+(.+)"
)
_WEEKDAY = re.compile(rf"(?:on\s+)?(?:(next|this|coming)\s+)?({'|'.join(DAYS)})")
_MONTH = "|".join(MONTHS)
_DATE = re.compile(
    rf"(?:on\s+)?(?:(?P<iso>\d{{4}}-\d\d-\d\d)"
    rf"|(?P<month>{_MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year>\d{{4}}))?"
    rf"|(?P<day2>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+(?:of\s+)?(?P<month2>{_MONTH})\.?(?:,?\s+(?P<year2>\d{{4}}))?)"
)


def read_when(text: str, now: datetime) -> datetime:
    """Give the moment ``text`` means at ``now``, in UTC; raises InvalidInputError."""
    if len(text) > MAX_LENGTH:
        raise _wrong(f"has more than {MAX_LENGTH} characters")
    words = " ".join(text.split())
    if not words:
        raise _wrong("is empty")
    if not words.isascii():
        raise _wrong("is not understood")
    try:
        moment = _iso(words) or _worded(words, now)
    except OverflowError:
        raise _wrong("is not a moment that exists") from None
    return check_when(moment, now)


def check_when(moment: datetime, now: datetime) -> datetime:
    """Give a moment in UTC if mail may be scheduled for it; raises InvalidInputError."""
    if moment.tzinfo is None:
        raise _wrong("has no offset")
    try:
        moment = as_utc(moment)
    except ValueError:
        raise _wrong("is not a moment that exists") from None
    if moment > now + MOST_AHEAD:
        raise InvalidInputError(
            f"{FIELD}: {moment:%Y-%m-%dT%H:%MZ} is more than {MOST_AHEAD.days} days ahead;"
            " give an earlier moment",
            field=FIELD,
        )
    if moment < now - JUST_PASSED:
        raise InvalidInputError(
            f"{FIELD}: {moment:%Y-%m-%dT%H:%MZ} has passed; give a later moment, or leave it out to"
            " send now",
            field=FIELD,
        )
    return moment


def _iso(text: str) -> datetime | None:
    spaced = _SPACED_ISO.fullmatch(text)
    if spaced:
        text = f"{spaced[1]}T{spaced[2]}{spaced[3]}"
    if not _ISO.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise _wrong("is not a moment that exists") from None


def _worded(given: str, now: datetime) -> datetime:
    """Read words in any case, with or without a zone at their end."""
    words = given.lower()
    if words == "now":
        return now
    found = _without_zone(words, now, UTC)
    if found is None and (zoned := _ZONE.fullmatch(words)) is not None:
        place = 2 if zoned[2] else 3
        zone = _zone(zoned[place], given[slice(*zoned.span(place))])
        found = _without_zone(zoned[1].strip(), now, zone) if zone is not None else None
    if found is None:
        raise _wrong("is not understood")
    return found


def _without_zone(words: str, now: datetime, zone: tzinfo) -> datetime | None:
    local = now.astimezone(zone)
    readers: tuple[Callable[[str, datetime], datetime | None], ...] = (_span, _time_only, _day)
    try:
        return next((found for read in readers if (found := read(words, local)) is not None), None)
    except (ValueError, OverflowError):
        raise _wrong("is not a moment that exists") from None


def _span(words: str, local: datetime) -> datetime | None:
    """Read "in 1 hour and 30 minutes", "2 days from now"."""
    named = _IN.fullmatch(words)
    span = (named[1] or named[2]).strip() if named else ""
    span = {"half an hour": "30 min", "an hour and a half": "90 min"}.get(span, span)
    if not _SPAN.fullmatch(span):
        return None
    seconds = sum(
        (NUMBERS[n] if n in NUMBERS else float(n)) * UNITS[unit] for n, unit in _ONE.findall(span)
    )
    return local.astimezone(UTC) + timedelta(seconds=seconds)


def _time_only(words: str, local: datetime) -> datetime | None:
    """Read "at 3pm", "15:30", "noon": today, or tomorrow when it has passed."""
    bare = words.removeprefix("at ").strip()
    if bare.isdigit() and bare == words:
        return None  # a number alone says too little
    clock = _clock(bare)
    if clock is None:
        return None
    today = _at(local.date(), clock, local)
    return today if today > local else _at(local.date() + timedelta(days=1), clock, local)


def _day(words: str, local: datetime) -> datetime | None:
    """Read a day, alone or with a time: "tomorrow at 9am", "friday", "nov 25, 14:00"."""
    for day, clock in _splits(words):
        found = (
            _named_day(day, clock, local) or _weekday(day, clock, local) or _date(day, clock, local)
        )
        if found is not None:
            return found
    return None


def _splits(words: str) -> list[tuple[str, time]]:
    """Give the ways to read words as a day and a time of day; the day alone comes first."""
    ways = [(words, MORNING)]
    if (parted := _DAY_AND_TIME.fullmatch(words)) is not None:
        clock = _clock(parted[2].strip())
        if clock is not None:
            ways.append((parted[1].strip().rstrip(","), clock))
    if (turned := _TIME_AND_DAY.fullmatch(words)) is not None:
        clock = _clock(turned[1])
        if clock is not None:
            ways.append((turned[2], clock))
    return ways


def _named_day(day: str, clock: time, local: datetime) -> datetime | None:
    ahead = {"today": 0, "tonight": 0, "tomorrow": 1, "tmrw": 1, "day after tomorrow": 2,
             "the day after tomorrow": 2, "next week": 7}.get(day)  # fmt: skip
    if ahead is None:
        return None
    if day == "tonight" and clock == MORNING:
        clock = time(20)
    return _at(local.date() + timedelta(days=ahead), clock, local)


def _weekday(day: str, clock: time, local: datetime) -> datetime | None:
    found = _WEEKDAY.fullmatch(day)
    if found is None:
        return None
    ahead = (DAYS[found[2]] - local.weekday()) % 7
    moment = _at(local.date() + timedelta(days=ahead), clock, local)
    if ahead == 0 and (found[1] == "next" or moment <= local):
        moment = _at(local.date() + timedelta(days=7), clock, local)
    return moment


def _date(day: str, clock: time, local: datetime) -> datetime | None:
    found = _DATE.fullmatch(day)
    if found is None:
        return None
    if found["iso"]:
        return _at(date.fromisoformat(found["iso"]), clock, local)
    month = MONTHS[found["month"] or found["month2"]]
    number, year = int(found["day"] or found["day2"]), found["year"] or found["year2"]
    if year:
        return _at(date(int(year), month, number), clock, local)
    this_year = _at(date(local.year, month, number), clock, local)
    # "jan 2" said in december is next year's
    return (
        this_year
        if this_year > local - timedelta(days=180)
        else this_year.replace(year=local.year + 1)
    )


def _clock(text: str) -> time | None:
    """Read a time of day; None when it is none."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    if found[5]:
        return time(0) if found[5] == "midnight" else time(12)
    hour, half = int(found[1]), (found[4] or "").replace(".", "")
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    minute, second = int(found[2] or 0), int(found[3] or 0)
    return time(hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def _at(day: date, clock: time, local: datetime) -> datetime:
    return datetime.combine(day, clock, tzinfo=local.tzinfo)


def _zone(name: str, given: str) -> tzinfo | None:
    """Find a zone by its short name, its offset or its region, ``given`` as it was written."""
    if name in OFFSETS:
        return timezone(timedelta(hours=OFFSETS[name]))
    if (offset := _OFFSET.fullmatch(name)) is not None:
        sign = -1 if offset[1] == "-" else 1
        span = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return timezone(sign * span) if span < timedelta(hours=24) else None
    region = REGIONS.get(name, name)
    if "/" not in region:
        return None
    return _region(given) or _region("/".join(_capitals(part) for part in region.split("/")))


def _region(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _capitals(part: str) -> str:
    """Write a part of a region as most zone files do: Los_Angeles; Port-au-Prince is otherwise."""
    return "_".join(word.capitalize() for word in part.split("_"))


def _wrong(what: str) -> InvalidInputError:
    return InvalidInputError(f"{FIELD}: {what}; {FORMS}", field=FIELD)
