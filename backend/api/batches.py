"""Batches on both surfaces: one transaction, and what became of each mail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from backend.api.auth import caller
from backend.api.batch_models import (
    PERMISSIVE,
    STRICT,
    RelayBatchIn,
    ResendBatchIn,
    partly,
    read_batch,
)
from backend.api.bodies import IN_THREAD, idempotency_key, read_raw, refuse_encoded
from backend.api.documents import body_schema
from backend.api.drafting import all_drafted, asked_in_batch
from backend.api.errors import MalformedBodyError, rule_for
from backend.api.mail_models import RelayMailIn, ResendMailIn
from backend.api.rates import mark
from backend.api.shapes import accepted_json
from backend.model.outbound import Refused
from backend.model.tenant import Scope

if TYPE_CHECKING:
    from backend.api.mail_models import MailIn
    from backend.api.service import ApiService
    from backend.errors import InvalidInputError
    from backend.model.outbound import BatchAccepted

ACCEPTED, NONE_ACCEPTED = 202, 422
RELAY_MOST, RESEND_MOST = 50, 100


def relay_batch_routes(service: ApiService) -> APIRouter:
    """Give /send-batch, to be mounted below /api."""
    router = APIRouter(tags=["relay"])

    @router.post(
        "/send-batch",
        status_code=ACCEPTED,
        summary="Send up to 50 mails",
        openapi_extra=body_schema(RelayBatchIn, once=True),
    )
    async def send_batch(request: Request, response: Response) -> dict[str, Any]:
        """Accept what is right in a batch and say of each mail what became of it.

        With ``x-batch-validation: strict`` all of it is accepted or nothing.
        """
        answer = await _accept(request, service, RelayMailIn, RELAY_MOST, PERMISSIVE)
        mark(response, answer)
        refused = sum(isinstance(one, Refused) for one in answer.results)
        if refused == len(answer.results):
            response.status_code = NONE_ACCEPTED
        return {
            "accepted": len(answer.results) - refused,
            "refused": refused,
            "results": [_relay_result(place, one) for place, one in enumerate(answer.results)],
        }

    return router


def resend_batch_routes(service: ApiService) -> APIRouter:
    """Give /emails/batch; it must be mounted before /emails/{id}."""
    router = APIRouter(tags=["resend"])

    @router.post(
        "/emails/batch",
        summary="Send up to 100 mails",
        openapi_extra=body_schema(ResendBatchIn, once=True),
    )
    async def send_batch(request: Request, response: Response) -> dict[str, Any]:
        """Accept a batch: all or nothing, or with ``x-batch-validation: permissive`` what is right.

        The body is the bare list. ``data`` has the ids of what was accepted, ``errors`` the rest.
        """
        answer = await _accept(request, service, ResendMailIn, RESEND_MOST, STRICT)
        mark(response, answer)
        places = list(enumerate(answer.results))
        told: dict[str, Any] = {
            "data": [{"id": one.email_id} for _, one in places if not isinstance(one, Refused)]
        }
        if partly(request.headers, default=STRICT):
            told["errors"] = [
                {"index": place, "message": str(one.error)}
                for place, one in places
                if isinstance(one, Refused)
            ]
        return told

    return router


async def _accept(
    request: Request, service: ApiService, model: type[MailIn], most: int, default: str
) -> BatchAccepted:
    key = await caller(request, service, Scope.SEND_BATCH)
    once = idempotency_key(request)
    take_part = partly(request.headers, default=default)
    raw = await read_raw(request)
    try:
        if len(raw) < IN_THREAD:
            wanted = read_batch(raw, model, most)
        else:
            wanted = await asyncio.to_thread(read_batch, raw, model, most)
    except MalformedBodyError:
        refuse_encoded(request)
        raise
    asked = asked_in_batch(wanted, once)
    wanted = await all_drafted(service, key, wanted)
    return await service.mailing.send_batch(
        key.tenant_id,
        wanted,
        idempotency_key=once,
        key_id=key.id,
        partly=take_part,
        asked=asked,
    )


def _relay_result(place: int, one: Any) -> dict[str, Any]:
    if isinstance(one, Refused):
        return {"index": place} | fault_json(one.error)
    return {"index": place} | accepted_json(one)


def fault_json(error: InvalidInputError) -> dict[str, Any]:
    """Give what is wrong with one mail of a batch."""
    told: dict[str, Any] = {"error": str(error), "name": rule_for(type(error)).name}
    return told | ({"field": error.field} if error.field else {})
