"""The tables of the log: what changed lately, the search index, and the figures of whole days."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text

from backend.store.metadata import metadata
from backend.store.types import Millis

_BIG = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER is SQLite's own row number

log_changes = Table(
    "log_changes",
    metadata,
    # one row whenever a mail comes or its line in the log changes; the indexer and those who
    # follow the log read it in this order; old rows are dropped
    Column("seq", _BIG, primary_key=True, autoincrement=True),
    Column("mail_id", String, nullable=False),
    # whether the search index holds what this row told of
    Column("indexed", Boolean, nullable=False),
    Index(None, "indexed", "seq"),
)

daily_counters = Table(
    "daily_counters",
    metadata,
    # the minutes of ``counters`` summed up, for days that are over; ``day`` is its midnight, UTC
    Column("day", Millis, primary_key=True),
    Column("tenant_id", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("n", Integer, nullable=False),
)

daily_outcomes = Table(
    "daily_outcomes",
    metadata,
    # what became of the recipients of the mail accepted on a day, by the tag ``product``
    Column("day", Millis, primary_key=True),
    Column("tenant_id", String, primary_key=True),
    Column("product", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("n", Integer, nullable=False),
)

daily_marks = Table(
    "daily_marks",
    metadata,
    # which days have been summed up, and when
    Column("day", Millis, primary_key=True, autoincrement=False),
    Column("counted_at", Millis, nullable=False),
)

# Not of ``metadata``: on SQLite a virtual table (FTS5, trigram), which Alembic cannot compare.
log_search = Table(
    "log_search",
    MetaData(),
    # milliseconds of the mail times SLOTS, plus a free place: so the index is in log order
    Column("rowid", BigInteger, primary_key=True),
    Column("id", String),
    # sender, recipients, subject and tags in lower case, one a line (store/log_index.py)
    Column("words", Text),
)
SLOTS = 4096
"""Places per millisecond."""
