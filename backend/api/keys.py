"""API keys over HTTP: /api/keys for The One Relay, /api-keys in Resend's words. Scope: admin."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from backend.api.auth import actor_of, caller
from backend.api.bodies import Moment, read_body
from backend.api.documents import body_schema
from backend.api.shapes import moment
from backend.errors import InvalidInputError
from backend.model.tenant import KeyWish, Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.api.service import ApiService
    from backend.model.tenant import ApiKey, IssuedKey

CREATED = 201
_PERMISSIONS = {
    "full_access": frozenset({Scope.ADMIN}),
    "sending_access": frozenset({Scope.SEND, Scope.SEND_BATCH}),
}
"""Resend's two permissions as scopes of ours."""


class KeyIn(BaseModel):
    """The body of POST /api/keys."""

    model_config = ConfigDict(title="Key", extra="forbid")

    name: str = Field(description="What the key is for.")
    scopes: list[Scope] = Field(description="What it may do.", examples=[["send"]])
    expires_at: Moment | None = Field(default=None, description="When it ends.")
    domains: list[str] = Field(default_factory=list, description="Send from these only.")


class RotateIn(BaseModel):
    """The body of POST /api/keys/{id}/rotate."""

    model_config = ConfigDict(title="KeyRotation", extra="forbid")

    overlap_hours: float = Field(
        default=24, ge=0, le=720, description="How long the old key stays good."
    )


class ResendKeyIn(BaseModel):
    """The body of POST /api-keys."""

    model_config = ConfigDict(title="ResendKey", extra="ignore")

    name: str
    permission: Literal["full_access", "sending_access"] = "full_access"
    domain_id: str | None = Field(default=None, description="Only for sending_access.")


class ResendKeyChangeIn(BaseModel):
    """The body of PATCH /api-keys/{id}."""

    model_config = ConfigDict(title="ResendKeyChange", extra="ignore")

    name: str


def key_routes(service: ApiService) -> APIRouter:
    """Give the routes of The One Relay, to be mounted below /api."""
    router = APIRouter(tags=["relay"])
    _add_making(router, service)
    _add_ending(router, service)
    return router


def _add_making(router: APIRouter, service: ApiService) -> None:
    @router.post(
        "/keys", status_code=CREATED, summary="Make a key", openapi_extra=body_schema(KeyIn)
    )
    async def create(request: Request) -> dict[str, Any]:
        """Make a key; its secret is in this answer and nowhere else."""
        key = await caller(request, service, Scope.ADMIN)
        asked = await read_body(request, KeyIn)
        wish = KeyWish(
            tenant_id=key.tenant_id,
            name=asked.name,
            scopes=frozenset(asked.scopes),
            expires_at=asked.expires_at,
            domains=frozenset(name.lower() for name in asked.domains),
        )
        return _issued_json(await service.access.issue(wish, actor=actor_of(key), by=key))

    @router.get("/keys", summary="List keys")
    async def keys(
        request: Request, expiring_days: Annotated[int | None, Query(ge=1, le=3650)] = None
    ) -> dict[str, Any]:
        """List the keys of the tenant, newest first; or those that end within so many days."""
        key = await caller(request, service, Scope.ADMIN)
        if expiring_days is None:
            found = await service.keys(key.tenant_id)
        else:
            found = await service.access.ending(timedelta(days=expiring_days), key.tenant_id)
        return {"data": [key_json(one) for one in found if key.governs(one)]}


def _add_ending(router: APIRouter, service: ApiService) -> None:
    @router.post(
        "/keys/{key_id}/rotate", summary="Rotate a key", openapi_extra=body_schema(RotateIn)
    )
    async def rotate(request: Request, key_id: str) -> dict[str, Any]:
        """Make a successor with the same rights; the old key stays good for the overlap."""
        key = await caller(request, service, Scope.ADMIN)
        asked = RotateIn()
        if await request.body():
            asked = await read_body(request, RotateIn)
        issued = await service.access.rotate(
            key_id,
            actor=actor_of(key),
            overlap=timedelta(hours=asked.overlap_hours),
            by=key,
        )
        return _issued_json(issued)

    @router.delete("/keys/{key_id}", summary="Revoke a key")
    async def revoke(request: Request, key_id: str) -> dict[str, Any]:
        """End a key's life now."""
        key = await caller(request, service, Scope.ADMIN)
        return key_json(await service.access.revoke(key_id, actor=actor_of(key), by=key))


def resend_key_routes(service: ApiService) -> APIRouter:
    """Give /api-keys as Resend's SDKs call it."""
    router = APIRouter(tags=["resend"])
    _add_resend_making(router, service)
    _add_resend_reading(router, service)
    return router


def _add_resend_making(router: APIRouter, service: ApiService) -> None:
    @router.post(
        "/api-keys",
        status_code=CREATED,
        summary="Make a key",
        openapi_extra=body_schema(ResendKeyIn),
    )
    async def create_key(request: Request) -> dict[str, Any]:
        """Make a key and give its id and, this once, its token."""
        key = await caller(request, service, Scope.ADMIN)
        asked = await read_body(request, ResendKeyIn)
        wish = KeyWish(
            tenant_id=key.tenant_id,
            name=asked.name,
            scopes=_PERMISSIONS[asked.permission],
            domains=await _domains(service, key, asked.domain_id),
        )
        issued = await service.access.issue(wish, actor=actor_of(key), by=key)
        return {"id": issued.key.id, "token": issued.secret}


def _add_resend_reading(router: APIRouter, service: ApiService) -> None:
    @router.get("/api-keys", summary="List keys")
    async def list_keys(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=100)] = 100,
        after: Annotated[str, Query(max_length=40)] = "",
        before: Annotated[str, Query(max_length=40)] = "",
    ) -> dict[str, Any]:
        """List the live keys, newest first."""
        key = await caller(request, service, Scope.ADMIN)
        found = await service.keys(key.tenant_id)
        live = [one for one in found if one.revoked_at is None and key.governs(one)]
        page, more = _page(live, limit, after, before)
        data = [
            {
                "id": one.id,
                "name": one.name,
                "created_at": moment(one.created_at),
                "last_used_at": moment(one.last_used_at) if one.last_used_at else None,
            }
            for one in page
        ]
        return {"object": "list", "has_more": more, "data": data}

    @router.patch(
        "/api-keys/{key_id}", summary="Rename a key", openapi_extra=body_schema(ResendKeyChangeIn)
    )
    async def rename_key(request: Request, key_id: str) -> dict[str, Any]:
        """Call a key otherwise."""
        key = await caller(request, service, Scope.ADMIN)
        asked = await read_body(request, ResendKeyChangeIn)
        renamed = await service.access.rename(key_id, asked.name, actor=actor_of(key), by=key)
        return {"object": "api_key", "id": renamed.id}

    @router.delete("/api-keys/{key_id}", summary="Revoke a key")
    async def remove_key(request: Request, key_id: str) -> dict[str, Any]:
        """End a key's life now."""
        key = await caller(request, service, Scope.ADMIN)
        await service.access.revoke(key_id, actor=actor_of(key), by=key)
        return {}


def key_json(key: ApiKey) -> dict[str, Any]:
    """Give a key without its secret."""
    return {
        "id": key.id,
        "name": key.name,
        "ends_in": key.last4,
        "scopes": sorted(scope.value for scope in key.scopes),
        "domains": sorted(key.domains),
        "created_at": moment(key.created_at),
        "expires_at": _moment(key.expires_at),
        "revoked_at": _moment(key.revoked_at),
        "last_used_at": _moment(key.last_used_at),
        "replaced_by": key.replaced_by,
    }


def _issued_json(issued: IssuedKey) -> dict[str, Any]:
    return key_json(issued.key) | {"secret": issued.secret}


def _moment(value: datetime | None) -> str | None:
    return moment(value) if value else None


async def _domains(service: ApiService, key: ApiKey, domain_id: str | None) -> frozenset[str]:
    if domain_id is None:
        return frozenset()
    for detail in await service.domains():
        if detail.domain.id == domain_id and detail.domain.tenant_id == key.tenant_id:
            return frozenset({detail.domain.name})
    raise InvalidInputError("domain_id: there is no such domain", field="domain_id")


def _page(
    keys: Sequence[ApiKey], limit: int, after: str, before: str
) -> tuple[Sequence[ApiKey], bool]:
    """Cut a page out of all keys, of which a tenant has few; an unknown cursor starts anew."""
    places = {key.id: place for place, key in enumerate(keys)}
    if before in places:
        end = places[before]
        return keys[max(0, end - limit) : end], end > limit
    start = places[after] + 1 if after in places else 0
    return keys[start : start + limit], len(keys) > start + limit
