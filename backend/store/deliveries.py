"""Deliveries to targets: written before the call, so that a crash repeats it under the same key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.explained import Explained
from backend.model.inbound import TargetAction, TargetName
from backend.store.bulk import Bulk
from backend.store.schema import deliveries as t

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from sqlalchemy import Insert, Row, Table

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


def open_anew(tx: Tx, *opened: Delivery) -> None:
    """Insert deliveries, or begin those with their keys again: a key stays for all time."""
    rows = [
        {
            "id": delivery.id,
            "inbound_id": delivery.inbound_id,
            "idempotency_key": delivery.idempotency_key,
            "external_id": "",
            "target": delivery.target.value,
            "action": delivery.action.value,
            "ref": delivery.ref,
            "state": DeliveryState.PENDING.value,
            "attempts": 0,
            "error": "",
            "created_at": delivery.created_at,
            "updated_at": delivery.updated_at,
        }
        for delivery in opened
    ]
    _OPEN.run(tx, rows)


def pending(tx: Tx, inbound_ids: Collection[str]) -> dict[str, Delivery]:
    """Give, by message, the newest delivery that is decided and not over."""
    rows = tx.execute(_PENDING, {"ids": list(inbound_ids)})
    return {row.inbound_id: _delivery(row) for row in rows}


def of_message(tx: Tx, inbound_id: str) -> list[Delivery]:
    """Give all deliveries of a message, oldest first."""
    rows = tx.execute(select(t).where(t.c.inbound_id == inbound_id).order_by(t.c.id))
    return [_delivery(row) for row in rows]


def save(tx: Tx, *standing: Delivery) -> None:
    """Write how deliveries stand: state, attempts, external id, error, time."""
    rows = [
        {
            "of_key": delivery.idempotency_key,
            "state": delivery.state.value,
            "attempts": delivery.attempts,
            "external_id": delivery.external_id,
            "error": delivery.error,
            "updated_at": delivery.updated_at,
        }
        for delivery in standing
    ]
    tx.execute(_SAVE, rows)


def _opening(into: Callable[[Table], postgresql.Insert | sqlite.Insert]) -> Insert:
    """Build the upsert once: building it takes longer than running it."""
    row = into(t)
    kept = ("id", "inbound_id", "idempotency_key", "external_id")
    anew = {c.key: row.excluded[c.key] for c in t.columns if c.key not in kept}
    return row.on_conflict_do_update(index_elements=[t.c.idempotency_key], set_=anew)


_OPEN = Bulk(
    {"postgresql": _opening(postgresql.insert), "sqlite": _opening(sqlite.insert)},
    [column.key for column in t.columns],
)
_PENDING = (
    select(t)
    .where(
        t.c.inbound_id.in_(bindparam("ids", expanding=True)),
        t.c.state == DeliveryState.PENDING.value,
    )
    .order_by(t.c.id)
)
_SAVE = update(t).where(t.c.idempotency_key == bindparam("of_key"))


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
