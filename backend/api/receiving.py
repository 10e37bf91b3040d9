"""Received mail on the Resend surface: lists, single messages, attachments, conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from backend.api.auth import caller
from backend.api.shapes import (
    attachment_json,
    conversation_json,
    inbound_detail_json,
    inbound_json,
)
from backend.errors import InvalidInputError, NotFoundError
from backend.model.tenant import Scope

if TYPE_CHECKING:
    from backend.api.service import ApiService

Cursor = Annotated[str, Query(max_length=64)]
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "the decoded bytes"}
}


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

    @router.get(
        "/emails/receiving/{inbound_id}/attachments/{attachment_id}",
        summary="Download an attachment",
        response_class=Response,
        responses=_BYTES,
    )
    async def attachment(request: Request, inbound_id: str, attachment_id: str) -> Response:
        """Give the bytes of one attachment; never as a page a browser would show."""
        key = await caller(request, service, Scope.READ_LOGS)
        place = _place(inbound_id, attachment_id)
        found = await service.receiving.attachment(inbound_id, place, key.tenant_id)
        return Response(found.data, headers=_as_file(found.info.name or f"attachment-{place}"))


def _place(inbound_id: str, attachment_id: str) -> int:
    if not attachment_id.isascii() or not attachment_id.isdigit() or len(attachment_id) > 4:
        raise NotFoundError(f"{inbound_id} has no attachment {attachment_id[:40]!r}")
    return int(attachment_id)


def _as_file(name: str) -> dict[str, str]:
    """Give headers under which any content is a file to be saved and nothing else."""
    base = name.replace("\\", "/").rpartition("/")[2].strip(". ")[:150]
    base = "".join(char for char in base if char.isprintable()) or "attachment"
    named = quote(base.encode("utf-8", "replace"), safe="")
    return {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{named}",  # RFC 6266
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }
