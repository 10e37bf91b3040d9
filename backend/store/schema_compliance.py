"""The tables of compliance: what AWS rates us by, a tenant's brake, and alerts."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from backend.store.metadata import metadata
from backend.store.types import Millis

reputation_days = Table(
    "reputation_days",
    metadata,
    Column("tenant_id", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("hard_bounces", Integer, nullable=False),
    Column("complaints", Integer, nullable=False),
    # recipients at the simulator of SES, which count for nothing
    Column("simulated", Integer, nullable=False),
)

brakes = Table(
    "brakes",
    metadata,
    Column("tenant_id", String, primary_key=True),
    # "" when a person has lifted it: the watch leaves the tenant alone for a day then
    Column("reason", Text, nullable=False),
    Column("since", Millis, nullable=False),
    Column("actor", String, nullable=False),
    # set by the watch itself: it is told apart from one a person set
    Column("automatic", Boolean, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", String, primary_key=True),
    # what it is about: one alert of a kind and subject is open at a time
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("level", String, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("raised_at", Millis, nullable=False),
    Column("cleared_at", Millis),
    Index(None, "cleared_at", "raised_at"),
)
