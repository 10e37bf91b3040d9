"""Deliver one bus event over HTTP: at least once, with its id as the Idempotency-Key.

``POST BUS_API_URL`` with ``Authorization: Bearer INTEGRATION_KEY`` and the JSON
``{id, type, created_at, tenant_id, data}``; any 2xx takes the event, 409 means it has it already.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from backend.errors import ServiceUnavailableError, ThrottledError
from backend.queue import items
from backend.store import outbox

if TYPE_CHECKING:
    from pydantic import SecretStr

    from backend.model.bus import BusEvent
    from backend.model.work import WorkItem
    from backend.ports import Clock
    from backend.store.engine import Database
    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Bus:
    """The dependencies of publishing; an empty ``url`` leaves events in the outbox."""

    db: Database
    client: httpx.AsyncClient
    clock: Clock
    url: str
    key: SecretStr


async def publish(item: WorkItem, bus: Bus) -> None:
    """Post the event an item names and mark it published.

    Raises ThrottledError or ServiceUnavailableError, after which it is tried again: the bus must
    get every event, and a bus that refuses one is a bus to be mended.
    """
    event = await bus.db.read(outbox.get, item.ref)
    if event is None or not bus.url:
        await bus.db.write(items.finish, item)
        return
    await _post(event, bus)
    await bus.db.write(_published, item, bus.clock)


async def _post(event: BusEvent, bus: Bus) -> None:
    try:
        answer = await bus.client.post(
            bus.url,
            json=as_json(event),
            headers={
                "Authorization": f"Bearer {bus.key.get_secret_value()}",
                "Idempotency-Key": event.id,
            },
        )
    except httpx.HTTPError as error:
        raise ServiceUnavailableError(
            f"the bus did not answer: {type(error).__name__}; check BUS_API_URL"
        ) from error
    if answer.is_success or answer.status_code == HTTPStatus.CONFLICT:
        return
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        raise ThrottledError("the bus asks us to slow down", retry_after=_retry_after(answer))
    raise ServiceUnavailableError(f"the bus answered {answer.status_code}; check BUS_API_URL")


def as_json(event: BusEvent) -> dict[str, object]:
    """Give the event as it goes over the wire."""
    return {
        "id": event.id,
        "type": event.type,
        "created_at": event.created_at.isoformat(),
        "tenant_id": event.tenant_id,
        "data": dict(event.data),
    }


def _published(tx: Tx, item: WorkItem, clock: Clock) -> None:
    items.finish(tx, item)
    outbox.mark_published(tx, item.ref, clock.now())


def _retry_after(answer: httpx.Response) -> float | None:
    asked = answer.headers.get("Retry-After", "")
    return float(asked) if asked.isdecimal() else None
