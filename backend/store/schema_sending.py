"""The table of the account's holds: why no mail goes out at present, and when that is tried."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from backend.store.metadata import metadata
from backend.store.types import Millis

account_holds = Table(
    "account_holds",
    metadata,
    # one row while SES takes no mail of the account, none when it does
    Column("name", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Millis, nullable=False),
    Column("probe_at", Millis, nullable=False),
    Column("probes", Integer, nullable=False, default=0),
    # the one work item that may try at present
    Column("probe_item", String, nullable=False, default=""),
)
