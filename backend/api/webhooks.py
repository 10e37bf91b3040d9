"""Webhooks on The One Relay's surface: /api/webhooks. Scope: admin."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request

from backend.api.auth import actor_of, governor
from backend.api.bodies import read_body
from backend.api.documents import body_schema
from backend.api.webhook_models import (
    WebhookChangeIn,
    WebhookIn,
    WebhookReplayIn,
    WebhookRotationIn,
    delivery_json,
    detail_json,
    endpoint_json,
)
from backend.errors import InvalidInputError
from backend.model.webhooks import DeliveryQuery, DeliveryState, EndpointChange, EndpointWish

if TYPE_CHECKING:
    from backend.api.service import ApiService

CREATED = 201


def webhook_routes(service: ApiService) -> APIRouter:
    """Give the routes, to be mounted below /api."""
    router = APIRouter(tags=["relay"])
    _add_making(router, service)
    _add_one(router, service)
    _add_acts(router, service)
    _add_deliveries(router, service)
    _add_replays(router, service)
    return router


def _add_making(router: APIRouter, service: ApiService) -> None:
    @router.post(
        "/webhooks",
        status_code=CREATED,
        summary="Make a webhook",
        openapi_extra=body_schema(WebhookIn),
    )
    async def create(request: Request) -> dict[str, Any]:
        """Make an endpoint; its signing secret is in this answer and nowhere else."""
        key = await governor(request, service)
        asked = await read_body(request, WebhookIn)
        wish = EndpointWish(
            tenant_id=key.tenant_id,
            url=asked.url,
            events=tuple(asked.events),
            description=asked.description,
        )
        made = await service.webhooks.create(wish, actor=actor_of(key))
        return endpoint_json(made.endpoint) | {"secret": made.secret}

    @router.get("/webhooks", summary="List webhooks")
    async def webhooks(request: Request) -> dict[str, Any]:
        """List the endpoints of the tenant, with what waits for each and its dead letters."""
        key = await governor(request, service)
        found = await service.webhooks.endpoints(key.tenant_id)
        backlog = await service.webhooks.backlog(key.tenant_id)
        data = []
        for one in found:
            mine = backlog.get(one.id, {})
            counts = {
                "pending": mine.get(DeliveryState.PENDING, 0),
                "dead": mine.get(DeliveryState.DEAD, 0),
            }
            data.append(endpoint_json(one) | counts)
        return {"data": data}


def _add_one(router: APIRouter, service: ApiService) -> None:
    @router.get("/webhooks/{webhook_id}", summary="Read a webhook")
    async def read(request: Request, webhook_id: str) -> dict[str, Any]:
        """Give one endpoint."""
        key = await governor(request, service)
        return endpoint_json(await service.webhooks.endpoint(webhook_id, key.tenant_id))

    @router.patch(
        "/webhooks/{webhook_id}",
        summary="Change a webhook",
        openapi_extra=body_schema(WebhookChangeIn),
    )
    async def change(request: Request, webhook_id: str) -> dict[str, Any]:
        """Change URL, events or description of an endpoint, or switch it on or off."""
        key = await governor(request, service)
        asked = await read_body(request, WebhookChangeIn)
        wanted = EndpointChange(
            url=asked.url,
            events=None if asked.events is None else tuple(asked.events),
            description=asked.description,
            enabled=asked.enabled,
        )
        changed = await service.webhooks.update(
            webhook_id, wanted, actor=actor_of(key), tenant_id=key.tenant_id
        )
        return endpoint_json(changed)

    @router.delete("/webhooks/{webhook_id}", summary="Remove a webhook")
    async def remove(request: Request, webhook_id: str) -> dict[str, Any]:
        """Delete an endpoint with all its deliveries."""
        key = await governor(request, service)
        gone = await service.webhooks.remove(
            webhook_id, actor=actor_of(key), tenant_id=key.tenant_id
        )
        return endpoint_json(gone)


def _add_acts(router: APIRouter, service: ApiService) -> None:
    @router.post(
        "/webhooks/{webhook_id}/rotate",
        summary="Rotate the secret of a webhook",
        openapi_extra=body_schema(WebhookRotationIn),
    )
    async def rotate(request: Request, webhook_id: str) -> dict[str, Any]:
        """Give a new secret; until the overlap ends both sign."""
        key = await governor(request, service)
        asked = WebhookRotationIn()
        if await request.body():
            asked = await read_body(request, WebhookRotationIn)
        made = await service.webhooks.rotate(
            webhook_id,
            actor=actor_of(key),
            overlap=timedelta(hours=asked.overlap_hours),
            tenant_id=key.tenant_id,
        )
        return endpoint_json(made.endpoint) | {"secret": made.secret}

    @router.post("/webhooks/{webhook_id}/test", summary="Try a webhook")
    async def test(request: Request, webhook_id: str) -> dict[str, Any]:
        """Post a test event now and tell how that ended."""
        key = await governor(request, service)
        done = await service.webhooks.test(webhook_id, tenant_id=key.tenant_id)
        return detail_json(await service.webhooks.delivery(done.id, key.tenant_id))


def _add_deliveries(router: APIRouter, service: ApiService) -> None:
    @router.get("/webhooks/{webhook_id}/deliveries", summary="List deliveries")
    async def deliveries(
        request: Request,
        webhook_id: str,
        state: DeliveryState | None = None,
        type: Annotated[str, Query(max_length=100)] = "",  # noqa: A002  # the name on the wire
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> dict[str, Any]:
        """List the deliveries of an endpoint, newest first."""
        key = await governor(request, service)
        await service.webhooks.endpoint(webhook_id, key.tenant_id)
        query = DeliveryQuery(
            tenant_id=key.tenant_id, endpoint_id=webhook_id, state=state, type=type
        )
        found = await service.webhooks.deliveries(query, offset, limit)
        return {
            "data": [delivery_json(one) for one in found],
            "total": await service.webhooks.count_deliveries(query),
            "limit": limit,
            "offset": offset,
        }

    @router.get("/webhooks/{webhook_id}/deliveries/{delivery_id}", summary="Read a delivery")
    async def delivery(request: Request, webhook_id: str, delivery_id: str) -> dict[str, Any]:
        """Give one delivery with its payload and every try."""
        key = await governor(request, service)
        await service.webhooks.endpoint(webhook_id, key.tenant_id)
        return detail_json(await service.webhooks.delivery(delivery_id, key.tenant_id))


def _add_replays(router: APIRouter, service: ApiService) -> None:
    @router.post(
        "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", summary="Replay a delivery"
    )
    async def replay(request: Request, webhook_id: str, delivery_id: str) -> dict[str, Any]:
        """Queue one delivery anew, under the same event id."""
        key = await governor(request, service)
        await service.webhooks.endpoint(webhook_id, key.tenant_id)
        return delivery_json(await service.webhooks.replay(delivery_id, key.tenant_id))

    @router.post(
        "/webhooks/{webhook_id}/replay",
        summary="Replay many deliveries",
        openapi_extra=body_schema(WebhookReplayIn),
    )
    async def replay_all(request: Request, webhook_id: str) -> dict[str, Any]:
        """Queue dead letters anew, or what the endpoint missed; tell how many."""
        key = await governor(request, service)
        asked = await read_body(request, WebhookReplayIn)
        await service.webhooks.endpoint(webhook_id, key.tenant_id)
        if asked.missed:
            if asked.since is None:
                raise InvalidInputError("since: say from when on with missed", field="since")
            queued = await service.webhooks.recover(webhook_id, asked.since, key.tenant_id)
            return {"queued": queued}
        query = DeliveryQuery(
            tenant_id=key.tenant_id,
            endpoint_id=webhook_id,
            state=asked.state,
            type=asked.type,
            since=asked.since,
            until=asked.until,
        )
        return {"queued": await service.webhooks.replay_all(query)}
