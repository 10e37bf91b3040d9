"""Rotation and restriction of API keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add which domains a key may send from, whether it acts for all, and what replaced it."""
    op.add_column("api_keys", sa.Column("domains", sa.JSON()))
    op.add_column(
        "api_keys",
        sa.Column("any_tenant", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("api_keys", sa.Column("replaced_by", sa.String()))
