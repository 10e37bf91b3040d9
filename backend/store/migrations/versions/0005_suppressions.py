"""Suppressions by domain and for all tenants, imports and the drift from SES."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the list anew, with its entries, and add what imports and the sync keep."""
    op.execute("CREATE TABLE suppressions_before AS SELECT * FROM suppressions")
    # a table, not columns: an entry for all tenants has no tenant to refer to
    op.drop_table("suppressions")
    _suppressions()
    op.execute(
        "INSERT INTO suppressions (id, tenant_id, address, reason, state, detail, note,"
        " source_email_id, source_event_id, spelling, created_by, created_at)"
        " SELECT id, tenant_id, address, reason, 'active', detail, '',"
        " source_email_id, '', '', created_by, created_at FROM suppressions_before"
    )
    op.drop_table("suppressions_before")
    _imports()
    _ses()


def _suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("source_email_id", sa.String(), nullable=True),
        sa.Column("source_event_id", sa.String(), nullable=False),
        sa.Column("import_id", sa.String(), nullable=True),
        sa.Column("spelling", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
        sa.UniqueConstraint("address", "tenant_id", name=op.f("uq_suppressions_address_tenant_id")),
    )
    op.create_index(op.f("ix_suppressions_tenant_id_id"), "suppressions", ["tenant_id", "id"])
    op.create_index(op.f("ix_suppressions_import_id"), "suppressions", ["import_id"])
    waits = sa.text("state = 'review'")
    op.create_index(
        "ix_suppressions_review",
        "suppressions",
        ["id"],
        sqlite_where=waits,
        postgresql_where=waits,
    )


def _imports() -> None:
    op.create_table(
        "suppression_imports",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression_imports")),
    )


def _ses() -> None:
    op.create_table(
        "ses_suppressions",
        sa.Column("spelling", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("listing", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("spelling", name=op.f("pk_ses_suppressions")),
    )
    op.create_index(op.f("ix_ses_suppressions_address"), "ses_suppressions", ["address"])
    op.create_table(
        "suppression_removals",
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_suppression_removals")),
    )
