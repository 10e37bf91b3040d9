"""Deliveries to webhook endpoints, one per event and endpoint, and every try of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.webhooks import DeliveryState, WebhookDelivery, WebhookTry
from backend.store.schema_webhooks import webhook_deliveries as t
from backend.store.schema_webhooks import webhook_tries as tries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row

    from backend.model.webhooks import DeliveryQuery
    from backend.store.types import Tx

SWEEP = 500  # rows of one transaction: the writer serves others too


def add(tx: Tx, delivery: WebhookDelivery) -> bool:
    """Insert a delivery; False when its endpoint has this event already."""
    into = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    row = into(t).values(
        id=delivery.id,
        endpoint_id=delivery.endpoint_id,
        tenant_id=delivery.tenant_id,
        event_id=delivery.event_id,
        type=delivery.type,
        body=delivery.body,
        created_at=delivery.created_at,
        **_changing(delivery),
    )
    return tx.execute(row.on_conflict_do_nothing().returning(t.c.id)).first() is not None


def get(tx: Tx, delivery_id: str, tenant_id: str | None = None) -> WebhookDelivery | None:
    """Read a delivery, None also when it is another tenant's."""
    rows = select(t).where(t.c.id == delivery_id)
    if tenant_id is not None:
        rows = rows.where(t.c.tenant_id == tenant_id)
    row = tx.execute(rows).one_or_none()
    return None if row is None else _delivery(row)


def of_event(tx: Tx, endpoint_id: str, event_id: str) -> WebhookDelivery | None:
    """Read the delivery of an event to an endpoint."""
    same = (t.c.endpoint_id == endpoint_id, t.c.event_id == event_id)
    row = tx.execute(select(t).where(*same)).one_or_none()
    return None if row is None else _delivery(row)


def only_of(tx: Tx, endpoint_id: str, ids: Sequence[str]) -> list[str]:
    """Give those of ``ids`` that are deliveries to an endpoint, in their order."""
    mine = select(t.c.id).where(t.c.id.in_(ids), t.c.endpoint_id == endpoint_id)
    found = set(tx.execute(mine).scalars())
    return [one for one in ids if one in found]


def save(tx: Tx, delivery: WebhookDelivery) -> None:
    """Write how far a delivery is."""
    tx.execute(update(t).where(t.c.id == delivery.id).values(_changing(delivery)))


def note_try(tx: Tx, made: WebhookTry) -> None:
    """Keep one try."""
    tx.execute(
        insert(tries).values(
            id=made.id,
            delivery_id=made.delivery_id,
            number=made.number,
            at=made.at,
            status=made.status,
            response=made.response,
            error=made.error,
            milliseconds=made.milliseconds,
        )
    )


def tries_of(tx: Tx, delivery_id: str) -> tuple[WebhookTry, ...]:
    """Give the tries of a delivery, the oldest first."""
    rows = select(tries).where(tries.c.delivery_id == delivery_id).order_by(tries.c.id)
    return tuple(
        WebhookTry(
            id=row.id,
            delivery_id=row.delivery_id,
            number=row.number,
            at=row.at,
            status=row.status,
            response=row.response,
            error=row.error,
            milliseconds=row.milliseconds,
        )
        for row in tx.execute(rows)
    )


def count(tx: Tx, query: DeliveryQuery) -> int:
    """Count the deliveries a query means."""
    return int(tx.execute(select(func.count()).select_from(t).where(*_where(query))).scalar_one())


def page(tx: Tx, query: DeliveryQuery, start: int, size: int) -> list[WebhookDelivery]:
    """Give a page of deliveries, newest first."""
    rows = select(t).where(*_where(query)).order_by(t.c.id.desc()).limit(size).offset(start)
    return [_delivery(row) for row in tx.execute(rows)]


def after(tx: Tx, query: DeliveryQuery, after_id: str, size: int) -> list[WebhookDelivery]:
    """Give the deliveries a query means whose ids follow ``after_id``, the oldest first."""
    rows = select(t).where(*_where(query), t.c.id > after_id).order_by(t.c.id).limit(size)
    return [_delivery(row) for row in tx.execute(rows)]


def before(tx: Tx, query: DeliveryQuery, before_id: str, size: int) -> list[WebhookDelivery]:
    """Give the deliveries a query means whose ids precede ``before_id``, the newest first."""
    rows = select(t).where(*_where(query), t.c.id < before_id)
    return [_delivery(row) for row in tx.execute(rows.order_by(t.c.id.desc()).limit(size))]


def states(tx: Tx, tenant_id: str | None = None) -> dict[str, dict[DeliveryState, int]]:
    """Count the deliveries of each endpoint that are not done, by state."""
    open_ = (DeliveryState.PENDING.value, DeliveryState.DEAD.value)
    rows = select(t.c.endpoint_id, t.c.state, func.count()).where(t.c.state.in_(open_))
    if tenant_id is not None:
        rows = rows.where(t.c.tenant_id == tenant_id)
    found: dict[str, dict[DeliveryState, int]] = {}
    for endpoint_id, state, n in tx.execute(rows.group_by(t.c.endpoint_id, t.c.state)):
        found.setdefault(endpoint_id, {})[DeliveryState(state)] = int(n)
    return found


def bury_waiting(tx: Tx, endpoint_id: str, error: str, at: datetime) -> int:
    """Give up everything that waits for an endpoint; tell how much that was."""
    waiting = (t.c.endpoint_id == endpoint_id, t.c.state == DeliveryState.PENDING.value)
    dead = {"state": DeliveryState.DEAD.value, "error": error, "done_at": at, "next_at": None}
    return tx.execute(update(t).where(*waiting).values(dead)).rowcount


def sweep(tx: Tx, before: datetime) -> int:
    """Delete some deliveries older than ``before`` that are not waiting; give how many went."""
    done = (t.c.created_at < before, t.c.state != DeliveryState.PENDING.value)
    ids = list(tx.execute(select(t.c.id).where(*done).limit(SWEEP)).scalars())
    if not ids:
        return 0
    tx.execute(delete(tries).where(tries.c.delivery_id.in_(ids)))
    return tx.execute(delete(t).where(t.c.id.in_(ids), *done)).rowcount


def _where(query: DeliveryQuery) -> list[ColumnElement[bool]]:
    wanted = {
        t.c.tenant_id: query.tenant_id,
        t.c.endpoint_id: query.endpoint_id,
        t.c.state: query.state.value if query.state else None,
        t.c.type: query.type or None,
    }
    where = [column == value for column, value in wanted.items() if value is not None]
    if query.since is not None:
        where.append(t.c.created_at >= query.since)
    if query.until is not None:
        where.append(t.c.created_at < query.until)
    return where


def _changing(delivery: WebhookDelivery) -> dict[str, Any]:
    return {
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "next_at": delivery.next_at,
        "done_at": delivery.done_at,
        "status": delivery.status,
        "response": delivery.response,
        "error": delivery.error,
    }


def _delivery(row: Row[Any]) -> WebhookDelivery:
    return WebhookDelivery(
        id=row.id,
        endpoint_id=row.endpoint_id,
        tenant_id=row.tenant_id,
        event_id=row.event_id,
        type=row.type,
        body=row.body,
        state=DeliveryState(row.state),
        created_at=row.created_at,
        attempts=row.attempts,
        next_at=row.next_at,
        done_at=row.done_at,
        status=row.status,
        response=row.response,
        error=row.error,
    )
