"""The transactional outbox: bus events written with the change that caused them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from backend.model.bus import BusEvent
from backend.store.bulk import Bulk
from backend.store.schema import bus_outbox as t
from backend.store.schema import work_items as work

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row

    from backend.store.types import Tx

SWEEP = 500  # rows of one transaction: the writer serves others too


def add(tx: Tx, *happened: BusEvent) -> None:
    """Write events; the bus picks them up from here (see bus/publish.py)."""
    _ADD.run(
        tx,
        [
            {
                "id": event.id,
                "type": event.type,
                "tenant_id": event.tenant_id,
                "data": dict(event.data),
                "created_at": event.created_at,
            }
            for event in happened
        ],
    )


_ADD = Bulk(insert(t), ["id", "type", "tenant_id", "data", "created_at"])


def get(tx: Tx, event_id: str) -> BusEvent | None:
    """Read an event."""
    row = tx.execute(select(t).where(t.c.id == event_id)).one_or_none()
    return None if row is None else _event(row)


def unpublished(tx: Tx, limit: int, after_id: str = "") -> list[BusEvent]:
    """Give the oldest events not yet published whose ids follow ``after_id``, in order."""
    rows = select(t).where(t.c.published_at.is_(None), t.c.id > after_id)
    return [_event(row) for row in tx.execute(rows.order_by(t.c.id).limit(limit))]


def since(tx: Tx, tenant_id: str, start: datetime, after_id: str, limit: int) -> list[BusEvent]:
    """Give events of a tenant from ``start`` on whose ids follow ``after_id``, in order."""
    rows = select(t).where(t.c.tenant_id == tenant_id, t.c.created_at >= start, t.c.id > after_id)
    return [_event(row) for row in tx.execute(rows.order_by(t.c.id).limit(limit))]


def mark_published(tx: Tx, event_id: str, at: datetime) -> None:
    """Record that the bus took an event."""
    tx.execute(update(t).where(t.c.id == event_id).values(published_at=at))


def sweep(tx: Tx, before: datetime) -> int:
    """Delete some events older than ``before`` that nobody waits for; give how many went.

    Nobody waits for an event the bus has, nor, where there is no bus, for one whose fan-out is
    done: its work item is gone.
    """
    # by id, which sorts by time: a look for old moments would read the whole table when none is
    oldest = tx.execute(select(t.c.id, t.c.created_at).order_by(t.c.id).limit(SWEEP)).all()
    ids = [row.id for row in oldest if row.created_at < before]
    if not ids:
        return 0
    mine = (work.c.kind.in_(["publish", "bus"]), work.c.ref.in_(ids))
    waiting = set(tx.execute(select(work.c.ref).where(*mine)).scalars())
    free = [one for one in ids if one not in waiting]
    return tx.execute(delete(t).where(t.c.id.in_(free))).rowcount


def _event(row: Row[Any]) -> BusEvent:
    return BusEvent(
        id=row.id,
        type=row.type,
        created_at=row.created_at,
        tenant_id=row.tenant_id,
        data=row.data,
    )
