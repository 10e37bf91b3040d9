"""All tables, in the order of a message's way. Every row but tenants and roles has a tenant.

Ids are text and sort by time. Moments are milliseconds (Millis). Tenant "" means: no tenant known.
A change here needs a migration in migrations/versions/; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from backend.store import (
    schema_arrivals,
    schema_auto_responses,
    schema_compliance,
    schema_jobs,
    schema_limits,
    schema_log,
    schema_screening,
    schema_sending,
    schema_suppressions,
    schema_templates,
    schema_webhooks,
)
from backend.store.metadata import metadata
from backend.store.schema_threads import threads
from backend.store.types import Millis

# tables in modules of their own
__all__ = [
    "metadata",
    "schema_arrivals",
    "schema_auto_responses",
    "schema_compliance",
    "schema_jobs",
    "schema_limits",
    "schema_log",
    "schema_screening",
    "schema_sending",
    "schema_suppressions",
    "schema_templates",
    "schema_webhooks",
    "threads",
]

tenants = Table(
    "tenants",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("created_at", Millis, nullable=False),
)

domains = Table(
    "domains",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False, index=True),
    Column("name", String, nullable=False, unique=True),
    Column("status", String, nullable=False),
    Column("inbound_enabled", Boolean, nullable=False),
    Column("dkim_tokens", JSON, nullable=False),
    # SigningHostedZone of SES: it varies by region and cell, so it is kept
    Column("signing_zone", String, nullable=False, default=""),
    Column("mail_from", String, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("checked_at", Millis),
    # what becomes of mail it receives: docs/routing.md
    Column("ticket_from", JSON, nullable=False, default=lambda: ["support"]),
    Column("reply_prefix", String, nullable=False, default="ticket"),
    Column("catch_all", String, nullable=False, default="unrouted"),
    # null: off, with the words of model/auto_response.py
    Column("auto_response", JSON),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("last4", String, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis),
    Column("revoked_at", Millis),
    Column("last_used_at", Millis),
    # the domains it may send from; none means every one of its tenant
    Column("domains", JSON),
    Column("any_tenant", Boolean, nullable=False, default=False, server_default=false()),
    Column("replaced_by", String),
)

emails = Table(
    "emails",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False),
    Column("thread_id", String, nullable=False, index=True),
    Column("sender", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("status", String, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("scheduled_at", Millis),
    Column("sent_at", Millis),
    Column("ses_message_id", String, unique=True),
    Column("error", Text, nullable=False, default=""),
    # where replies come back to, when the domain can receive and a secret is set
    Column("reply_token", String, nullable=False, default=""),
    Column("reply_address", String, nullable=False, default=""),
    Column("attachments", Integer, nullable=False, server_default="0"),
    # the id of the template it was made of
    Column("template", String),
    # sent again though SES may have had it
    Column("possible_duplicate", Boolean, nullable=False, default=False, server_default=false()),
    Index(None, "tenant_id", "id"),
    # log order, whichever way it is narrowed down (store/log_walk.py)
    Index(None, "created_at", "id"),
    Index(None, "status", "created_at", "id"),
    Index(None, "tenant_id", "created_at", "id"),
    Index(None, "tenant_id", "status", "created_at", "id"),
)

email_bodies = Table(
    "email_bodies",
    metadata,
    Column("email_id", ForeignKey("emails.id"), primary_key=True),
    Column("draft", LargeBinary, nullable=False),
)

recipients = Table(
    "recipients",
    metadata,
    Column("email_id", ForeignKey("emails.id"), primary_key=True),
    Column("address", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("status", String, nullable=False),
    Column("updated_at", Millis, nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Index(None, "address"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", String, primary_key=True),
    Column("email_id", ForeignKey("emails.id"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("started_at", Millis, nullable=False),
    Column("finished_at", Millis),
    Column("ses_message_id", String, index=True),
    Column("error", Text, nullable=False, default=""),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("tenant_id", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("body_hash", String, nullable=False),
    Column("answer", JSON, nullable=False),
    Column("created_at", Millis, nullable=False, index=True),
)

events = Table(
    "events",
    metadata,
    Column("id", String, primary_key=True),
    # one row per recipient and fact: a repeated delivery or a repeated event hits one of the two
    Column("source_id", String, nullable=False),
    Column("fact_key", String, nullable=False, unique=True),
    Column("tenant_id", String, nullable=False, default=""),
    Column("email_id", String, index=True),
    Column("ses_message_id", String, nullable=False, index=True),
    Column("attempt_id", String),
    Column("kind", String, nullable=False),
    Column("recipient", String, nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Column("occurred_at", Millis, nullable=False),
    Column("received_at", Millis, nullable=False),
    UniqueConstraint("source_id", "recipient"),
    Index(None, "received_at"),
)

inbound = Table(
    "inbound",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, nullable=False, default=""),
    Column("source", String, nullable=False),
    # one row per stored object and envelope recipient, however often it is announced
    Column("blob_key", String, nullable=False),
    Column("recipient", String, nullable=False),
    Column("envelope_from", String, nullable=False, default=""),
    Column("verdicts", JSON, nullable=False),
    Column("size", Integer, nullable=False, default=0),
    Column("status", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("received_at", Millis, nullable=False),
    Column("processed_at", Millis),
    Column("message_id", String, nullable=False, default=""),
    Column("from_address", String, nullable=False, default=""),
    Column("from_name", Text, nullable=False, default=""),
    Column("subject", Text, nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),
    Column("reply_text", Text, nullable=False, default=""),
    Column("reply_match_status", String, nullable=False, default="none"),
    Column("reply_to_email_id", String, index=True),
    Column("thread_id", String, index=True),
    Column("contact_id", String),
    # MatchFlag values
    Column("match_flags", JSON, nullable=False, default=list),
    Column("kind", String, nullable=False, default="human"),
    Column("target", String),
    Column("action", String),
    Column("ref", String),
    Column("external_id", String, nullable=False, default=""),
    # of what makes a mail the same mail whichever way it came (inbound/fingerprint.py)
    Column("content_sha256", String, nullable=False, default=""),
    # recipient, Message-ID and content in one; null when the mail has no Message-ID
    Column("content_key", String, unique=True),
    Column("tags", JSON, nullable=False, default=list),
    Column("fields", JSON, nullable=False, default=dict),
    # what people decided about it (store/by_hand.py); null for most
    Column("by_hand", JSON(none_as_null=True)),
    UniqueConstraint("blob_key", "recipient"),
    Index(None, "tenant_id", "id"),
    Index(None, "status", "id"),
    Index(None, "message_id"),
    Index(None, "received_at", "id"),
    Index(None, "status", "received_at", "id"),
    Index(None, "tenant_id", "received_at", "id"),
    Index(None, "tenant_id", "status", "received_at", "id"),
    Index(None, "reason", "received_at"),
)

rules = Table(
    "rules",
    metadata,
    Column("id", String, primary_key=True),
    # "" stands for every tenant
    Column("tenant_id", String, nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("position", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("stop", Boolean, nullable=False),
    Column("override", Boolean, nullable=False),
    Column("conditions", JSON, nullable=False),
    Column("outcome", JSON, nullable=False),
    Column("extraction", JSON, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("created_by", String, nullable=False, default=""),
    UniqueConstraint("tenant_id", "name"),
)

explanation_steps = Table(
    "explanation_steps",
    metadata,
    Column("inbound_id", ForeignKey("inbound.id"), primary_key=True),
    Column("run", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("stage", String, nullable=False),
    Column("finding", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("at", Millis, nullable=False),
)

inbound_attachments = Table(
    "inbound_attachments",
    metadata,
    Column("inbound_id", ForeignKey("inbound.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("content_type", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", String, nullable=False),
    Column("inline", Boolean, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String, primary_key=True),
    Column("inbound_id", ForeignKey("inbound.id"), nullable=False, index=True),
    Column("target", String, nullable=False),
    Column("action", String, nullable=False),
    Column("ref", String, nullable=False, default=""),
    Column("idempotency_key", String, nullable=False, unique=True),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("external_id", String, nullable=False, default=""),
    Column("error", Text, nullable=False, default=""),
    Column("created_at", Millis, nullable=False),
    Column("updated_at", Millis, nullable=False),
)

bus_outbox = Table(
    "bus_outbox",
    metadata,
    Column("id", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("tenant_id", String, nullable=False),
    Column("data", JSON, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("published_at", Millis),
)

counters = Table(
    "counters",
    metadata,
    Column("tenant_id", String, primary_key=True),
    Column("minute", Millis, primary_key=True),
    Column("name", String, primary_key=True),
    Column("n", Integer, nullable=False),
    Index(None, "minute"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", String, primary_key=True),
    Column("at", Millis, nullable=False),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("tenant_id", String, nullable=False, default=""),
    Column("subject", String, nullable=False),
    Column("detail", JSON, nullable=False),
)

work_items = Table(
    "work_items",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("run_at", Millis, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("lease_owner", String, index=True),
    Column("lease_until", Millis),
    Column("fence", Integer, nullable=False, default=0),
    Column("dead", Boolean, nullable=False, default=False),
    # asked for once more while a worker holds it
    Column("again", Boolean, nullable=False, default=False),
    Column("error", Text, nullable=False, default=""),
    Column("created_at", Millis, nullable=False),
    UniqueConstraint("kind", "ref"),
    Index(None, "kind", "dead", "run_at"),
)

roles = Table(
    "roles",
    metadata,
    Column("name", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("lease_until", Millis, nullable=False),
    Column("fence", Integer, nullable=False, default=0),
)

pace = Table(
    "pace",
    metadata,
    # the moment from which the next mail may be sent, shared by all processes
    Column("name", String, primary_key=True),
    Column("next_at", Millis, nullable=False),
)

account_state = Table(
    "account_state",
    metadata,
    Column("name", String, primary_key=True),
    Column("data", JSON, nullable=False),
    Column("fetched_at", Millis, nullable=False),
)
