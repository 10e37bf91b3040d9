"""The table of automatic answers: what each mail that opened a ticket was answered."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table, Text

from backend.store.metadata import metadata
from backend.store.types import Millis

auto_responses = Table(
    "auto_responses",
    metadata,
    Column("inbound_id", ForeignKey("inbound.id", ondelete="CASCADE"), primary_key=True),
    Column("tenant_id", String, nullable=False),
    # lower case
    Column("recipient", String, nullable=False),
    Column("thread_id", String, nullable=False),
    Column("created_at", Millis, nullable=False),
    # sender, recipient as written, subject, text, headers, tags
    Column("draft", JSON, nullable=False),
    Column("email_id", String, nullable=False, default=""),
    Column("error", Text, nullable=False, default=""),
    Index(None, "tenant_id", "recipient", "created_at"),
    Index(None, "thread_id"),
)
