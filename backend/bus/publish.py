"""Deliver one event to the bus over HTTP: at least once, with its id as the Idempotency-Key.

``POST BUS_API_URL`` with ``Authorization: Bearer INTEGRATION_KEY``, signed by RELAY_BUS_SECRET if
that is set, and the JSON ``{id, type, timestamp, created_at, tenant_id, data}``; any 2xx takes the
event, 409 means it has it already. The bus must get every event: there are no dead letters here.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from backend.bus.envelope import as_json, written
from backend.bus.line import step_aside
from backend.bus.signing import bearer, signed_headers
from backend.errors import ServiceUnavailableError, ThrottledError
from backend.faultpoints import FaultPoint, faultpoint
from backend.net_words import in_words
from backend.queue import items
from backend.store import outbox

if TYPE_CHECKING:
    from backend.bus.context import Bus
    from backend.model.bus import BusEvent
    from backend.model.work import WorkItem
    from backend.ports import Clock
    from backend.store.types import Tx

LANE = "bus"


async def publish(item: WorkItem, bus: Bus) -> None:
    """Post the event an item names and mark it published.

    Raises ThrottledError or ServiceUnavailableError, after which it is tried again: a bus that
    refuses an event is a bus to be mended.
    """
    event = await bus.db.read(outbox.get, item.ref)
    if event is None or not bus.url:
        await bus.db.write(items.finish, item)
        return
    if not bus.gate.admit(LANE):
        await step_aside(item, bus, LANE)
        return
    taken, began = False, bus.clock.monotonic()
    faultpoint(FaultPoint.PUBLISH_BEFORE_CALL)
    try:
        await _post(event, bus)
        taken = True
    finally:
        bus.gate.leave(LANE, ok=taken, seconds=bus.clock.monotonic() - began)
    faultpoint(FaultPoint.PUBLISH_AFTER_CALL)
    await bus.db.write(_published, item, bus.clock)


async def _post(event: BusEvent, bus: Bus) -> None:
    body = written(as_json(event))
    headers = bearer(bus.key) | {
        "Content-Type": "application/json",
        "Idempotency-Key": event.id,
    }
    secret = bus.secret.get_secret_value()
    if secret:
        headers |= signed_headers([secret], event.id, bus.clock.now(), body)
    try:
        answer = await bus.client.post(bus.url, content=body.encode(), headers=headers)
    except httpx.HTTPError as error:
        raise ServiceUnavailableError(
            f"the bus did not answer: {in_words(error)}; check BUS_API_URL"
        ) from error
    if answer.is_success or answer.status_code == HTTPStatus.CONFLICT:
        return
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        raise ThrottledError("the bus asks us to slow down", retry_after=_retry_after(answer))
    raise ServiceUnavailableError(f"the bus answered {answer.status_code}; check BUS_API_URL")


def _published(tx: Tx, item: WorkItem, clock: Clock) -> None:
    items.finish(tx, item)
    outbox.mark_published(tx, item.ref, clock.now())


def _retry_after(answer: httpx.Response) -> float | None:
    asked = answer.headers.get("Retry-After", "")
    return float(asked) if asked.isascii() and asked.isdecimal() else None
