"""Quarantine by hand: what was waived, released, rerouted or discarded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the quarantine desk keeps."""
    op.add_column("inbound", sa.Column("by_hand", sa.JSON(), nullable=True))
