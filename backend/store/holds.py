"""The hold of the account: one row while SES takes no mail of it, shared by all processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.sending import Hold, SendState
from backend.store.schema_sending import account_holds as t

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from backend.store.types import Tx

_NAME = "ses"
_GET = select(t).where(t.c.name == _NAME)
_END = delete(t).where(t.c.name == _NAME, t.c.since < bindparam("before"))


def get(tx: Tx) -> Hold | None:
    """Read the hold, None while mail goes out."""
    row = tx.execute(_GET).one_or_none()
    if row is None:
        return None
    return Hold(
        state=SendState(row.state),
        reason=row.reason,
        since=row.since,
        probe_at=row.probe_at,
        probes=row.probes,
        probe_item=row.probe_item,
    )


def put(tx: Tx, hold: Hold) -> None:
    """Write the hold; nobody else changes it before this transaction ends."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    values = {
        "state": hold.state.value,
        "reason": hold.reason[:500],
        "since": hold.since,
        "probe_at": hold.probe_at,
        "probes": hold.probes,
        "probe_item": hold.probe_item,
    }
    row = insert(t).values(name=_NAME, **values)
    tx.execute(row.on_conflict_do_update(index_elements=[t.c.name], set_=values))


def take_probe(tx: Tx, seen: Hold, probe_at: datetime) -> bool:
    """Take the turn to try, until ``probe_at``; False when another process took it first."""
    mine = update(t).where(t.c.name == _NAME, t.c.probes == seen.probes, t.c.since == seen.since)
    changed = tx.execute(mine.values(probes=seen.probes + 1, probe_at=probe_at, probe_item=""))
    return changed.rowcount == 1


def name_probe(tx: Tx, item_id: str) -> None:
    """Say which work item may try."""
    tx.execute(update(t).where(t.c.name == _NAME).values(probe_item=item_id))


def pass_probe(tx: Tx, item_ids: Collection[str], *, now: datetime) -> None:
    """Let another mail try at once when the one that had the turn did not come to ask SES."""
    mine = update(t).where(t.c.name == _NAME, t.c.probe_item.in_(item_ids))
    tx.execute(mine.values(probe_at=now, probe_item=""))


def end(tx: Tx, since_before: datetime) -> bool:
    """End the hold if it began before a call that SES took; tell whether it did."""
    return tx.execute(_END, {"before": since_before}).rowcount == 1
