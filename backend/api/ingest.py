"""Mail and notices that come in over HTTP: POST /events/... (docs/inbound.md).

Two of the calls carry no key: SNS signs what it posts, and nothing is believed before the
signature of a topic of ours was verified. The third asks for a token of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from backend.api.bodies import read_body
from backend.api.documents import body_schema
from backend.api.errors import BodyTooLargeError, MalformedBodyError
from backend.api.ingest_models import InboundEventIn
from backend.inbound.sources.http_event import Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from backend.api.service import ApiService

MAX_NOTICE = 512 * 1024  # SNS posts 256 KB at most, and escapes it
ACCEPTED = 202
_OPEN: dict[str, Any] = {"security": []}
_EVENT: dict[str, Any] = {"security": [{"bearer": []}], **body_schema(InboundEventIn)}


def ingest_routes(service: ApiService) -> APIRouter:
    """Give the routes, to be mounted at the root."""
    router = APIRouter(tags=["ingest"])

    @router.post("/events/inbound", summary="Take in a mail", openapi_extra=_EVENT)
    async def inbound(request: Request, response: Response) -> dict[str, Any]:
        """Take in a mail that another program posts: 202 when it is new, 200 for other ends."""
        service.ingest.admit(_bearer(request))
        event = (await read_body(request, InboundEventIn, any_text=True)).to_event()
        result = await service.ingest.http_event(event)
        if result.outcome is Outcome.PROCESSED:
            response.status_code = ACCEPTED
        return {
            "outcome": result.outcome.value,
            "event_id": event.event_id,
            "inbound_ids": list(result.inbound_ids),
        }

    @router.post("/events/inbound/ses-s3", summary="Take in a receipt notice", openapi_extra=_OPEN)
    async def ses_s3(request: Request) -> dict[str, Any]:
        """Take in what SES announces through SNS; a subscription is confirmed by an API call."""
        return await _from_sns(request, service.ingest.sns_inbound)

    @router.post("/events/ses", summary="Apply a sending event", openapi_extra=_OPEN)
    async def ses(request: Request) -> dict[str, Any]:
        """Apply what SES tells through SNS of a mail we sent."""
        return await _from_sns(request, service.ingest.sns_feedback)

    return router


async def _from_sns(request: Request, take: Callable[[bytes], Awaitable[str]]) -> dict[str, Any]:
    if request.headers.get("x-amz-sns-rawdelivery", "").lower() == "true":
        raise MalformedBodyError(
            "raw message delivery carries no signature; turn it off for this subscription"
        )
    return {"outcome": await take(await _notice(request))}


async def _notice(request: Request) -> bytes:
    """Read the body of a caller we do not know yet, and no more of it than SNS would post."""
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_NOTICE:
                raise BodyTooLargeError(f"SNS posts no more than {MAX_NOTICE // 1024} KB")
    except ClientDisconnect:
        raise MalformedBodyError("the connection closed before the body had ended") from None
    return bytes(body)


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""
