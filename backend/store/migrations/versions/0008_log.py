"""Indexes in log order, the search index, changes to follow, the figures of whole days."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the log quick at any size."""
    _order("emails", "created_at")
    _order("inbound", "received_at")
    op.drop_index(op.f("ix_emails_status_id"), table_name="emails")
    op.create_index(op.f("ix_inbound_reason_received_at"), "inbound", ["reason", "received_at"])
    op.create_index(op.f("ix_events_received_at"), "events", ["received_at"])
    op.add_column(
        "emails", sa.Column("attachments", sa.Integer(), nullable=False, server_default="0")
    )
    _changes()
    _days()
    _search()


def _order(table: str, at: str) -> None:
    """Index a table in log order: all of it, by status, by tenant, and by both."""
    op.drop_index(op.f(f"ix_{table}_{at}"), table_name=table)
    for before in ([], ["status"], ["tenant_id"], ["tenant_id", "status"]):
        columns = [*before, at, "id"]
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)


def _changes() -> None:
    big = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "log_changes",
        sa.Column("seq", big, autoincrement=True, nullable=False),
        sa.Column("mail_id", sa.String(), nullable=False),
        sa.Column("indexed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log_changes")),
    )
    op.create_index(op.f("ix_log_changes_indexed_seq"), "log_changes", ["indexed", "seq"])


def _days() -> None:
    for name, keys in (
        ("daily_counters", ("tenant_id", "name")),
        ("daily_outcomes", ("tenant_id", "product", "name")),
    ):
        op.create_table(
            name,
            sa.Column("day", sa.BigInteger(), nullable=False),
            *(sa.Column(key, sa.String(), nullable=False) for key in keys),
            sa.Column("n", sa.Integer(), nullable=False),
            sa.PrimaryKeyConstraint("day", *keys, name=op.f(f"pk_{name}")),
        )
    op.create_table(
        "daily_marks",
        sa.Column("day", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("counted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_daily_marks")),
    )


def _search() -> None:
    """Make the search index; the indexer fills it with the mail that is there already."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE log_search USING fts5("
            "id UNINDEXED, words, tokenize='trigram', detail='none', columnsize=0)"
        )
    else:
        op.create_table(
            "log_search",
            sa.Column("rowid", sa.BigInteger(), autoincrement=False, primary_key=True),
            sa.Column("id", sa.String()),
            sa.Column("words", sa.Text()),
        )
    for table, at in (("emails", "created_at"), ("inbound", "received_at")):
        op.execute(
            sa.text(
                "INSERT INTO log_changes (mail_id, indexed)"  # noqa: S608  # names from this file
                f" SELECT id, false FROM {table} ORDER BY {at}, id"
            )
        )
