"""Deleting inbound messages for good, and the marks that keep them from being taken in again.

The row goes with its explanation, attachments and deliveries, and leaves one short mark for each
object and recipient. The mark also says that the raw mail has still to be deleted from the blob
store, so that a crash between the two leaves no raw mail behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, exists, func, literal, or_, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.inbound import InboundStatus
from backend.model.work import WorkKind
from backend.store import by_hand, log_changes, log_index
from backend.store.deliveries import DeliveryState
from backend.store.schema import (
    deliveries,
    explanation_steps,
    inbound,
    inbound_attachments,
    work_items,
)
from backend.store.schema_arrivals import inbound_duplicates as duplicates
from backend.store.schema_jobs import inbound_gone as t

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row

    from backend.store.types import Tx

REST = frozenset(InboundStatus) - {InboundStatus.RECEIVED, InboundStatus.FORWARDING}
"""The states in which a message may be deleted: never one that is on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """A message that may go: its size in bytes, its place in the order, since when it rests."""

    id: str
    size: int
    received_at: datetime
    rested_at: datetime


def oldest(
    tx: Tx,
    status: InboundStatus,
    limit: int,
    *,
    before: datetime | None = None,
    after: Old | None = None,
) -> list[Old]:
    """Give the oldest messages of a state, those processed before a moment if one is given.

    ``after`` is the last one of the page before. None is given that is on its way. A person may
    have put one away since it was processed: ``rested_at`` knows.
    """
    i = inbound.c
    wanted = [i.status == status.value, i.status.in_([one.value for one in REST]), ~_pending()]
    if before is not None:
        wanted += [i.received_at < before, or_(i.processed_at.is_(None), i.processed_at < before)]
    if after is not None:
        at = literal(after.received_at, i.received_at.type)
        wanted.append(or_(i.received_at > at, and_(i.received_at == at, i.id > after.id)))
    rows = select(i.id, i.size, i.received_at, i.processed_at, i.by_hand).where(*wanted)
    return [
        _old(row, row.size) for row in tx.execute(rows.order_by(i.received_at, i.id).limit(limit))
    ]


def raw_bytes(tx: Tx) -> int:
    """Give the size of all stored raw mail of received messages, in bytes."""
    each = select(func.max(inbound.c.size).label("n")).group_by(inbound.c.blob_key).subquery()
    return int(tx.execute(select(func.coalesce(func.sum(each.c.n), 0))).scalar_one())


def erase(tx: Tx, inbound_ids: Collection[str], now: datetime, *, with_raw: bool) -> list[Old]:
    """Delete messages that are at rest, and give those that were; their raw mail is marked.

    A message that is on its way again by now is left alone.
    """
    i = inbound.c
    resting = i.status.in_([one.value for one in REST])
    rows = tx.execute(
        select(i.id, i.blob_key, i.recipient, i.size, i.received_at, i.processed_at, i.by_hand)
        .where(i.id.in_(inbound_ids), resting, ~_pending())
        .with_for_update()
    ).all()
    ids = [row.id for row in rows]
    marks = [(row.blob_key, row.recipient, row.id) for row in rows]
    d = duplicates.c
    also = select(d.blob_key, d.recipient, d.inbound_id).where(d.inbound_id.in_(ids))
    marks += [(row.blob_key, row.recipient, row.inbound_id) for row in tx.execute(also)]
    _delete(tx, ids)
    used = _used(tx, {key for key, _, _ in marks})
    for blob_key, recipient, inbound_id in marks:
        waits = with_raw and blob_key not in used
        _mark(tx, (blob_key, recipient, inbound_id), now, raw_waits=waits)
    log_index.forget(tx, {row.id: row.received_at for row in rows})
    if ids:
        log_changes.changed(tx, *ids, searched=False)
    freed = {row.blob_key for row in rows} - used
    return [_old(row, row.size if row.blob_key in freed else 0) for row in rows]


def find(tx: Tx, blob_key: str, recipient: str) -> str | None:
    """Give the message that an object held for a recipient before it was deleted."""
    mine = {"of_key": blob_key, "of_recipient": recipient}
    return tx.execute(_FIND, mine).scalar_one_or_none()


_FIND = select(t.c.inbound_id).where(
    t.c.blob_key == bindparam("of_key"), t.c.recipient == bindparam("of_recipient")
)


def among(tx: Tx, inbound_ids: Collection[str], since: datetime) -> set[str]:
    """Give those of some messages that were deleted from a moment on."""
    rows = select(t.c.inbound_id).where(t.c.gone_at >= since, t.c.inbound_id.in_(inbound_ids))
    return set(tx.execute(rows.distinct()).scalars())


def raw_waiting(tx: Tx, limit: int, after: str = "") -> list[str]:
    """Give objects whose raw mail is still to be deleted, in the order of their keys."""
    rows = select(t.c.blob_key).where(t.c.raw_waits == true(), t.c.blob_key > after)
    return list(tx.execute(rows.distinct().order_by(t.c.blob_key).limit(limit)).scalars())


def raw_deleted(tx: Tx, blob_keys: Sequence[str], *, known: Collection[str]) -> None:
    """Note that raw mail is gone; objects in ``known`` may be taken in again if they come again."""
    here = t.c.blob_key.in_(blob_keys)
    tx.execute(update(t).where(here).values(raw_waits=False))
    if known:
        tx.execute(delete(t).where(t.c.blob_key.in_(known)))


def forget(tx: Tx, before: datetime) -> int:
    """Drop the marks of what was deleted before a moment; give how many."""
    old = (t.c.gone_at < before, t.c.raw_waits.is_(False))
    return tx.execute(delete(t).where(*old)).rowcount


def _old(row: Row[*tuple[Any, ...]], size: int) -> Old:
    away = by_hand.read(row.by_hand).put_away
    moments = (row.received_at, row.processed_at, away.at if away else None)
    return Old(
        id=row.id,
        size=size,
        received_at=row.received_at,
        rested_at=max(at for at in moments if at is not None),
    )


def _pending() -> ColumnElement[bool]:
    trying = DeliveryState.PENDING.value
    mine = (deliveries.c.inbound_id == inbound.c.id, deliveries.c.state == trying)
    return exists().where(*mine)


def _delete(tx: Tx, ids: Sequence[str]) -> None:
    for table in (explanation_steps, inbound_attachments, deliveries, duplicates):
        tx.execute(delete(table).where(table.c.inbound_id.in_(ids)))
    work = (work_items.c.kind == WorkKind.INBOUND.value, work_items.c.ref.in_(ids))
    tx.execute(delete(work_items).where(*work))
    tx.execute(delete(inbound).where(inbound.c.id.in_(ids)))


def _used(tx: Tx, keys: Collection[str]) -> set[str]:
    """Give those objects that another message still needs."""
    found: set[str] = set()
    for column in (inbound.c.blob_key, duplicates.c.blob_key):
        found.update(tx.execute(select(column).where(column.in_(keys))).scalars())
    return found


def _mark(tx: Tx, mark: tuple[str, str, str], now: datetime, *, raw_waits: bool) -> None:
    into = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    blob_key, recipient, inbound_id = mark
    row = into(t).values(
        blob_key=blob_key,
        recipient=recipient,
        inbound_id=inbound_id,
        gone_at=now,
        raw_waits=raw_waits,
    )
    again = {"inbound_id": inbound_id, "gone_at": now, "raw_waits": raw_waits}
    tx.execute(row.on_conflict_do_update(index_elements=[t.c.blob_key, t.c.recipient], set_=again))
