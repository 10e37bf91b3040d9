"""Templates over HTTP: Resend's calls, and beyond them versions, previews and sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from backend.api.auth import actor_of, caller
from backend.api.bodies import idempotency_key, read_body
from backend.api.documents import body_schema
from backend.api.drafting import hand_in
from backend.api.rates import mark
from backend.api.shapes import accepted_json, moment
from backend.api.template_models import (
    MOST_VERSIONS,
    FillingIn,
    TemplateIn,
    TemplateMailIn,
    TemplatePublishIn,
    variable_json,
)
from backend.errors import InvalidInputError
from backend.model.tenant import Scope

if TYPE_CHECKING:
    from backend.api.service import ApiService
    from backend.model.template import Template, TemplateDetail, TemplateVersion

ACCEPTED, CREATED = 202, 201
Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str, Query(max_length=64)]


def template_routes(service: ApiService) -> APIRouter:
    """Give the routes; they are mounted at the root and below /api. Scope: manage-templates."""
    router = APIRouter(tags=["templates"])
    _add_reading(router, service)
    _add_writing(router, service)
    _add_versions(router, service)
    _add_preview(router, service)
    return router


def send_template_routes(service: ApiService) -> APIRouter:
    """Give /send-template, to be mounted below /api."""
    router = APIRouter(tags=["templates"])

    @router.post(
        "/send-template",
        status_code=ACCEPTED,
        summary="Send a mail made of a template",
        openapi_extra=body_schema(TemplateMailIn, once=True),
    )
    async def send_template(request: Request, response: Response) -> dict[str, Any]:
        """Accept a mail; a missing variable is a 422 that names every missing one."""
        key = await caller(request, service, Scope.SEND)
        once = idempotency_key(request)
        mail = await read_body(request, TemplateMailIn)
        accepted = await hand_in(service, key, mail.to_draft(), once)
        mark(response, accepted)
        return accepted_json(accepted)

    return router


def _add_reading(router: APIRouter, service: ApiService) -> None:
    @router.get("/templates", summary="List templates")
    async def templates(
        request: Request, limit: Limit = 20, after: Cursor = "", before: Cursor = ""
    ) -> dict[str, Any]:
        """List templates, newest first."""
        key = await caller(request, service, Scope.MANAGE_TEMPLATES)
        if after and before:
            raise InvalidInputError("after: give after or before, not both", field="after")
        found = await service.templates.page(
            key.tenant_id, after=after, before=before, size=limit + 1
        )
        page = found[-limit:] if before else found[:limit]
        return {
            "object": "list",
            "has_more": len(found) > limit,
            "data": [template_json(one) for one in page],
        }

    @router.get("/templates/{template_id}", summary="Read a template")
    async def template(
        request: Request,
        template_id: str,
        version: Annotated[int | None, Query(ge=1, le=MOST_VERSIONS)] = None,
    ) -> dict[str, Any]:
        """Give a template, by id or alias, with its newest or a named version."""
        key = await caller(request, service, Scope.MANAGE_TEMPLATES)
        return detail_json(await service.templates.get(key.tenant_id, template_id, version))


def _add_writing(router: APIRouter, service: ApiService) -> None:
    @router.post(
        "/templates",
        status_code=CREATED,
        summary="Make a template",
        openapi_extra=body_schema(TemplateIn),
    )
    async def create(request: Request) -> dict[str, Any]:
        """Save a new template; it is sent only after it was published."""
        key = await caller(request, service, Scope.MANAGE_TEMPLATES)
        asked = await read_body(request, TemplateIn)
        made = await service.templates.create(key.tenant_id, asked.to_wish(), actor=actor_of(key))
        return _named(made.template)

    @router.patch(
        "/templates/{template_id}",
        summary="Change a template",
        openapi_extra=body_schema(TemplateIn),
    )
    async def change(request: Request, template_id: str) -> dict[str, Any]:
        """Save a new version; the published one is sent until the new one is published."""
        key = await caller(request, service, Scope.MANAGE_TEMPLATES)
        asked = await read_body(request, TemplateIn)
        made = await service.templates.change(
            key.tenant_id, template_id, asked.to_wish(), actor=actor_of(key)
        )
        return _named(made.template) | {"version": made.version.number}

    @router.delete("/templates/{template_id}", summary="Delete a template")
    async def remove(request: Request, template_id: str) -> dict[str, Any]:
        """Delete a template with all its versions."""
        key = await caller(request, service, Scope.MANAGE_TEMPLATES)
        gone = await service.templates.remove(key.tenant_id, template_id, actor=actor_of(key))
        return _named(gone) | {"deleted": True}


def _add_versions(router: APIRouter, service: ApiService) -> None:
    @router.post(
        "/templates/{template_id}/publish",
        summary="Publish a version",
        openapi_extra=body_schema(TemplatePublishIn),
    )
    async def publish(request: Request, template_id: str) -> dict[str, Any]:
        """Send the newest version from now on, or ``version``: an older one is a rollback."""
        key = await caller(request, service, Scope.MANAGE_TEMPLATES)
        asked = TemplatePublishIn()
        if await request.body():
            asked = await read_body(request, TemplatePublishIn)
        made = await service.templates.publish(
            key.tenant_id, template_id, asked.version, actor=actor_of(key)
        )
        return _named(made.template) | {"version": made.version.number}

    @router.post("/templates/{template_id}/duplicate", summary="Copy a template")
    async def duplicate(request: Request, template_id: str) -> dict[str, Any]:
        """Copy the newest version into a new template called "... (Copy)"."""
        key = await caller(request, service, Scope.MANAGE_TEMPLATES)
        made = await service.templates.clone(key.tenant_id, template_id, actor=actor_of(key))
        return _named(made.template)

    @router.get("/templates/{template_id}/versions", summary="List the versions of a template")
    async def versions(request: Request, template_id: str) -> dict[str, Any]:
        """List every version, newest first."""
        key = await caller(request, service, Scope.MANAGE_TEMPLATES)
        found = await service.templates.versions(key.tenant_id, template_id)
        data = [version_json(one) for one in found]
        return {"object": "list", "has_more": False, "data": data}


def _add_preview(router: APIRouter, service: ApiService) -> None:
    @router.post(
        "/templates/{template_id}/preview",
        summary="Fill in a template without sending it",
        openapi_extra=body_schema(FillingIn),
    )
    async def preview(request: Request, template_id: str) -> dict[str, Any]:
        """Give subject, html and text as they would be sent, and which variables are missing."""
        key = await caller(request, service, Scope.MANAGE_TEMPLATES)
        asked = await read_body(request, FillingIn)
        made = await service.templates.preview(
            key.tenant_id, template_id, asked.variables, asked.version
        )
        return {
            "subject": made.subject,
            "html": made.html,
            "text": made.text,
            "missing": list(made.missing),
            "unused": list(made.unused),
        }


def template_json(template: Template) -> dict[str, Any]:
    """Give a template as a line of a list."""
    return {
        "object": "template",
        "id": template.id,
        "name": template.name,
        "alias": template.alias or None,
        "status": "draft" if template.published is None else "published",
        "created_at": moment(template.created_at),
        "updated_at": moment(template.updated_at),
        "published_at": moment(template.published_at) if template.published_at else None,
        "version": template.latest,
        "published_version": template.published,
        "has_unpublished_versions": template.published != template.latest,
    }


def detail_json(detail: TemplateDetail) -> dict[str, Any]:
    """Give a template with the version that was asked for."""
    return (
        template_json(detail.template)
        | version_json(detail.version)
        | {
            "object": "template",
            "created_at": moment(detail.template.created_at),
        }
    )


def version_json(version: TemplateVersion) -> dict[str, Any]:
    """Give one version."""
    content = version.content
    return {
        "object": "template_version",
        "version": version.number,
        "from": content.sender or None,
        "reply_to": list(content.reply_to) or None,
        "subject": content.subject,
        "html": content.html or "",
        "text": content.text,
        "variables": [variable_json(one) for one in content.variables],
        "note": version.note,
        "created_at": moment(version.created_at),
        "created_by": version.created_by,
    }


def _named(template: Template) -> dict[str, Any]:
    return {"object": "template", "id": template.id}
