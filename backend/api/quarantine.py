"""Acts on mail that waits: POST /api/inbound/{id}/release, reroute, attach, spam and so on.

They need the scope admin and see the mail of the key's tenant only. A list entry made here is the
tenant's own: no key can trust or block a sender for others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from backend.api.auth import actor_of, governor
from backend.api.bodies import read_body
from backend.api.documents import body_schema
from backend.api.quarantine_models import (
    AttachIn,
    DiscardIn,
    ReleaseIn,
    RerouteIn,
    RestoreIn,
    SpamIn,
)
from backend.model.quarantine import Reroute

if TYPE_CHECKING:
    from backend.api.service import ApiService
    from backend.model.quarantine import Foreseen

    Form = ReleaseIn | RerouteIn | AttachIn | SpamIn | DiscardIn | RestoreIn

REFUSED = 409
_VERBS: dict[str, tuple[type[Form], str]] = {
    "release": (ReleaseIn, "Let a message go on after what held it"),
    "reroute": (RerouteIn, "Send a message to a target of your choice"),
    "attach": (AttachIn, "Put a message into a conversation"),
    "spam": (SpamIn, "Put a message away as spam"),
    "discard": (DiscardIn, "Put a message away"),
    "restore": (RestoreIn, "Take a message back that was put away"),
}


def quarantine_routes(service: ApiService) -> APIRouter:
    """Give the routes, to be mounted below /api."""
    router = APIRouter(tags=["relay"])
    for verb, (form, summary) in _VERBS.items():
        _add(router, service, (verb, summary), form)
    return router


def _add(router: APIRouter, service: ApiService, named: tuple[str, str], form: type[Form]) -> None:
    verb, summary = named

    @router.post(
        f"/inbound/{{inbound_id}}/{verb}",
        summary=summary,
        openapi_extra=body_schema(form),
    )
    async def act(request: Request, response: Response, inbound_id: str) -> dict[str, Any]:
        """Act on one message: 409 with the reason when it may not be done."""
        key = await governor(request, service)
        asked = await read_body(request, form)
        await service.inbound_message(inbound_id, key.tenant_id)
        wish = asked.to_act()
        if isinstance(wish, Reroute) and wish.ref:
            await service.receiving.check_ref(wish.target, wish.ref, key.tenant_id)
        if asked.dry_run:
            (seen,) = await service.quarantine.preview([inbound_id], wish)
            return _answer(response, inbound_id, seen.why, _foreseen(seen))
        report = await service.quarantine.act([inbound_id], wish, actor=actor_of(key))
        why = report.refused[0].why if report.refused else ""
        done = [{"what": one.what, "changed": one.changed} for one in report.done]
        return _answer(response, inbound_id, why, done[0] if done else {})


def _answer(response: Response, inbound_id: str, why: str, told: dict[str, Any]) -> dict[str, Any]:
    if why:
        response.status_code = REFUSED
        return {"object": "inbound_act", "id": inbound_id, "done": False, "why": why}
    return {"object": "inbound_act", "id": inbound_id, "done": True} | told


def _foreseen(seen: Foreseen) -> dict[str, Any]:
    route = seen.route
    return {
        "done": False,
        "dry_run": True,
        "sentence": seen.sentence,
        "status": seen.status,
        "reason": seen.reason,
        "target": route.target if route else None,
        "action": route.action if route else None,
        "ref": route.ref if route else None,
        "warning": seen.warning or None,
    }
