"""A tenant's settings over HTTP: its rate limits, and what becomes of missing variables.

GET and PATCH /api/settings. Scope: admin.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from backend.api.auth import actor_of, caller, governor
from backend.api.bodies import read_body
from backend.api.documents import body_schema
from backend.model.limits import MOST, Window
from backend.model.tenant import Scope

if TYPE_CHECKING:
    from backend.api.service import ApiService
    from backend.model.limits import LimitState, SendLimits

Count = Annotated[int, Field(ge=1, le=MOST)]


class LimitsIn(BaseModel):
    """Messages by window; null follows the server's limit, what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    second: Count | None = None
    minute: Count | None = None
    hour: Count | None = None
    day: Count | None = None

    def over(self, own: SendLimits) -> SendLimits:
        """Give the limits after the change."""
        return replace(own, **{name: getattr(self, name) for name in self.model_fields_set})


class SettingsIn(BaseModel):
    """The body of PATCH /api/settings; what is left out stays."""

    model_config = ConfigDict(title="Settings", extra="forbid")

    limits: LimitsIn | None = Field(default=None, description="How much may be handed in.")
    leave_missing: bool | None = Field(
        default=None, description="Missing template variables stay as written, not refused."
    )


def settings_routes(service: ApiService) -> APIRouter:
    """Give the routes, to be mounted below /api."""
    router = APIRouter(tags=["relay"])

    @router.get("/settings", summary="Read the settings")
    async def settings(request: Request) -> dict[str, Any]:
        """Give the limits of the tenant, what is used of them, and the switch of templates."""
        key = await caller(request, service, Scope.ADMIN)
        return await _settings(service, key.tenant_id)

    @router.patch("/settings", summary="Change the settings", openapi_extra=body_schema(SettingsIn))
    async def change(request: Request) -> dict[str, Any]:
        """Change what is named and give all settings; a key of one tenant lowers limits only."""
        key = await governor(request, service)
        asked = await read_body(request, SettingsIn)
        if asked.limits is not None:
            state = await _limits(service, key.tenant_id)
            own = asked.limits.over(state.own)
            # a tenant may be careful with what it was given, not give itself more
            await service.limits.set(
                key.tenant_id, own, actor=actor_of(key), only_lower=not key.any_tenant
            )
        if asked.leave_missing is not None:
            await service.templates.leave_missing(
                key.tenant_id, leave=asked.leave_missing, actor=actor_of(key)
            )
        return await _settings(service, key.tenant_id)

    return router


async def _settings(service: ApiService, tenant_id: str) -> dict[str, Any]:
    state = await _limits(service, tenant_id)
    return {
        "object": "settings",
        "limits": {
            window.value: {
                "limit": state.holds.of(window),
                "own": state.own.of(window),
                "used": state.used.get(window, 0),
            }
            for window in Window
        },
        "leave_missing": await service.templates.leaves_missing(tenant_id),
    }


async def _limits(service: ApiService, tenant_id: str) -> LimitState:
    """Give the state of the tenant itself, which comes before those of its keys."""
    return (await service.limits.show(tenant_id))[0]
