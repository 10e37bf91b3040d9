"""The table of rate limits: what was set for a tenant or a key, and what it has used."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Integer, String, Table

from backend.store.metadata import metadata
from backend.store.types import Millis

send_limits = Table(
    "send_limits",
    metadata,
    Column("tenant_id", String, primary_key=True),
    # "" is the tenant itself
    Column("key_id", String, primary_key=True),
    # null: what the level above says
    Column("per_second", Integer),
    Column("per_minute", Integer),
    Column("per_hour", Integer),
    Column("per_day", Integer),
    # outbound/windows.py: the slices of the four windows that still count
    Column("used", JSON, nullable=False),
    Column("updated_at", Millis, nullable=False),
)
