"""Received mail on the Resend surface: lists, single messages, attachments, conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from backend.api.auth import caller
from backend.api.files import BYTES, as_file, described, place_of, wants_description
from backend.api.shapes import (
    attachment_json,
    conversation_json,
    inbound_detail_json,
    inbound_json,
)
from backend.errors import InvalidInputError
from backend.model.tenant import Scope

if TYPE_CHECKING:
    from backend.api.service import ApiService

Cursor = Annotated[str, Query(max_length=64)]
MOST_FILES = 10_000


def receiving_routes(service: ApiService) -> APIRouter:
    """Give the routes below /emails; they need the scope read-logs and see one tenant."""
    router = APIRouter(tags=["resend"])
    _add_messages(router, service)
    _add_attachments(router, service)

    @router.get("/emails/{email_id}/thread", summary="Read the conversation of a mail")
    async def thread(request: Request, email_id: str) -> dict[str, Any]:
        """Give the conversation a sent or received mail is in, oldest first."""
        key = await caller(request, service, Scope.READ_LOGS)
        return conversation_json(await service.receiving.conversation(email_id, key.tenant_id))

    return router


def _add_messages(router: APIRouter, service: ApiService) -> None:
    @router.get("/emails/receiving", summary="List received mail")
    async def receiving(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: Cursor = "",
        before: Cursor = "",
    ) -> dict[str, Any]:
        """List received mail, newest first; ``after`` and ``before`` are ids of a page's ends."""
        key = await caller(request, service, Scope.READ_LOGS)
        if after and before:
            raise InvalidInputError("after: give after or before, not both", field="after")
        # one more than asked tells whether there is more, without counting
        found = await service.receiving.page(
            key.tenant_id, after=after, before=before, size=limit + 1
        )
        page = found[-limit:] if before else found[:limit]
        return {
            "object": "list",
            "has_more": len(found) > limit,
            "data": [inbound_json(message) for message in page],
        }

    @router.get("/emails/receiving/{inbound_id}", summary="Read a received mail")
    async def received(request: Request, inbound_id: str) -> dict[str, Any]:
        """Give one received mail with the explanation of what became of it."""
        key = await caller(request, service, Scope.READ_LOGS)
        return inbound_detail_json(await service.inbound_message(inbound_id, key.tenant_id))


def _add_attachments(router: APIRouter, service: ApiService) -> None:
    @router.get("/emails/receiving/{inbound_id}/attachments", summary="List attachments")
    async def attachments(request: Request, inbound_id: str) -> dict[str, Any]:
        """List the attachments of a received mail in their order."""
        key = await caller(request, service, Scope.READ_LOGS)
        detail = await service.inbound_message(inbound_id, key.tenant_id)
        data = [attachment_json(place, one) for place, one in enumerate(detail.attachments)]
        return {"object": "list", "has_more": False, "data": data}

    at = "/emails/receiving/{inbound_id}/attachments/{attachment_id}"

    @router.get(at, summary="Download an attachment", response_class=Response, responses=BYTES)
    async def attachment(request: Request, inbound_id: str, attachment_id: str) -> Response:
        """Give the bytes of one attachment, or to whoever asks for JSON what it is."""
        if not wants_description(request):
            return await content(request, inbound_id, attachment_id)
        key = await caller(request, service, Scope.READ_LOGS)
        files = (await service.inbound_message(inbound_id, key.tenant_id)).attachments
        place = place_of(inbound_id, attachment_id, len(files))
        return JSONResponse(described(request, attachment_json(place, files[place])))

    @router.get(
        f"{at}/content",
        summary="Download an attachment",
        response_class=Response,
        responses=BYTES,
    )
    async def content(request: Request, inbound_id: str, attachment_id: str) -> Response:
        """Give the bytes of one attachment; never as a page a browser would show."""
        key = await caller(request, service, Scope.READ_LOGS)
        place = place_of(inbound_id, attachment_id, MOST_FILES)
        found = await service.receiving.attachment(inbound_id, place, key.tenant_id)
        return Response(found.data, headers=as_file(found.info.name or f"attachment-{place}"))
