"""Scheduled mail on the Resend surface: call it off, or give it another time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from backend.api.auth import actor_of, caller, must_send_from
from backend.api.bodies import read_body
from backend.api.documents import body_schema
from backend.model.address import domain_of, parse_address
from backend.model.tenant import Scope

if TYPE_CHECKING:
    from backend.api.service import ApiService
    from backend.model.tenant import ApiKey


class RescheduleIn(BaseModel):
    """The body of PATCH /emails/{id}."""

    model_config = ConfigDict(title="Reschedule", extra="ignore")

    scheduled_at: str = Field(
        min_length=1,
        max_length=100,
        description="ISO 8601 with an offset, or words such as `in 1 hour`.",
    )


def scheduled_routes(service: ApiService) -> APIRouter:
    """Give the routes; they need the scope send and see one tenant."""
    router = APIRouter(tags=["resend"])

    @router.patch(
        "/emails/{email_id}",
        summary="Reschedule a mail",
        openapi_extra=body_schema(RescheduleIn),
    )
    async def reschedule(request: Request, email_id: str) -> dict[str, Any]:
        """Give a scheduled mail another time, as long as it is not on its way."""
        key = await caller(request, service, Scope.SEND)
        asked = await read_body(request, RescheduleIn)
        await _must_be_its_own(service, key, email_id)
        changed = await service.mailing.reschedule_email(
            email_id, asked.scheduled_at, actor=actor_of(key), tenant_id=key.tenant_id
        )
        return {"object": "email", "id": changed.id}

    @router.post("/emails/{email_id}/cancel", summary="Cancel a scheduled mail")
    async def cancel(request: Request, email_id: str) -> dict[str, Any]:
        """Call a scheduled mail off; one that was called off before stays so."""
        key = await caller(request, service, Scope.SEND)
        await _must_be_its_own(service, key, email_id)
        changed = await service.mailing.cancel_email(
            email_id, actor=actor_of(key), tenant_id=key.tenant_id
        )
        return {"object": "email", "id": changed.id}

    return router


async def _must_be_its_own(service: ApiService, key: ApiKey, email_id: str) -> None:
    """Raise ForbiddenError when the key is bound to domains and the mail is from another one."""
    if key.domains:
        email = (await service.email(email_id, key.tenant_id)).email
        must_send_from(key, domain_of(parse_address(email.sender).bare))
