"""The transactional outbox: bus events written with the change that caused them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from backend.model.bus import BusEvent
from backend.store.schema import bus_outbox as t

if TYPE_CHECKING:
    from datetime import datetime

    from backend.store.types import Tx


def add(tx: Tx, event: BusEvent) -> None:
    """Write an event; the bus picks it up from here (see bus/publish.py)."""
    tx.execute(
        insert(t).values(
            id=event.id,
            type=event.type,
            tenant_id=event.tenant_id,
            data=dict(event.data),
            created_at=event.created_at,
        )
    )


def get(tx: Tx, event_id: str) -> BusEvent | None:
    """Read an event."""
    row = tx.execute(select(t).where(t.c.id == event_id)).one_or_none()
    if row is None:
        return None
    return BusEvent(
        id=row.id,
        type=row.type,
        created_at=row.created_at,
        tenant_id=row.tenant_id,
        data=row.data,
    )


def unpublished(tx: Tx, limit: int) -> list[BusEvent]:
    """Give the oldest events not yet published, in order."""
    rows = tx.execute(select(t).where(t.c.published_at.is_(None)).order_by(t.c.id).limit(limit))
    return [
        BusEvent(
            id=row.id,
            type=row.type,
            created_at=row.created_at,
            tenant_id=row.tenant_id,
            data=row.data,
        )
        for row in rows
    ]


def mark_published(tx: Tx, event_id: str, at: datetime) -> None:
    """Record that the bus took an event."""
    tx.execute(update(t).where(t.c.id == event_id).values(published_at=at))
