"""The suppression list over HTTP: one entry, many, and the check of a mail, on both surfaces.

A key sees and changes the list of its own tenant. What all tenants share shows in checks only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request

from backend.api.auth import actor_of, caller
from backend.api.bodies import read_body
from backend.api.documents import body_schema
from backend.api.suppression_files import file_routes
from backend.api.suppression_models import (
    ResendRemovalsIn,
    ResendSuppressionIn,
    ResendSuppressionsIn,
    SuppressionCheckIn,
    SuppressionIn,
    held_json,
    item_json,
    suppression_json,
)
from backend.errors import InvalidInputError
from backend.model.suppression import (
    SuppressionKind,
    SuppressionReason,
    SuppressionState,
    SuppressionWish,
)
from backend.model.tenant import Scope
from backend.model.views import SuppressionQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.api.service import ApiService
    from backend.model.suppression import Suppression
    from backend.model.tenant import ApiKey

Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str, Query(max_length=40)]
_MANUAL = "manual"


def suppression_routes(service: ApiService) -> APIRouter:
    """Give Relay's own routes, to be mounted below /api."""
    router = APIRouter(prefix="/suppressions", tags=["suppressions"])
    _add_list(router, service)
    _add_check(router, service)
    _add_review(router, service)
    router.include_router(file_routes(service))
    _add_one(router, service)  # last: its path takes anything
    return router


def resend_suppression_routes(service: ApiService) -> APIRouter:
    """Give Resend's routes, to be mounted at the root."""
    router = APIRouter(prefix="/suppressions", tags=["suppressions"])
    _add_resend_list(router, service)
    _add_resend_batch(router, service)
    _add_resend_one(router, service)
    return router


def _add_list(router: APIRouter, service: ApiService) -> None:
    @router.get("", summary="List suppressions")
    async def suppressions(
        request: Request,
        reason: SuppressionReason | None = None,
        kind: SuppressionKind | None = None,
        state: SuppressionState = SuppressionState.ACTIVE,
        text: Annotated[str, Query(max_length=200)] = "",
        limit: Limit = 50,
        after: Cursor = "",
    ) -> dict[str, Any]:
        """List entries, newest first; ``text`` is part of an address, ``after`` an id."""
        key = await _caller(request, service)
        query = SuppressionQuery(
            tenant_id=key.tenant_id, reason=reason, kind=kind, state=state, text=text
        )
        found = await service.suppression_desk.older(query, after, limit + 1)
        return {
            "data": [suppression_json(entry) for entry in found[:limit]],
            "has_more": len(found) > limit,
            "total": await service.suppression_desk.count(query),
        }

    @router.post("", status_code=201, summary="Suppress", openapi_extra=body_schema(SuppressionIn))
    async def add(request: Request) -> dict[str, Any]:
        """Suppress an address or a domain; what is on the list already is given as it is."""
        key = await _caller(request, service)
        body = await read_body(request, SuppressionIn)
        return suppression_json(
            await service.suppression_desk.add(body.to_wish(key.tenant_id), actor=actor_of(key))
        )


def _add_check(router: APIRouter, service: ApiService) -> None:
    @router.post("/check", summary="Check", openapi_extra=body_schema(SuppressionCheckIn))
    async def check(request: Request) -> dict[str, Any]:
        """Tell which addresses mail is kept from and why, as every mail is checked."""
        key = await _caller(request, service)
        body = await read_body(request, SuppressionCheckIn)
        held = await service.suppression_desk.check(body.addresses, key.tenant_id)
        return {"data": [held_json(address, held.get(address)) for address in body.addresses]}


def _add_review(router: APIRouter, service: ApiService) -> None:
    @router.post("/{suppression_id}/accept", summary="Accept after review")
    async def accept(request: Request, suppression_id: str) -> dict[str, Any]:
        """Let an entry that waits for review count."""
        key = await _caller(request, service)
        entry = await service.suppression_desk.accept(
            suppression_id, actor=actor_of(key), tenant_id=key.tenant_id
        )
        return suppression_json(entry)

    @router.post("/{suppression_id}/dismiss", summary="Dismiss after review")
    async def dismiss(request: Request, suppression_id: str) -> dict[str, Any]:
        """Drop an entry that waits for review."""
        key = await _caller(request, service)
        entry = await service.suppression_desk.dismiss(
            suppression_id, actor=actor_of(key), tenant_id=key.tenant_id
        )
        return {"id": entry.id, "deleted": True}


def _add_one(router: APIRouter, service: ApiService) -> None:
    @router.get("/{name:path}", summary="Read a suppression")
    async def suppression(request: Request, name: str) -> dict[str, Any]:
        """Give the entry with this id, or for this address or domain."""
        key = await _caller(request, service)
        return suppression_json(await service.suppression_desk.get(name, key.tenant_id))

    @router.delete("/{name:path}", summary="Remove a suppression")
    async def remove(request: Request, name: str) -> dict[str, Any]:
        """Take an entry off the list, named by id, address or domain, and free it at SES."""
        return await _removed(request, service, name)


def _add_resend_list(router: APIRouter, service: ApiService) -> None:
    @router.post("", summary="Suppress", openapi_extra=body_schema(ResendSuppressionIn))
    async def add(request: Request) -> dict[str, Any]:
        """Suppress an address; one that is on the list already is given as it is."""
        key = await _caller(request, service)
        body = await read_body(request, ResendSuppressionIn)
        wish = SuppressionWish(tenant_id=key.tenant_id, address=body.email)
        entry = await service.suppression_desk.add(wish, actor=actor_of(key))
        return {"object": "suppression", "id": entry.id}

    @router.get("", summary="List suppressions")
    async def suppressions(
        request: Request,
        origin: Annotated[str, Query(pattern="^(bounce|complaint|manual)?$")] = "",
        limit: Limit = 20,
        after: Cursor = "",
        before: Cursor = "",
    ) -> dict[str, Any]:
        """List addresses, newest first; ``after`` and ``before`` are ids."""
        key = await _caller(request, service)
        if after and before:
            raise InvalidInputError("after: give after or before, not both", field="after")
        query = SuppressionQuery(tenant_id=key.tenant_id, reasons=_reasons(origin))
        if before:
            found = await service.suppression_desk.newer(query, before, limit + 1)
            page = found[-limit:]
        else:
            found = await service.suppression_desk.older(query, after, limit + 1)
            page = found[:limit]
        data = [item_json(entry) for entry in page]
        return {"object": "list", "has_more": len(found) > limit, "data": data}


def _add_resend_batch(router: APIRouter, service: ApiService) -> None:
    @router.post(
        "/batch/add", summary="Suppress several", openapi_extra=body_schema(ResendSuppressionsIn)
    )
    async def add(request: Request) -> dict[str, Any]:
        """Suppress up to 100 addresses, all of them or none; the same one comes back once."""
        key = await _caller(request, service)
        body = await read_body(request, ResendSuppressionsIn)
        wishes = [SuppressionWish(tenant_id=key.tenant_id, address=one) for one in body.emails]
        entries = await service.suppression_desk.add_many(wishes, actor=actor_of(key))
        return {"data": [{"object": "suppression", "id": entry.id} for entry in entries]}

    @router.post(
        "/batch/remove", summary="Free several", openapi_extra=body_schema(ResendRemovalsIn)
    )
    async def remove(request: Request) -> dict[str, Any]:
        """Free up to 100 addresses; those not on the list are passed over."""
        key = await _caller(request, service)
        body = await read_body(request, ResendRemovalsIn)
        if (body.emails is None) == (body.ids is None):
            raise InvalidInputError("emails: give either emails or ids", field="emails")
        names: Sequence[str] = body.emails or body.ids or ()
        entries = await service.suppression_desk.remove_many(
            names, tenant_id=key.tenant_id, actor=actor_of(key)
        )
        return {"data": [_gone(entry) for entry in entries]}


def _add_resend_one(router: APIRouter, service: ApiService) -> None:
    @router.get("/{name:path}", summary="Read a suppression")
    async def suppression(request: Request, name: str) -> dict[str, Any]:
        """Give the entry with this id or for this address."""
        key = await _caller(request, service)
        entry = await service.suppression_desk.get(name, key.tenant_id)
        return {"object": "suppression"} | item_json(entry)

    @router.delete("/{name:path}", summary="Free an address")
    async def remove(request: Request, name: str) -> dict[str, Any]:
        """Take an address off the list, named by id or itself, and free it at SES."""
        return await _removed(request, service, name)


async def _removed(request: Request, service: ApiService, name: str) -> dict[str, Any]:
    key = await _caller(request, service)
    desk = service.suppression_desk
    entry = await desk.get(name, key.tenant_id)
    return _gone(await desk.remove(entry.id, actor=actor_of(key), tenant_id=key.tenant_id))


def _gone(entry: Suppression) -> dict[str, Any]:
    return {"object": "suppression", "id": entry.id, "deleted": True}


async def _caller(request: Request, service: ApiService) -> ApiKey:
    return await caller(request, service, Scope.MANAGE_SUPPRESSIONS)


def _reasons(origin: str) -> frozenset[SuppressionReason]:
    """Give our reasons for Resend's origin; what it has no word for counts as manual."""
    if not origin:
        return frozenset()
    if origin != _MANUAL:
        return frozenset({SuppressionReason(origin)})
    return frozenset(SuppressionReason) - {SuppressionReason.BOUNCE, SuppressionReason.COMPLAINT}
