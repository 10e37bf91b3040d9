"""Sending and receiving domains over HTTP, in Resend's shapes; below /api they are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from backend.api.auth import actor_of, caller, must_send_from
from backend.api.bodies import read_body
from backend.api.documents import body_schema
from backend.api.shapes import moment
from backend.domains.settings import DomainChange
from backend.errors import NotFoundError
from backend.model.tenant import CatchAll, DomainStatus, Scope

if TYPE_CHECKING:
    from backend.api.service import ApiService
    from backend.model.tenant import ApiKey, DnsRecord
    from backend.model.views import DomainDetail

CREATED = 201
_STATUS = {DomainStatus.VERIFIED: "verified", DomainStatus.FAILED: "failed"}


class CapabilitiesIn(BaseModel):
    """What Resend's SDKs say of a domain; sending is always on."""

    model_config = ConfigDict(extra="ignore")

    receiving: Literal["enabled", "disabled"] | None = None

    def inbound(self) -> bool | None:
        """Tell whether mail is to be received, None when that is left open."""
        return None if self.receiving is None else self.receiving == "enabled"


class DomainIn(BaseModel):
    """The body of POST /domains; what only Resend's own servers know is ignored."""

    model_config = ConfigDict(title="Domain", extra="ignore")

    name: str = Field(description="Such as mail.example.com.")
    inbound_enabled: bool | None = Field(default=None, description="Receive mail for it as well.")
    capabilities: CapabilitiesIn | None = Field(
        default=None, description="Resend's way to say the same: `receiving` is `enabled`."
    )


class DomainChangeIn(BaseModel):
    """The body of PATCH /domains/{id}; see docs/routing.md."""

    model_config = ConfigDict(title="DomainChange", extra="ignore")

    inbound_enabled: bool | None = None
    capabilities: CapabilitiesIn | None = Field(
        default=None, description="Resend's way to say the same: `receiving`."
    )
    ticket_from: list[str] | None = Field(default=None, description="Local parts of tickets.")
    reply_prefix: str | None = None
    catch_all: Literal["unrouted", "ticket", "quarantine"] | None = None
    auto_response: bool | None = Field(default=None, description="Answer who opened a ticket.")
    auto_response_subject: str | None = Field(default=None, description="Empty: our own words.")
    auto_response_text: str | None = Field(default=None, description="Empty: our own words.")


def domain_routes(service: ApiService) -> APIRouter:
    """Give the routes; they are mounted at the root and below /api. Scope: manage-domains."""
    router = APIRouter(tags=["domains"])
    _add_reading(router, service)
    _add_making(router, service)
    _add_changing(router, service)
    return router


def _add_reading(router: APIRouter, service: ApiService) -> None:
    @router.get("/domains", summary="List domains")
    async def domains(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=100)] = 100,
        after: Annotated[str, Query(max_length=64)] = "",
        before: Annotated[str, Query(max_length=64)] = "",
    ) -> dict[str, Any]:
        """List the domains of the tenant by name."""
        key = await caller(request, service, Scope.MANAGE_DOMAINS)
        own = [one for one in await service.domains() if one.domain.tenant_id == key.tenant_id]
        places = {one.domain.id: place for place, one in enumerate(own)}
        start = places[after] + 1 if after in places else 0
        if before in places:
            start = max(0, places[before] - limit)
        page = own[start : places.get(before, start + limit)][:limit]
        more = start > 0 if before in places else len(own) > start + limit
        data = [_line(one) for one in page]
        return {"object": "list", "has_more": more, "data": data}

    @router.get("/domains/{domain_id}", summary="Read a domain with its DNS records")
    async def domain(request: Request, domain_id: str) -> dict[str, Any]:
        """Give one domain with the records its owner publishes."""
        key = await caller(request, service, Scope.MANAGE_DOMAINS)
        return domain_json(await _own(service, key, domain_id))


def _add_making(router: APIRouter, service: ApiService) -> None:
    @router.post(
        "/domains",
        status_code=CREATED,
        summary="Register a domain",
        openapi_extra=body_schema(DomainIn),
    )
    async def create(request: Request) -> dict[str, Any]:
        """Register a domain with SES and give the records to publish."""
        key = await caller(request, service, Scope.MANAGE_DOMAINS)
        asked = await read_body(request, DomainIn)
        must_send_from(key, asked.name.strip().lower())
        made = await service.add_domain(
            key.tenant_id,
            asked.name,
            inbound_enabled=bool(_inbound(asked)),
            actor=actor_of(key),
            unproven=not key.any_tenant,
        )
        return domain_json(made)


def _add_changing(router: APIRouter, service: ApiService) -> None:
    @router.patch(
        "/domains/{domain_id}",
        summary="Change what a domain does with received mail",
        openapi_extra=body_schema(DomainChangeIn),
    )
    async def change(request: Request, domain_id: str) -> dict[str, Any]:
        """Change a domain's settings."""
        key = await caller(request, service, Scope.MANAGE_DOMAINS)
        asked = await read_body(request, DomainChangeIn)
        own = await _own(service, key, domain_id)
        must_send_from(key, own.domain.name)
        await service.change_domain(own.domain.name, _wish(asked), actor=actor_of(key))
        return {"object": "domain", "id": own.domain.id}

    @router.post("/domains/{domain_id}/verify", summary="Ask SES how a domain stands")
    async def verify(request: Request, domain_id: str) -> dict[str, Any]:
        """Look again now; SES itself looks for the DNS records from time to time."""
        key = await caller(request, service, Scope.MANAGE_DOMAINS)
        own = await _own(service, key, domain_id)
        await service.refresh_domain(own.domain.id, actor=actor_of(key))
        return {"object": "domain", "id": own.domain.id}

    @router.delete("/domains/{domain_id}", summary="Remove a domain")
    async def remove(request: Request, domain_id: str) -> dict[str, Any]:
        """Take a domain from the tenant; its identity at SES stays."""
        key = await caller(request, service, Scope.MANAGE_DOMAINS)
        own = await _own(service, key, domain_id)
        must_send_from(key, own.domain.name)
        gone = await service.remove_domain(
            own.domain.id, actor=actor_of(key), tenant_id=key.tenant_id
        )
        return {"object": "domain", "id": gone.id, "deleted": True}


def _inbound(asked: DomainIn | DomainChangeIn) -> bool | None:
    if asked.inbound_enabled is not None or asked.capabilities is None:
        return asked.inbound_enabled
    return asked.capabilities.inbound()


def _wish(asked: DomainChangeIn) -> DomainChange:
    return DomainChange(
        inbound_enabled=_inbound(asked),
        ticket_from=asked.ticket_from,
        reply_prefix=asked.reply_prefix,
        catch_all=CatchAll(asked.catch_all) if asked.catch_all else None,
        auto_response=asked.auto_response,
        auto_response_subject=asked.auto_response_subject,
        auto_response_text=asked.auto_response_text,
    )


def domain_json(detail: DomainDetail) -> dict[str, Any]:
    """Give a domain with its records."""
    domain = detail.domain
    return _line(detail) | {
        "object": "domain",
        "records": [_record(one, _word(domain.status)) for one in detail.records],
        "open_tracking": False,
        "click_tracking": False,
        "inbound_enabled": domain.inbound_enabled,
        "ticket_from": list(domain.ticket_from),
        "reply_prefix": domain.reply_prefix,
        "catch_all": domain.catch_all.value,
        "auto_response": domain.auto_response.enabled,
        "auto_response_subject": domain.auto_response.subject,
        "auto_response_text": domain.auto_response.text,
    }


def _line(detail: DomainDetail) -> dict[str, Any]:
    domain = detail.domain
    return {
        "id": domain.id,
        "name": domain.name,
        "status": _word(domain.status),
        "created_at": moment(domain.created_at),
        "region": detail.region,
        "capabilities": {
            "sending": "enabled",
            "receiving": "enabled" if domain.inbound_enabled else "disabled",
        },
    }


def _word(status: DomainStatus) -> str:
    return _STATUS.get(status, "pending")


def _record(record: DnsRecord, status: str) -> dict[str, Any]:
    written: dict[str, Any] = {
        "record": _kind(record),
        "name": record.name,
        "type": record.type,
        "ttl": "Auto",
        "status": status,
        "value": record.value,
        "purpose": record.purpose,
    }
    return written if record.priority is None else written | {"priority": record.priority}


def _kind(record: DnsRecord) -> str:
    if "_domainkey." in record.name:
        return "DKIM"
    if record.name.startswith("_dmarc."):
        return "DMARC"
    return "Receiving" if record.value.startswith("inbound-smtp.") else "SPF"


async def _own(service: ApiService, key: ApiKey, domain_id: str) -> DomainDetail:
    for detail in await service.domains():
        if domain_id in (detail.domain.id, detail.domain.name):
            if detail.domain.tenant_id == key.tenant_id:
                return detail
            break
    raise NotFoundError(f"there is no domain {domain_id[:100]}")
