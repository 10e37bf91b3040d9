"""Webhooks as Resend's SDKs call them: /webhooks. Scope: admin.

An endpoint made here is told events in Resend's words (bus/resend_words.py). Ids of events are
those in the ``svix-id`` header.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request

from backend.api.auth import actor_of, governor
from backend.api.bodies import read_body
from backend.api.documents import body_schema
from backend.api.shapes import moment
from backend.api.webhook_models import (
    ResendWebhookChangeIn,
    ResendWebhookIn,
    resend_attempt_json,
    resend_event_json,
    resend_json,
)
from backend.errors import InvalidInputError
from backend.model.webhooks import DeliveryQuery, EndpointChange, EndpointWish, WebhookStyle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backend.api.service import ApiService

CREATED = 201
T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str, Query(max_length=60)]


def resend_webhook_routes(service: ApiService) -> APIRouter:
    """Give the routes, to be mounted at the root."""
    router = APIRouter(tags=["resend"])
    _add_many(router, service)
    _add_one(router, service)
    _add_events(router, service)
    _add_event(router, service)
    return router


def _add_many(router: APIRouter, service: ApiService) -> None:
    @router.post(
        "/webhooks",
        status_code=CREATED,
        summary="Make a webhook",
        openapi_extra=body_schema(ResendWebhookIn),
    )
    async def create(request: Request) -> dict[str, Any]:
        """Make an endpoint; its signing secret is in this answer and nowhere else."""
        key = await governor(request, service)
        asked = await read_body(request, ResendWebhookIn)
        wish = EndpointWish(
            tenant_id=key.tenant_id,
            url=asked.endpoint,
            style=WebhookStyle.RESEND,
            events=tuple(asked.events),
        )
        made = await service.webhooks.create(wish, actor=actor_of(key))
        return {"object": "webhook", "id": made.endpoint.id, "signing_secret": made.secret}

    @router.get("/webhooks", summary="List webhooks")
    async def webhooks(
        request: Request, limit: Limit = 100, after: Cursor = "", before: Cursor = ""
    ) -> dict[str, Any]:
        """List the endpoints of the tenant, newest first."""
        key = await governor(request, service)
        found = list(reversed(await service.webhooks.endpoints(key.tenant_id)))
        page, more = cut(found, lambda one: one.id, limit, after=after, before=before)
        return {"object": "list", "has_more": more, "data": [resend_json(one) for one in page]}


def _add_one(router: APIRouter, service: ApiService) -> None:
    @router.get("/webhooks/{webhook_id}", summary="Read a webhook")
    async def read(request: Request, webhook_id: str) -> dict[str, Any]:
        """Give one endpoint."""
        key = await governor(request, service)
        return resend_json(await service.webhooks.endpoint(webhook_id, key.tenant_id))

    @router.patch(
        "/webhooks/{webhook_id}",
        summary="Change a webhook",
        openapi_extra=body_schema(ResendWebhookChangeIn),
    )
    async def change(request: Request, webhook_id: str) -> dict[str, Any]:
        """Change URL or events of an endpoint, or switch it on or off."""
        key = await governor(request, service)
        asked = await read_body(request, ResendWebhookChangeIn)
        wanted = EndpointChange(
            url=asked.endpoint,
            events=None if asked.events is None else tuple(asked.events),
            enabled=None if asked.status is None else asked.status == "enabled",
        )
        await service.webhooks.update(
            webhook_id, wanted, actor=actor_of(key), tenant_id=key.tenant_id
        )
        return {"object": "webhook", "id": webhook_id}

    @router.delete("/webhooks/{webhook_id}", summary="Remove a webhook")
    async def remove(request: Request, webhook_id: str) -> dict[str, Any]:
        """Delete an endpoint with all its deliveries."""
        key = await governor(request, service)
        await service.webhooks.remove(webhook_id, actor=actor_of(key), tenant_id=key.tenant_id)
        return {"object": "webhook", "id": webhook_id, "deleted": True}

    @router.post("/webhooks/{webhook_id}/signing-secret/rotate", summary="Rotate the secret")
    async def rotate(request: Request, webhook_id: str) -> dict[str, Any]:
        """Give a new secret; for a day the old one signs beside it."""
        key = await governor(request, service)
        made = await service.webhooks.rotate(
            webhook_id, actor=actor_of(key), tenant_id=key.tenant_id
        )
        return {"object": "webhook", "id": webhook_id, "signing_secret": made.secret}


def _add_events(router: APIRouter, service: ApiService) -> None:
    @router.get("/webhooks/{webhook_id}/events", summary="List what an endpoint was told")
    async def events(
        request: Request, webhook_id: str, limit: Limit = 20, after: Cursor = ""
    ) -> dict[str, Any]:
        """List the events told to an endpoint, newest first."""
        key = await governor(request, service)
        await service.webhooks.endpoint(webhook_id, key.tenant_id)
        query = DeliveryQuery(tenant_id=key.tenant_id, endpoint_id=webhook_id)
        if after:
            last = await service.webhooks.delivery_of(webhook_id, after, key.tenant_id)
            place = last.delivery.id
            found = await service.webhooks.deliveries_before(query, place, limit + 1)
        else:
            found = await service.webhooks.deliveries(query, 0, limit + 1)
        return {
            "object": "list",
            "has_more": len(found) > limit,
            "data": [resend_event_json(one) for one in found[:limit]],
        }


def _add_event(router: APIRouter, service: ApiService) -> None:
    at = "/webhooks/{webhook_id}/events/{event_id}"

    @router.get(at, summary="Read what an endpoint was told")
    async def event(request: Request, webhook_id: str, event_id: str) -> dict[str, Any]:
        """Give one event with the payload that was posted."""
        key = await governor(request, service)
        found = await service.webhooks.delivery_of(webhook_id, event_id, key.tenant_id)
        next_at = found.delivery.next_at
        return {
            "object": "webhook_event",
            **resend_event_json(found.delivery),
            "next_attempt_at": moment(next_at) if next_at else None,
            "payload": json.loads(found.delivery.body),
        }

    @router.post(f"{at}/replay", summary="Tell an event again")
    async def replay(request: Request, webhook_id: str, event_id: str) -> dict[str, Any]:
        """Queue one event anew, under the same id."""
        key = await governor(request, service)
        found = await service.webhooks.delivery_of(webhook_id, event_id, key.tenant_id)
        await service.webhooks.replay(found.delivery.id, key.tenant_id)
        return {"object": "webhook_event", "id": event_id}

    @router.get(f"{at}/attempts", summary="List the tries of an event")
    async def attempts(
        request: Request, webhook_id: str, event_id: str, limit: Limit = 20, after: Cursor = ""
    ) -> dict[str, Any]:
        """List the tries of one event, newest first."""
        key = await governor(request, service)
        found = await service.webhooks.delivery_of(webhook_id, event_id, key.tenant_id)
        newest = list(reversed(found.tries))
        page, more = cut(newest, lambda one: one.id, limit, after=after)
        data = [resend_attempt_json(one) for one in page]
        return {"object": "list", "has_more": more, "data": data}


def cut(
    found: Sequence[T], id_of: Callable[[T], str], limit: int, *, after: str = "", before: str = ""
) -> tuple[Sequence[T], bool]:
    """Give a page of a whole list by cursor, and whether there is more that way."""
    if after and before:
        raise InvalidInputError("before: give after or before, not both", field="before")
    ids = [id_of(one) for one in found]
    cursor = after or before
    if cursor and cursor not in ids:
        field = "after" if after else "before"
        raise InvalidInputError(f"{field}: there is no such id in this list", field=field)
    if before:
        end = ids.index(before)
        return found[max(0, end - limit) : end], end > limit
    start = ids.index(after) + 1 if after else 0
    return found[start : start + limit], len(found) > start + limit
