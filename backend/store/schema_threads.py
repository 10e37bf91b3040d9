"""The tables of conversations: threads, who takes part, further Message-IDs, known contacts."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from backend.store.metadata import metadata
from backend.store.types import Millis

threads = Table(
    "threads",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False, index=True),
    Column("subject", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    # the target a matched reply follows when its address names none
    Column("target", String),
    Column("action", String),
    Column("ref", String),
    # what the answers of the target told of its ticket; upper case, as subjects are compared
    Column("ticket_number", String, nullable=False, default=""),
    Column("ticket_status", String, nullable=False, default="open"),
    # the ref of the ticket it was merged into
    Column("merged_into", String, nullable=False, default=""),
    Index(None, "tenant_id", "ref"),
    Index(None, "tenant_id", "ticket_number"),
)

participants = Table(
    "participants",
    metadata,
    Column("thread_id", ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True),
    # lower case
    Column("address", String, primary_key=True),
)

message_aliases = Table(
    "message_aliases",
    metadata,
    # Message-IDs that stand for a conversation beside those SES gave and those received:
    # mail sent another way, and what was attached by hand
    Column("tenant_id", ForeignKey("tenants.id"), primary_key=True),
    Column("message_id", String, primary_key=True),
    Column("thread_id", ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True),
    Column("email_id", String),
    Index(None, "thread_id"),
    Index(None, "message_id"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("tenant_id", ForeignKey("tenants.id"), primary_key=True),
    # lower case
    Column("address", String, primary_key=True),
    # the id the target knows the person by
    Column("contact_id", String, nullable=False),
    Column("updated_at", Millis, nullable=False),
)
