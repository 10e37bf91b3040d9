"""The tables of bulk jobs and of retention."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from backend.store.metadata import metadata
from backend.store.types import Millis

jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    # null: of no one tenant
    Column("tenant_id", String),
    Column("actor", String, nullable=False),
    Column("state", String, nullable=False),
    Column("params", JSON, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("started_at", Millis),
    Column("finished_at", Millis),
    Column("total", Integer),
    Column("done", Integer, nullable=False, default=0),
    Column("changed", Integer, nullable=False, default=0),
    Column("refused", Integer, nullable=False, default=0),
    Column("failed", Integer, nullable=False, default=0),
    Column("cursor", Text, nullable=False, default=""),
    # a person asked for it to stop
    Column("cancelling", Boolean, nullable=False, default=False),
    Column("error", Text, nullable=False, default=""),
    Index(None, "finished_at"),
)

job_lines = Table(
    "job_lines",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("ref", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("sentence", Text, nullable=False, default=""),
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
    Index(None, "job_id", "outcome", "position"),
)

inbound_gone = Table(
    "inbound_gone",
    metadata,
    # what retention deleted: neither the sweeper nor a late notice may take it in again
    Column("blob_key", String, primary_key=True),
    Column("recipient", String, primary_key=True),
    Column("inbound_id", String, nullable=False),
    Column("gone_at", Millis, nullable=False),
    # the raw mail is still to be deleted from the blob store
    Column("raw_waits", Boolean, nullable=False),
    Index(None, "gone_at"),
    Index(None, "raw_waits"),
)
