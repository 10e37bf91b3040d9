"""The surface of The One Relay: /api/send and /api/send-batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from backend.api.auth import caller
from backend.api.batches import relay_batch_routes
from backend.api.bodies import idempotency_key, read_body
from backend.api.documents import body_schema
from backend.api.drafting import hand_in
from backend.api.mail_models import RelayMailIn
from backend.api.rates import marks
from backend.api.shapes import accepted_json
from backend.model.tenant import Scope

if TYPE_CHECKING:
    from backend.api.service import ApiService

ACCEPTED = 202


def relay_routes(service: ApiService) -> APIRouter:
    """Give the routes, to be mounted below /api."""
    router = APIRouter(tags=["relay"])
    _add_send(router, service)
    router.include_router(relay_batch_routes(service))
    return router


def _add_send(router: APIRouter, service: ApiService) -> None:
    @router.post(
        "/send",
        status_code=ACCEPTED,
        summary="Send a mail",
        openapi_extra=body_schema(RelayMailIn, once=True),
    )
    async def send(request: Request) -> Response:
        """Accept a mail: 202 means it is on disk; ``skipped`` names suppressed recipients."""
        key = await caller(request, service, Scope.SEND)
        once = idempotency_key(request)
        mail = await read_body(request, RelayMailIn)
        accepted = await hand_in(service, key, mail.to_draft(), once)
        return JSONResponse(accepted_json(accepted), ACCEPTED, marks(accepted))
