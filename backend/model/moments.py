"""Moments as people and programs write them, kept within what can be stored and shown. No I/O."""

from __future__ import annotations

from datetime import UTC, datetime

# with years to spare at both ends: moments are moved by zones and by spans of days
FIRST = datetime(1900, 1, 1, tzinfo=UTC)
LAST = datetime(9000, 1, 1, tzinfo=UTC)


def as_utc(moment: datetime) -> datetime:
    """Give a moment in UTC, one without a zone as UTC; raises ValueError outside 1900 to 9000."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    # compared before it is converted: the ends of the calendar have no other zones
    if not FIRST <= aware < LAST:
        raise ValueError("the moment lies outside the years 1900 to 9000")
    return aware.astimezone(UTC)
