"""Who calls, and may they: the API key of a request and its scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.api.errors import MissingKeyError
from backend.errors import ForbiddenError

if TYPE_CHECKING:
    from fastapi import Request

    from backend.api.service import ApiService
    from backend.model.tenant import ApiKey, Scope


async def caller(request: Request, service: ApiService, scope: Scope) -> ApiKey:
    """Give the key of a request; raises AuthenticationError, and ForbiddenError without scope."""
    key = await service.authenticate(_secret(request))
    if not key.allows(scope):
        raise ForbiddenError(f"this API key lacks the scope {scope.value}; use a key that has it")
    return key


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
