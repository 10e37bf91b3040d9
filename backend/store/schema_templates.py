"""The tables of templates: each with all its versions, and each tenant's switch."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from backend.store.metadata import metadata
from backend.store.types import Millis

templates = Table(
    "templates",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("alias", String),
    Column("latest", Integer, nullable=False),
    Column("published", Integer),
    Column("published_at", Millis),
    Column("created_at", Millis, nullable=False),
    Column("updated_at", Millis, nullable=False),
    UniqueConstraint("tenant_id", "name"),
    UniqueConstraint("tenant_id", "alias"),
)

template_versions = Table(
    "template_versions",
    metadata,
    Column("template_id", ForeignKey("templates.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("html", Text),
    Column("text", Text),
    Column("sender", String, nullable=False),
    Column("reply_to", JSON, nullable=False),
    Column("variables", JSON, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("created_by", String, nullable=False),
)

template_settings = Table(
    "template_settings",
    metadata,
    Column("tenant_id", ForeignKey("tenants.id"), primary_key=True),
    Column("leave_missing", Boolean, nullable=False),
)
