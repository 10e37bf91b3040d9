"""How a tenant's sending stands by the rules of AWS: GET /api/compliance. Scope: read-logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request

from backend.api.auth import caller
from backend.api.shapes import moment
from backend.model.compliance import BOUNCES, COMPLAINTS
from backend.model.tenant import Scope

if TYPE_CHECKING:
    from backend.api.service import ApiService
    from backend.model.compliance import Alert, Brake, Compliance, RateLimit, Standing


def compliance_routes(service: ApiService) -> APIRouter:
    """Give the route, to be mounted below /api."""
    router = APIRouter(tags=["relay"])

    @router.get("/compliance", summary="Read how sending stands")
    async def compliance(request: Request) -> dict[str, Any]:
        """Give bounce and complaint rates of the tenant, its brake, and open alerts about it."""
        key = await caller(request, service, Scope.READ_LOGS)
        return compliance_json(await service.compliance.report(), key.tenant_id)

    return router


def compliance_json(report: Compliance, tenant_id: str) -> dict[str, Any]:
    """Give what a report says of one tenant; nothing of the account or of others is in it."""
    standing = next((one for one in report.tenants if one.tenant_id == tenant_id), None)
    brake = next((one for one in report.brakes if one.tenant_id == tenant_id), None)
    return {
        "object": "compliance",
        "standing": None if standing is None else _standing_json(standing),
        "limits": {"bounce_rate": _limit_json(BOUNCES), "complaint_rate": _limit_json(COMPLAINTS)},
        "brake": None if brake is None else _brake_json(brake),
        "alerts": [_alert_json(one) for one in report.alerts if one.subject == tenant_id],
    }


def _standing_json(standing: Standing) -> dict[str, Any]:
    return {
        "since": standing.since.isoformat(),
        "level": standing.level.value,
        "eligible": standing.eligible,
        "hard_bounces": standing.hard_bounces,
        "complaints": standing.complaints,
        "bounce_rate": round(standing.bounce_rate, 6),
        "complaint_rate": round(standing.complaint_rate, 6),
        "bounces_left": standing.bounces_left,
    }


def _limit_json(limit: RateLimit) -> dict[str, float]:
    return {"review": limit.review, "pause": limit.pause}


def _brake_json(brake: Brake) -> dict[str, Any]:
    return {
        "reason": brake.reason,
        "since": moment(brake.since),
        "automatic": brake.automatic,
    }


def _alert_json(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "kind": alert.kind.value,
        "level": alert.level.value,
        "sentence": alert.sentence,
        "raised_at": moment(alert.raised_at),
    }
