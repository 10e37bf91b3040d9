"""What SES last said of our account (GetAccount), shared by all processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.views import AccountState
from backend.store.schema import account_state as t

if TYPE_CHECKING:
    from backend.store.types import Tx

_NAME = "ses"


def get(tx: Tx) -> AccountState | None:
    """Read the last known state, None when SES never answered."""
    row = tx.execute(select(t).where(t.c.name == _NAME)).one_or_none()
    if row is None:
        return None
    return AccountState(**row.data, fetched_at=row.fetched_at)


def put(tx: Tx, state: AccountState) -> None:
    """Write the state SES has just told."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    values = {
        "data": {
            "sending_enabled": state.sending_enabled,
            "production_access": state.production_access,
            "enforcement": state.enforcement,
            "max_send_rate": state.max_send_rate,
            "max_24_hour_send": state.max_24_hour_send,
            "sent_last_24_hours": state.sent_last_24_hours,
        },
        "fetched_at": state.fetched_at,
    }
    row = insert(t).values(name=_NAME, **values)
    tx.execute(row.on_conflict_do_update(index_elements=[t.c.name], set_=values))
