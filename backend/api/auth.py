"""Who calls, and may they: the API key of a request, its scope and its tenant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.api.errors import MissingKeyError
from backend.errors import ForbiddenError
from backend.model.tenant import Scope

if TYPE_CHECKING:
    from fastapi import Request

    from backend.api.service import ApiService
    from backend.model.tenant import ApiKey


async def caller(request: Request, service: ApiService, scope: Scope) -> ApiKey:
    """Give the key of a request; raises AuthenticationError, and ForbiddenError without scope.

    With ``X-Relay-Tenant: <id or name>`` a key of all tenants acts for that one, and
    ``tenant_id`` of the answer says so.
    """
    key = await service.authenticate(_secret(request))
    if not key.allows(scope):
        raise ForbiddenError(f"this API key lacks the scope {scope.value}; use a key that has it")
    named = request.headers.get("x-relay-tenant", "").strip()
    return await _acting_for(service, key, named) if named else key


async def governor(request: Request, service: ApiService) -> ApiKey:
    """Give the key of a request that changes what concerns a whole tenant, with all its domains.

    Raises as ``caller`` does, and ForbiddenError for a key that is bound to domains.
    """
    key = await caller(request, service, Scope.ADMIN)
    if key.domains:
        raise ForbiddenError(
            f"this API key is bound to {_bounds(key)}, and this concerns the whole tenant;"
            " use a key without bounds"
        )
    return key


def must_send_from(key: ApiKey, domain: str) -> None:
    """Raise ForbiddenError for a domain outside those a key is bound to, if it is bound."""
    if not key.sends_from(domain):
        raise ForbiddenError(
            f"this API key is bound to {_bounds(key)}: it may do nothing about {domain[:100]}"
        )


def _bounds(key: ApiKey) -> str:
    return ", ".join(sorted(key.domains))


def actor_of(key: ApiKey) -> str:
    """Give how the audit log names who acted with a key."""
    return f"key {key.id}"


async def _acting_for(service: ApiService, key: ApiKey, named: str) -> ApiKey:
    # a key of one tenant learns nothing here about the others
    for tenant in await service.tenants() if key.any_tenant else ():
        if named in (tenant.id, tenant.name):
            return replace(key, tenant_id=tenant.id)
    if named == key.tenant_id:
        return key
    raise ForbiddenError(
        f"X-Relay-Tenant: this API key may not act for {named[:60]!r}; leave the header out"
    )


def _secret(request: Request) -> str:
    """Read the key from X-Relay-Key, or from Authorization: Bearer; both surfaces take either."""
    direct = request.headers.get("x-relay-key", "").strip()
    kind, _, bearer = request.headers.get("authorization", "").partition(" ")
    secret = direct or (bearer.strip() if kind.lower() == "bearer" else "")
    if not secret:
        raise MissingKeyError(
            "no API key: send it as `Authorization: Bearer rly_...` or `X-Relay-Key: rly_...`"
        )
    return secret
