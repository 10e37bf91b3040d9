"""The surface of The One Relay: /api/send, /api/logs and /api/stats."""

from __future__ import annotations

from collections import Counter as Sum
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from backend.api.auth import caller
from backend.api.bodies import idempotency_key, read_body
from backend.api.documents import body_schema
from backend.api.mail_models import RelayMailIn
from backend.api.resend import REPLAYED
from backend.api.shapes import log_json, moment
from backend.errors import InvalidInputError
from backend.model.inbound import InboundStatus
from backend.model.outbound import EmailStatus
from backend.model.stats import Counter
from backend.model.tenant import Scope
from backend.model.views import Direction, LogQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.api.service import ApiService
    from backend.model.outbound import Accepted
    from backend.model.stats import SeriesPoint
    from backend.ports import Clock

ACCEPTED = 202
_STATUSES = {status.value for status in EmailStatus} | {status.value for status in InboundStatus}


def relay_routes(service: ApiService, clock: Clock) -> APIRouter:
    """Give the routes, to be mounted below /api."""
    router = APIRouter(tags=["relay"])
    _add_send(router, service)
    _add_logs(router, service)
    _add_stats(router, service, clock)
    return router


def _add_send(router: APIRouter, service: ApiService) -> None:
    @router.post(
        "/send",
        status_code=ACCEPTED,
        summary="Send a mail",
        openapi_extra=body_schema(RelayMailIn),
    )
    async def send(request: Request, response: Response) -> dict[str, Any]:
        """Accept a mail: 202 means it is on disk; ``skipped`` names suppressed recipients."""
        key = await caller(request, service, Scope.SEND)
        once = idempotency_key(request)
        mail = await read_body(request, RelayMailIn)
        accepted = await service.send(key.tenant_id, mail.to_draft(), idempotency_key=once)
        if accepted.replayed:
            response.headers[REPLAYED] = "true"
        return _accepted_json(accepted)


def _add_logs(router: APIRouter, service: ApiService) -> None:
    @router.get("/logs", summary="List mail, both ways")
    async def logs(
        request: Request,
        direction: Direction | None = None,
        status: Annotated[str, Query(max_length=40)] = "",
        text: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> dict[str, Any]:
        """List mail, newest first; ``text`` is part of an address, the subject or the id."""
        key = await caller(request, service, Scope.READ_LOGS)
        if status and status not in _STATUSES:
            known = ", ".join(sorted(_STATUSES))
            raise InvalidInputError(f"status: there is no such status; use {known}", field="status")
        query = LogQuery(tenant_id=key.tenant_id, direction=direction, status=status, text=text)
        found = await service.log(query, offset, limit)
        return {
            "data": [log_json(entry) for entry in found],
            "total": await service.count_log(query),
            "limit": limit,
            "offset": offset,
        }


def _add_stats(router: APIRouter, service: ApiService, clock: Clock) -> None:
    @router.get("/stats", summary="Count mail")
    async def stats(
        request: Request, days: Annotated[int, Query(ge=1, le=90)] = 7
    ) -> dict[str, Any]:
        """Count recipients and received messages of the last days, and the rates among them."""
        key = await caller(request, service, Scope.READ_LOGS)
        until = clock.now() + timedelta(minutes=1)
        since = until - timedelta(days=days)
        points = await service.series(since, until, tenant_id=key.tenant_id)
        return {"since": moment(since), "until": moment(until), "days": days} | _summary(points)


def _accepted_json(accepted: Accepted) -> dict[str, Any]:
    return {
        "message_id": accepted.email_id,
        "status": accepted.status.value,
        "skipped": [
            {"address": one.address, "reason": one.reason, "since": moment(one.since)}
            for one in accepted.skipped
        ],
    }


def _summary(points: Sequence[SeriesPoint]) -> dict[str, Any]:
    totals: Sum[Counter] = Sum()
    for point in points:
        totals.update(point.counts)
    # of what SES took, as AWS counts (ses.md section 5); None before anything was sent
    sent = totals[Counter.SENT]
    rates = {
        f"{name}_rate": round(totals[counter] / sent, 6) if sent else None
        for name, counter in (
            ("delivery", Counter.DELIVERED),
            ("bounce", Counter.BOUNCED),
            ("complaint", Counter.COMPLAINED),
        )
    }
    return {"counts": {counter.value: totals[counter] for counter in Counter}} | rates
