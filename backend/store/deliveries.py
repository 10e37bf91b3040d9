"""Deliveries to targets: written before the call, so that a crash repeats it under the same key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from backend.model.explained import Explained
from backend.model.inbound import TargetAction, TargetName
from backend.store.schema import deliveries as t

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row

    from backend.store.types import Tx


class DeliveryState(Explained):
    """How far one delivery is."""

    PENDING = "pending", "Decided; the target has not answered for good."
    DONE = "done", "The target took it."
    REFUSED = "refused", "The target refused it for good."
    GAVE_UP = "gave_up", "The target did not answer for too long."


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One hand-over; ``attempts`` counts calls, ``error`` is the sentence of the last failure."""

    id: str
    inbound_id: str
    target: TargetName
    action: TargetAction
    ref: str
    idempotency_key: str
    state: DeliveryState
    created_at: datetime
    updated_at: datetime
    attempts: int = 0
    external_id: str = ""
    error: str = ""


def open_anew(tx: Tx, delivery: Delivery) -> None:
    """Insert a delivery, or begin the one with its key again: the key stays for all time."""
    values = {
        "target": delivery.target.value,
        "action": delivery.action.value,
        "ref": delivery.ref,
        "state": DeliveryState.PENDING.value,
        "attempts": 0,
        "error": "",
        "created_at": delivery.created_at,
        "updated_at": delivery.updated_at,
    }
    same = t.c.idempotency_key == delivery.idempotency_key
    if tx.execute(update(t).where(same).values(values)).rowcount == 0:
        tx.execute(
            insert(t).values(
                id=delivery.id,
                inbound_id=delivery.inbound_id,
                idempotency_key=delivery.idempotency_key,
                external_id="",
                **values,
            )
        )


def pending(tx: Tx, inbound_id: str) -> Delivery | None:
    """Give the delivery of a message that is decided and not over."""
    row = tx.execute(
        select(t)
        .where(t.c.inbound_id == inbound_id, t.c.state == DeliveryState.PENDING.value)
        .order_by(t.c.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _delivery(row)


def of_message(tx: Tx, inbound_id: str) -> list[Delivery]:
    """Give all deliveries of a message, oldest first."""
    rows = tx.execute(select(t).where(t.c.inbound_id == inbound_id).order_by(t.c.id))
    return [_delivery(row) for row in rows]


def save(tx: Tx, delivery: Delivery) -> None:
    """Write how a delivery stands: state, attempts, external id, error, time."""
    tx.execute(
        update(t)
        .where(t.c.idempotency_key == delivery.idempotency_key)
        .values(
            state=delivery.state.value,
            attempts=delivery.attempts,
            external_id=delivery.external_id,
            error=delivery.error,
            updated_at=delivery.updated_at,
        )
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        inbound_id=row.inbound_id,
        target=TargetName(row.target),
        action=TargetAction(row.action),
        ref=row.ref,
        idempotency_key=row.idempotency_key,
        state=DeliveryState(row.state),
        created_at=row.created_at,
        updated_at=row.updated_at,
        attempts=row.attempts,
        external_id=row.external_id,
        error=row.error,
    )
