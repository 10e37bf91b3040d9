"""The tables of the intake ledger: which announcements were seen, and what came of each."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table, Text

from backend.store.metadata import metadata
from backend.store.types import Millis

source_events = Table(
    "source_events",
    metadata,
    # who announced (an HTTP provider, an SNS topic) and the id it gave; each is acted on once
    Column("source", String, primary_key=True),
    Column("event_id", String, primary_key=True),
    Column("outcome", String, nullable=False),
    Column("inbound_ids", JSON, nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Column("metadata", JSON, nullable=False),
    Column("seen_at", Millis, nullable=False),
    Index(None, "seen_at"),
)

inbound_duplicates = Table(
    "inbound_duplicates",
    metadata,
    # another stored object that held, for this recipient, a mail we had already
    Column("blob_key", String, primary_key=True),
    Column("recipient", String, primary_key=True),
    Column("inbound_id", ForeignKey("inbound.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("source", String, nullable=False),
    Column("seen_at", Millis, nullable=False),
)
