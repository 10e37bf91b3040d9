"""The tables of screening: sender lists, the policies of tenants, the counts of rate breakers."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, String, Table, Text, UniqueConstraint

from backend.store.metadata import metadata
from backend.store.types import Millis

sender_lists = Table(
    "sender_lists",
    metadata,
    Column("id", String, primary_key=True),
    # "" stands for every tenant
    Column("tenant_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("pattern", String, nullable=False),
    Column("note", Text, nullable=False, default=""),
    Column("created_by", String, nullable=False, default=""),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis),
    UniqueConstraint("tenant_id", "kind", "pattern"),
    Index(None, "pattern"),
)

screen_policies = Table(
    "screen_policies",
    metadata,
    # "" holds what applies to every tenant without a row of its own
    Column("tenant_id", String, primary_key=True),
    Column("data", JSON, nullable=False),
    Column("updated_at", Millis, nullable=False),
)

breaker_counts = Table(
    "breaker_counts",
    metadata,
    Column("tenant_id", String, primary_key=True),
    Column("scope", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("minute", Millis, primary_key=True),
    Column("n", Integer, nullable=False),
    Index(None, "minute"),
)
