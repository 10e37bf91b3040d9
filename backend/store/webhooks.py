"""Webhook endpoints of tenants, with the secrets that sign what is posted to them.

Secrets come sealed and are given as they are kept (bus/webhook_secrets.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from backend.model.webhooks import Endpoint, WebhookStyle
from backend.store.schema_webhooks import webhook_deliveries as posts
from backend.store.schema_webhooks import webhook_endpoints as t
from backend.store.schema_webhooks import webhook_tries as tries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Row

    from backend.store.types import Tx

ERROR_LENGTH = 500


def add(tx: Tx, endpoint: Endpoint, secret: str) -> None:
    """Insert an endpoint with its signing secret."""
    tx.execute(
        insert(t).values(
            id=endpoint.id,
            tenant_id=endpoint.tenant_id,
            style=endpoint.style.value,
            secret=secret,
            created_at=endpoint.created_at,
            **_changing(endpoint),
        )
    )


def get(tx: Tx, endpoint_id: str, tenant_id: str | None = None) -> Endpoint | None:
    """Read an endpoint, None also when it is another tenant's."""
    rows = select(t).where(t.c.id == endpoint_id)
    if tenant_id is not None:
        rows = rows.where(t.c.tenant_id == tenant_id)
    row = tx.execute(rows).one_or_none()
    return None if row is None else _endpoint(row)


def lock(tx: Tx, endpoint_id: str) -> Endpoint | None:
    """Read an endpoint and keep others from changing it until the transaction ends."""
    row = tx.execute(select(t).where(t.c.id == endpoint_id).with_for_update()).one_or_none()
    return None if row is None else _endpoint(row)


def all_in_order(tx: Tx, tenant_id: str | None = None) -> list[Endpoint]:
    """Give the endpoints of a tenant, or all, the oldest first."""
    rows = select(t).order_by(t.c.id)
    if tenant_id is not None:
        rows = rows.where(t.c.tenant_id == tenant_id)
    return [_endpoint(row) for row in tx.execute(rows)]


def enabled(tx: Tx, tenant_id: str) -> list[Endpoint]:
    """Give the endpoints of a tenant that are on."""
    rows = select(t).where(t.c.tenant_id == tenant_id, t.c.enabled.is_(True)).order_by(t.c.id)
    return [_endpoint(row) for row in tx.execute(rows)]


def count(tx: Tx, tenant_id: str) -> int:
    """Count the endpoints of a tenant."""
    n = select(func.count()).select_from(t).where(t.c.tenant_id == tenant_id)
    return int(tx.execute(n).scalar_one())


def save(tx: Tx, endpoint: Endpoint) -> None:
    """Write everything of an endpoint but what never changes and its secrets."""
    tx.execute(update(t).where(t.c.id == endpoint.id).values(_changing(endpoint)))


def note_success(tx: Tx, endpoint_id: str, at: datetime) -> None:
    """Forget the failures of an endpoint: it has just taken something."""
    fresh = {"failures": 0, "failing_since": None, "last_ok_at": at}
    tx.execute(update(t).where(t.c.id == endpoint_id).values(fresh))


def secrets(tx: Tx, endpoint_id: str, now: datetime) -> tuple[str, ...]:
    """Give the live signing secrets, the newest first."""
    row = tx.execute(
        select(t.c.secret, t.c.previous_secret, t.c.previous_secret_until).where(
            t.c.id == endpoint_id
        )
    ).one()
    until = row.previous_secret_until
    both = row.previous_secret and until is not None and until > now
    return (row.secret, row.previous_secret) if both else (row.secret,)


def kept_secrets(tx: Tx, *, lock: bool = False) -> dict[str, tuple[str, str]]:
    """Give the secret of each endpoint and the one before it, "" for none, as they are kept."""
    query = select(t.c.id, t.c.secret, t.c.previous_secret).order_by(t.c.id)
    rows = tx.execute(query.with_for_update() if lock else query)
    return {row.id: (row.secret, row.previous_secret) for row in rows}


def keep_secrets(tx: Tx, kept: Mapping[str, tuple[str, str]]) -> None:
    """Write secrets in another form; they stay what they are."""
    for endpoint_id, (secret, previous) in kept.items():
        values = {"secret": secret, "previous_secret": previous}
        tx.execute(update(t).where(t.c.id == endpoint_id).values(values))


def rotate(tx: Tx, endpoint_id: str, secret: str, until: datetime, now: datetime) -> None:
    """Put a new secret in force; the present one signs beside it until ``until``."""
    tx.execute(
        update(t)
        .where(t.c.id == endpoint_id)
        .values(
            previous_secret=t.c.secret, secret=secret, previous_secret_until=until, updated_at=now
        )
    )


def remove(tx: Tx, endpoint_id: str) -> None:
    """Delete an endpoint with all that was ever posted to it."""
    mine = select(posts.c.id).where(posts.c.endpoint_id == endpoint_id)
    tx.execute(delete(tries).where(tries.c.delivery_id.in_(mine)))
    tx.execute(delete(posts).where(posts.c.endpoint_id == endpoint_id))
    tx.execute(delete(t).where(t.c.id == endpoint_id))


def _changing(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "url": endpoint.url,
        "description": endpoint.description,
        "events": list(endpoint.events),
        "enabled": endpoint.enabled,
        "disabled_reason": endpoint.disabled_reason,
        "failures": endpoint.failures,
        "failing_since": endpoint.failing_since,
        "last_ok_at": endpoint.last_ok_at,
        "last_failed_at": endpoint.last_failed_at,
        "last_error": endpoint.last_error[:ERROR_LENGTH],
        "alerted": endpoint.alerted,
        "updated_at": endpoint.updated_at,
    }


def _endpoint(row: Row[Any]) -> Endpoint:
    return Endpoint(
        id=row.id,
        tenant_id=row.tenant_id,
        url=row.url,
        style=WebhookStyle(row.style),
        created_at=row.created_at,
        updated_at=row.updated_at,
        description=row.description,
        events=tuple(row.events),
        enabled=row.enabled,
        disabled_reason=row.disabled_reason,
        previous_secret_until=row.previous_secret_until,
        failures=row.failures,
        failing_since=row.failing_since,
        last_ok_at=row.last_ok_at,
        last_failed_at=row.last_failed_at,
        last_error=row.last_error,
        alerted=row.alerted,
    )
