"""Automatic answers to new tickets: what a domain answers, and what was answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the setting of domains and the table of answers."""
    op.add_column("domains", sa.Column("auto_response", sa.JSON(), nullable=True))
    op.create_table(
        "auto_responses",
        sa.Column("inbound_id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("thread_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("draft", sa.JSON(), nullable=False),
        sa.Column("email_id", sa.String(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inbound_id"],
            ["inbound.id"],
            name=op.f("fk_auto_responses_inbound_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("inbound_id", name=op.f("pk_auto_responses")),
    )
    op.create_index(
        op.f("ix_auto_responses_tenant_id_recipient_created_at"),
        "auto_responses",
        ["tenant_id", "recipient", "created_at"],
    )
    op.create_index(op.f("ix_auto_responses_thread_id"), "auto_responses", ["thread_id"])
