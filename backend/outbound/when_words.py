"""The words backend/outbound/when.py knows: units, days, months, numbers, zones. Pure."""

from __future__ import annotations


def _spelt(words: dict[str, int]) -> dict[str, int]:
    """Give words by every spelling, the longest first, as a pattern must try them."""
    every = {one: value for spelling, value in words.items() for one in spelling.split()}
    return dict(sorted(every.items(), key=lambda item: -len(item[0])))


UNITS = _spelt(
    {
        "s sec secs second seconds": 1,
        "m min mins minute minutes": 60,
        "h hr hrs hour hours": 3600,
        "d day days": 86_400,
        "w wk wks week weeks": 604_800,
    }
)
"""Seconds of each unit."""

DAYS = _spelt(
    {
        "mon monday": 0,
        "tue tues tuesday": 1,
        "wed weds wednesday": 2,
        "thu thur thurs thursday": 3,
        "fri friday": 4,
        "sat saturday": 5,
        "sun sunday": 6,
    }
)
"""Weekdays as ``date.weekday`` counts them."""

MONTHS = _spelt(
    {
        "jan january": 1,
        "feb february": 2,
        "mar march": 3,
        "apr april": 4,
        "may": 5,
        "jun june": 6,
        "jul july": 7,
        "aug august": 8,
        "sep sept september": 9,
        "oct october": 10,
        "nov november": 11,
        "dec december": 12,
    }
)

NUMBERS = _spelt(
    {
        "a an one": 1,
        "two": 2,
        "three": 3,
        "four": 4,
        "five": 5,
        "six": 6,
        "seven": 7,
        "eight": 8,
        "nine": 9,
        "ten": 10,
        "eleven": 11,
        "twelve": 12,
        "fifteen": 15,
        "twenty": 20,
        "thirty": 30,
    }
)

OFFSETS = {
    "z": 0, "utc": 0, "gmt": 0, "wet": 0, "bst": 1, "cet": 1, "west": 1, "cest": 2, "eet": 2,
    "eest": 3, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8,
    "pdt": -7, "akst": -9, "akdt": -8, "hst": -10, "jst": 9, "aest": 10, "aedt": 11, "awst": 8,
    "nzst": 12, "nzdt": 13,
}  # fmt: skip
"""Hours east of UTC of zones whose name says whether it is summer."""

REGIONS = {
    "et": "america/new_york",
    "ct": "america/chicago",
    "mt": "america/denver",
    "pt": "america/los_angeles",
}
"""Zones whose name leaves that open."""
