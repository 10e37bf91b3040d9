"""Webhook endpoints, their deliveries, and usage for billing."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DAY = 86_400_000  # milliseconds
BILLED = {
    "sent": "sent",
    "delivered": "delivered",
    "received": "inbound",
    "forwarded_psa": "forwarded",
    "forwarded_crm": "forwarded",
    "forwarded_portal": "forwarded",
}


def upgrade() -> None:
    """Add webhooks and usage."""
    _endpoints()
    _deliveries()
    _usage()
    _usage_so_far()


def _endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("style", sa.String(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.Text(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("previous_secret", sa.String(), nullable=False),
        sa.Column("previous_secret_until", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("last_ok_at", sa.BigInteger(), nullable=True),
        sa.Column("last_failed_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("alerted", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    _index("webhook_endpoints", "tenant_id")


def _deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("endpoint_id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
            name=op.f("fk_webhook_deliveries_endpoint_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint(
            "endpoint_id", "event_id", name=op.f("uq_webhook_deliveries_endpoint_id_event_id")
        ),
    )
    _index("webhook_deliveries", "endpoint_id", "id")
    _index("webhook_deliveries", "endpoint_id", "state")
    _index("webhook_deliveries", "tenant_id", "id")
    _index("webhook_deliveries", "created_at")
    op.create_table(
        "webhook_tries",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["webhook_deliveries.id"], name=op.f("fk_webhook_tries_delivery_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_tries")),
    )
    _index("webhook_tries", "delivery_id")


def _usage() -> None:
    op.create_table(
        "usage_days",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "day", "kind", name=op.f("pk_usage_days")),
    )
    _index("usage_days", "day")
    op.create_table(
        "usage_posts",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "day", "revision", name=op.f("pk_usage_posts")),
    )
    _index("usage_posts", "day")


def _usage_so_far() -> None:
    """Take what was counted until now over from the counters of minutes."""
    connection = op.get_bind()
    minutes = sa.table("counters", *map(sa.column, ("tenant_id", "minute", "name", "n")))
    day = minutes.c.minute - minutes.c.minute % DAY
    rows = (
        sa.select(
            minutes.c.tenant_id,
            sa.func.min(minutes.c.minute),
            minutes.c.name,
            sa.func.sum(minutes.c.n),
        )
        .where(minutes.c.name.in_(list(BILLED)))
        .group_by(minutes.c.tenant_id, day, minutes.c.name)
    )
    sums: dict[tuple[str, str, str], int] = {}
    for tenant_id, minute, name, n in connection.execute(rows):
        key = (tenant_id, _date(int(minute)), BILLED[name])
        sums[key] = sums.get(key, 0) + int(n)
    target = sa.table("usage_days", *map(sa.column, ("tenant_id", "day", "kind", "n")))
    if sums:
        values = [
            {"tenant_id": tenant, "day": day, "kind": kind, "n": n}
            for (tenant, day, kind), n in sums.items()
        ]
        connection.execute(sa.insert(target), values)


def _date(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, tz=UTC).date().isoformat()


def _index(table: str, *columns: str) -> None:
    name = f"ix_{table}_{'_'.join(columns)}"
    op.create_index(op.f(name), table, list(columns), unique=False)
