"""The desk's own tables, in its own SQLite file; they are no part of Relay's schema."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from backend.store.types import Millis

metadata = MetaData()

tickets = Table(
    "tickets",
    metadata,
    Column("id", String, primary_key=True),
    Column("serial", Integer, nullable=False, unique=True),
    Column("number", String, nullable=False, unique=True),
    Column("tenant_id", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("sender", String, nullable=False),
    Column("priority", String, nullable=False),
    Column("queue", String, nullable=False, default=""),
    Column("fields", JSON, nullable=False, default=dict),
    Column("tags", JSON, nullable=False, default=list),
    Column("attachments", JSON, nullable=False, default=list),
    Column("status", String, nullable=False),
    Column("sla_due_at", Millis, nullable=False),
    Column("created_at", Millis, nullable=False),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", String, primary_key=True),
    Column("address", String, nullable=False),
)

# notes and replies of tickets, activities of contacts
entries = Table(
    "entries",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("parent_id", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("sender", String, nullable=False),
    Column("message_id", String, nullable=False),
    Column("fields", JSON, nullable=False, default=dict),
    Column("attachments", JSON, nullable=False, default=list),
    Column("created_at", Millis, nullable=False),
    Index("ix_entries_kind_parent_id", "kind", "parent_id"),
)

# the content of attachments, each kept once
files = Table(
    "files",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

# every call that made something, once, whatever came of its answer
received = Table(
    "received",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("at", Millis, nullable=False),
    Column("target", String, nullable=False),
    Column("path", String, nullable=False),
    Column("idempotency_key", String, nullable=False, unique=True),
    Column("body_hash", String, nullable=False),
    Column("answer", JSON, nullable=False),
    Column("body", JSON, nullable=False),
    Column("message_id", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("external_id", String, nullable=False),
    Column("repeats", Integer, nullable=False, default=0),
)

# what Books was told: one row a key; of a tenant's day the newest revision is current
statements = Table(
    "statements",
    metadata,
    Column("idempotency_key", String, primary_key=True),
    Column("body_hash", String, nullable=False),
    Column("tenant_id", String, nullable=False),
    Column("tenant", String, nullable=False),
    Column("day", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("current", Boolean, nullable=False),
    Column("repeats", Integer, nullable=False),
    Index("ix_statements_tenant_id_day", "tenant_id", "day"),
)
