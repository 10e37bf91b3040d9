"""Column types shared by all tables, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Dialect
from sqlalchemy.types import TypeDecorator

Tx = Connection
"""An open transaction; every function of the store takes one and never commits it."""


class Millis(TypeDecorator[datetime]):
    """An aware UTC datetime kept as whole milliseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn a datetime into milliseconds."""
        return None if value is None else to_millis(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Turn milliseconds into a datetime."""
        return None if value is None else datetime.fromtimestamp(value / 1000, tz=UTC)


@lru_cache(maxsize=1024)  # a mail bears one moment in a dozen columns
def to_millis(value: datetime) -> int:
    """Give whole milliseconds since 1970; raises ValueError for what could not be read back."""
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone; take the moment from a Clock")
    millis = round(value.timestamp() * 1000)
    if not _FIRST <= millis <= _LAST:
        raise ValueError(f"{value} lies outside the years 1 to 9999 in UTC")
    return millis


_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_000
