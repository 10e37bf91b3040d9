"""What is billed, over HTTP: GET /api/usage. Scope: admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request

from backend.api.auth import caller
from backend.model.tenant import Scope
from backend.model.usage import UsageKind, month_of

if TYPE_CHECKING:
    from backend.api.service import ApiService
    from backend.ports import Clock


def usage_routes(service: ApiService, clock: Clock) -> APIRouter:
    """Give the route, to be mounted below /api."""
    router = APIRouter(tags=["relay"])

    @router.get("/usage", summary="Count what is billed")
    async def usage(
        request: Request, month: Annotated[str, Query(max_length=7)] = ""
    ) -> dict[str, Any]:
        """Give the days of a month, such as 2026-11, in UTC, and their sums; else of this month."""
        key = await caller(request, service, Scope.ADMIN)
        query = month_of(month or clock.now().strftime("%Y-%m"), key.tenant_id)
        found = await service.usage.days(query)
        return {
            "since": query.since.isoformat(),
            "until": query.until.isoformat(),
            "data": [
                {
                    "day": one.day.isoformat(),
                    **{kind.value: one.counts.get(kind, 0) for kind in UsageKind},
                }
                for one in found
            ],
            "total": {
                kind.value: sum(one.counts.get(kind, 0) for one in found) for kind in UsageKind
            },
        }

    return router
