"""The tables of suppression: the list, its imports, and what SES holds on a list of its own."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint, text

from backend.store.metadata import metadata
from backend.store.types import Millis

# so few that the list of them is found at once among a million
_WAITS = text("state = 'review'")

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", String, primary_key=True),
    # "" stands for every tenant
    Column("tenant_id", String, nullable=False),
    # an address, example.com or *.example.com
    Column("address", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("state", String, nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Column("note", Text, nullable=False, default=""),
    Column("source_email_id", String),
    Column("source_event_id", String, nullable=False, default=""),
    Column("import_id", String),
    # the address in the case it was given, when that is not lower case: SES deletes by exact case
    Column("spelling", String, nullable=False, default=""),
    Column("created_by", String, nullable=False, default=""),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis),
    # the address first: one look into this index answers the check of a mail
    UniqueConstraint("address", "tenant_id"),
    Index(None, "tenant_id", "id"),
    Index(None, "import_id"),
    Index("ix_suppressions_review", "id", sqlite_where=_WAITS, postgresql_where=_WAITS),
)

suppression_imports = Table(
    "suppression_imports",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("source", Text, nullable=False),
    Column("actor", String, nullable=False),
    Column("state", String, nullable=False),
    Column("lines", Integer, nullable=False, default=0),
    Column("added", Integer, nullable=False, default=0),
    Column("duplicates", Integer, nullable=False, default=0),
    Column("faults", Integer, nullable=False, default=0),
    Column("started_at", Millis, nullable=False),
    Column("finished_at", Millis),
    Column("undone_at", Millis),
)

ses_suppressions = Table(
    "ses_suppressions",
    metadata,
    # QUIRK(SES): it keeps and deletes an address in the case it was given
    Column("spelling", String, primary_key=True),
    Column("address", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("updated_at", Millis, nullable=False),
    # the listing that named it last; one that an older listing named is gone from SES
    Column("listing", String, nullable=False),
    Index(None, "address"),
)

suppression_removals = Table(
    "suppression_removals",
    metadata,
    # what was taken off our list while SES may hold it still
    Column("address", String, primary_key=True),
    Column("removed_at", Millis, nullable=False),
)
