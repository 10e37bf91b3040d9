"""The Resend-compatible surface: /emails, with the words and shapes the official SDKs expect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from backend.api.auth import caller
from backend.api.batches import resend_batch_routes
from backend.api.bodies import idempotency_key, read_body
from backend.api.documents import body_schema
from backend.api.drafting import hand_in
from backend.api.files import sent_file_routes
from backend.api.mail_models import ResendMailIn
from backend.api.rates import REPLAYED, marks
from backend.api.receiving import receiving_routes
from backend.api.scheduled import scheduled_routes
from backend.api.shapes import accepted_json, email_json
from backend.errors import NotFoundError
from backend.model.tenant import Scope

if TYPE_CHECKING:
    from backend.api.service import ApiService

__all__ = ["REPLAYED", "resend_routes"]


def resend_routes(service: ApiService) -> APIRouter:
    """Give the routes; they are mounted at the root and, as an alias, below /api."""
    router = APIRouter(tags=["resend"])

    @router.post(
        "/emails", summary="Send a mail", openapi_extra=body_schema(ResendMailIn, once=True)
    )
    async def send(request: Request) -> Response:
        """Accept a mail and answer its id; it is on disk by then and is sent soon after."""
        key = await caller(request, service, Scope.SEND)
        once = idempotency_key(request)
        mail = await read_body(request, ResendMailIn)
        accepted = await hand_in(service, key, mail.to_draft(), once)
        told: dict[str, Any] = {"id": accepted.email_id}
        if accepted.skipped:
            told["skipped"] = accepted_json(accepted)["skipped"]
        return JSONResponse(told, headers=marks(accepted))

    # before /emails/{email_id}, which would take "receiving" for an id
    router.include_router(resend_batch_routes(service))
    router.include_router(receiving_routes(service))
    router.include_router(scheduled_routes(service))
    router.include_router(sent_file_routes(service))

    @router.get("/emails/{email_id}", summary="Read a sent mail")
    async def email(request: Request, email_id: str) -> dict[str, Any]:
        """Give one mail with its last event and, as long as they are kept, its bodies."""
        key = await caller(request, service, Scope.READ_LOGS)
        told = email_json(await service.email(email_id, key.tenant_id))
        try:
            draft = await service.mailing.draft(email_id, key.tenant_id)
        except NotFoundError:
            return told | {"html": None, "text": None, "reply_to": []}
        bodies = {"html": draft.html, "text": draft.text}
        return told | bodies | {"reply_to": list(draft.reply_to)}

    return router
