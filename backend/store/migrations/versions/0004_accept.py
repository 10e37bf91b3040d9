"""Rate limits of tenants and keys, with what they have used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.store.types import Millis

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the rate windows."""
    op.create_table(
        "send_limits",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("per_second", sa.Integer(), nullable=True),
        sa.Column("per_minute", sa.Integer(), nullable=True),
        sa.Column("per_hour", sa.Integer(), nullable=True),
        sa.Column("per_day", sa.Integer(), nullable=True),
        sa.Column("used", sa.JSON(), nullable=False),
        sa.Column("updated_at", Millis(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key_id", name=op.f("pk_send_limits")),
    )
