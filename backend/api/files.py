"""Files over HTTP: the attachments of sent mail, and how any file is handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from backend.api.auth import caller
from backend.errors import NotFoundError
from backend.model.tenant import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.api.service import ApiService
    from backend.model.outbound import Attachment

BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "the decoded bytes"}
}
_PLACE = "/emails/{email_id}/attachments/{attachment_id}"


def sent_file_routes(service: ApiService) -> APIRouter:
    """Give the routes below /emails/{id}; they need the scope read-logs and see one tenant."""
    router = APIRouter(tags=["resend"])

    async def files(request: Request, email_id: str) -> Sequence[Attachment]:
        key = await caller(request, service, Scope.READ_LOGS)
        return (await service.mailing.draft(email_id, key.tenant_id)).attachments

    @router.get("/emails/{email_id}/attachments", summary="List the attachments of a sent mail")
    async def attachments(request: Request, email_id: str) -> dict[str, Any]:
        """List the attachments of a sent mail in their order."""
        data = [sent_file_json(at, one) for at, one in enumerate(await files(request, email_id))]
        return {"object": "list", "has_more": False, "data": data}

    @router.get(_PLACE, summary="Read an attachment of a sent mail")
    async def attachment(request: Request, email_id: str, attachment_id: str) -> dict[str, Any]:
        """Describe one attachment and name the URL of its bytes."""
        found = await files(request, email_id)
        place = place_of(email_id, attachment_id, len(found))
        return described(request, sent_file_json(place, found[place]))

    @router.get(
        f"{_PLACE}/content",
        summary="Download an attachment of a sent mail",
        response_class=Response,
        responses=BYTES,
    )
    async def content(request: Request, email_id: str, attachment_id: str) -> Response:
        """Give the bytes of one attachment; never as a page a browser would show."""
        found = await files(request, email_id)
        one = found[place_of(email_id, attachment_id, len(found))]
        return Response(one.content, headers=as_file(one.filename))

    return router


def sent_file_json(place: int, one: Attachment) -> dict[str, Any]:
    """Give one attachment of a sent mail; its id is its place."""
    return {
        "id": str(place),
        "filename": one.filename,
        "content_type": one.content_type,
        "content_id": one.content_id,
        "content_disposition": "inline" if one.content_id else "attachment",
        "size": len(one.content),
    }


def described(request: Request, told: dict[str, Any]) -> dict[str, Any]:
    """Give an attachment as Resend's SDKs read it: its bytes are at ``download_url``."""
    url = request.url.replace(query="", fragment="")
    return {"object": "attachment"} | told | {"download_url": f"{url}/content"}


def wants_description(request: Request) -> bool:
    """Tell whether a caller expects JSON where others expect the bytes: Resend's SDKs do.

    The Python one says so in Accept; the one of Node gives a Content-Type even to a GET.
    """
    said = request.headers.get("accept", ""), request.headers.get("content-type", "")
    return any(one.startswith("application/json") for one in said)


def place_of(mail_id: str, attachment_id: str, count: int) -> int:
    """Read the id of an attachment; raises NotFoundError unless there are more than it says."""
    number = attachment_id.isascii() and attachment_id.isdigit() and len(attachment_id) <= 4
    if not number or int(attachment_id) >= count:
        raise NotFoundError(f"{mail_id} has no attachment {attachment_id[:40]!r}")
    return int(attachment_id)


def as_file(name: str) -> dict[str, str]:
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
