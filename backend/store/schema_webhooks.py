"""The tables of webhooks and of usage."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from backend.store.metadata import metadata
from backend.store.types import Millis

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("style", String, nullable=False),
    Column("description", Text, nullable=False, default=""),
    # empty: every event
    Column("events", JSON, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", Text, nullable=False, default=""),
    # sealed (backend/sealing.py), for signing needs them in clear; the previous one signs beside
    # the newest until its time is over
    Column("secret", String, nullable=False),
    Column("previous_secret", String, nullable=False, default=""),
    Column("previous_secret_until", Millis),
    Column("failures", Integer, nullable=False, default=0),
    Column("failing_since", Millis),
    Column("last_ok_at", Millis),
    Column("last_failed_at", Millis),
    Column("last_error", Text, nullable=False, default=""),
    Column("alerted", Boolean, nullable=False, default=False),
    Column("created_at", Millis, nullable=False),
    Column("updated_at", Millis, nullable=False),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", String, primary_key=True),
    Column("endpoint_id", ForeignKey("webhook_endpoints.id"), nullable=False),
    Column("tenant_id", String, nullable=False),
    Column("event_id", String, nullable=False),
    Column("type", String, nullable=False),
    # the very bytes that are signed and posted
    Column("body", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("created_at", Millis, nullable=False),
    Column("next_at", Millis),
    Column("done_at", Millis),
    Column("status", Integer, nullable=False, default=0),
    Column("response", Text, nullable=False, default=""),
    Column("error", Text, nullable=False, default=""),
    # an event goes to an endpoint once, however often it is fanned out
    UniqueConstraint("endpoint_id", "event_id"),
    Index(None, "endpoint_id", "id"),
    Index(None, "endpoint_id", "state"),
    Index(None, "tenant_id", "id"),
    Index(None, "created_at"),
)

webhook_tries = Table(
    "webhook_tries",
    metadata,
    Column("id", String, primary_key=True),
    Column("delivery_id", ForeignKey("webhook_deliveries.id"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("at", Millis, nullable=False),
    Column("status", Integer, nullable=False, default=0),
    Column("response", Text, nullable=False, default=""),
    Column("error", Text, nullable=False, default=""),
    Column("milliseconds", Integer, nullable=False, default=0),
)

usage_days = Table(
    "usage_days",
    metadata,
    Column("tenant_id", String, primary_key=True),
    # YYYY-MM-DD in UTC
    Column("day", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("n", Integer, nullable=False),
    Index(None, "day"),
)

usage_posts = Table(
    "usage_posts",
    metadata,
    Column("tenant_id", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("counts", JSON, nullable=False),
    Column("made_at", Millis, nullable=False),
    # null until Books took it
    Column("taken_at", Millis),
    Column("error", Text, nullable=False, default=""),
    Index(None, "day"),
)
