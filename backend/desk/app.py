"""The desk as an ASGI app: PSA below /psa, CRM below /crm, Portal below /portal, views at the root.

It is the reference implementation of docs/targets.md. What writes needs the integration key; what
reads needs none from loopback.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from hmac import compare_digest
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from backend.desk import records, views
from backend.desk.books import books_routes, list_statements
from backend.desk.calls import Action, Call, EntryBody, TicketBody
from backend.desk.faults import LostAnswer, Outage
from backend.desk.hooks import hook_routes
from backend.errors import DatabaseBusyError, ForbiddenError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from backend.desk.calls import Taken
    from backend.desk.faults import Faults
    from backend.ports import Clock
    from backend.store.engine import Database

CHECKPOINT_EVERY = 500  # calls; the desk's file has no other checkpointer
MAX_KEY = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskParts:
    """What the routes work with."""

    db: Database
    clock: Clock
    faults: Faults
    integration_key: str


def create_desk(parts: DeskParts) -> FastAPI:
    """Make the app; all it keeps is in the database."""
    app = FastAPI(title="Desk: PSA, CRM and Portal", docs_url=None, redoc_url=None)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(NotFoundError, _not_found)
    app.add_exception_handler(ForbiddenError, _forbidden)
    app.add_exception_handler(DatabaseBusyError, _busy)
    _add_products(app, parts)
    _add_views(app, parts)
    _add_books(app, parts)
    return app


def _add_products(app: FastAPI, parts: DeskParts) -> None:
    @app.post("/psa/tickets", status_code=201)
    async def new_ticket(request: Request) -> Response:
        """Open a ticket."""
        return await _serve(parts, request, "psa", Action.TICKET)

    @app.post("/psa/tickets/{ref}/notes", status_code=201)
    async def add_note(request: Request) -> Response:
        """Add a note to a ticket."""
        return await _serve(parts, request, "psa", Action.NOTE)

    @app.post("/crm/contacts/{ref}/activities", status_code=201)
    async def log_activity(request: Request) -> Response:
        """Log an activity on a contact."""
        return await _serve(parts, request, "crm", Action.ACTIVITY)

    @app.post("/portal/tickets/{ref}/replies", status_code=201)
    async def add_reply(request: Request) -> Response:
        """Add the client's reply to a ticket."""
        return await _serve(parts, request, "portal", Action.REPLY)


def _add_views(app: FastAPI, parts: DeskParts) -> None:
    readers = [Depends(_reader(parts))]

    @app.get("/tickets", dependencies=readers)
    async def tickets() -> dict[str, Any]:
        """List the newest tickets."""
        return {"tickets": await parts.db.read(views.list_tickets)}

    @app.get("/tickets/{ref}", dependencies=readers)
    async def ticket(ref: str) -> dict[str, Any]:
        """Show a ticket with its notes and replies."""
        return await parts.db.read(views.show_ticket, ref)

    @app.get("/contacts", dependencies=readers)
    async def contacts() -> dict[str, Any]:
        """List the contacts."""
        return {"contacts": await parts.db.read(views.list_contacts)}

    @app.get("/activities", dependencies=readers)
    async def activities() -> dict[str, Any]:
        """List the newest activities."""
        return {"activities": await parts.db.read(views.list_activities)}

    @app.get("/inspect", dependencies=readers)
    async def inspect(after: Annotated[int, Query(ge=0)] = 0) -> dict[str, Any]:
        """Show all that was received, once per thing it made, for audits."""
        return {"received": await parts.db.read(views.list_received, after)}

    @app.get("/usage", dependencies=readers)
    async def usage() -> dict[str, Any]:
        """List what Books bills: the newest statement of each tenant and day."""
        return {"usage": await parts.db.read(list_statements)}

    @app.post("/_desk/outage", dependencies=readers)
    async def outage(wanted: Outage) -> dict[str, Any]:
        """Let a product fail for a while, or lose its next answers."""
        parts.faults.begin(wanted)
        return wanted.model_dump()


def _add_books(app: FastAPI, parts: DeskParts) -> None:
    def refusal() -> Response | None:
        return _refusal(parts, "books")

    def check_key(request: Request) -> None:
        _check_key(parts, request)

    app.include_router(hook_routes())
    app.include_router(books_routes(parts.db, check_key, refusal))


def _refusal(parts: DeskParts, target: str) -> Response | None:
    """Give the answer of a product that is down at present."""
    refusal = parts.faults.refusal(target)
    if refusal is None:
        return None
    wait = refusal.retry_after
    headers = None if wait is None else {"Retry-After": str(wait)}
    return JSONResponse({"detail": f"{target} is down"}, refusal.status, headers)


async def _serve(parts: DeskParts, request: Request, target: str, action: Action) -> Response:
    """Answer one call of the contract; the work is committed before the answer begins."""
    _check_key(parts, request)
    refused = _refusal(parts, target)
    if refused is not None:
        return refused
    call = await _read_call(parts, request, target, action)
    taken: Taken = await parts.db.write(records.take, call)
    if taken.status == 201 and taken.seq % CHECKPOINT_EVERY == 0:
        await parts.db.checkpoint()
    if parts.faults.drops_answer(target):
        return LostAnswer()
    return JSONResponse(dict(taken.answer), taken.status)


async def _read_call(parts: DeskParts, request: Request, target: str, action: Action) -> Call:
    key = request.headers.get("idempotency-key", "")
    if not 1 <= len(key) <= MAX_KEY:
        raise HTTPException(400, f"Idempotency-Key: send one of 1 to {MAX_KEY} characters")
    raw = await request.body()
    try:
        values = json.loads(raw)
        model = TicketBody if action is Action.TICKET else EntryBody
        body = model.model_validate(values)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"]) or "body"
        raise HTTPException(422, f"{place}: {fault['msg']}") from None
    except ValueError:
        raise HTTPException(400, "the body is not JSON; see docs/targets.md") from None
    return Call(
        target=target,
        action=action,
        path=request.url.path,
        ref=request.path_params.get("ref", ""),
        base_url=str(request.base_url).rstrip("/"),
        idempotency_key=key,
        # of the values, not the bytes: a retry may order its fields in another way
        body_hash=hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest(),
        raw=values,
        body=body,
        at=parts.clock.now(),
    )


def _check_key(parts: DeskParts, request: Request) -> None:
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    right = compare_digest(given.strip().encode(), parts.integration_key.encode())
    if kind.lower() != "bearer" or not parts.integration_key or not right:
        raise HTTPException(401, "Authorization: send Bearer and the INTEGRATION_KEY of the desk")


def _reader(parts: DeskParts) -> Callable[[Request], None]:
    def check(request: Request) -> None:
        if request.client is None or not ip_address(request.client.host).is_loopback:
            _check_key(parts, request)

    return check


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # Starlette types every handler alike
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


async def _not_found(_request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, 404)


async def _forbidden(_request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, 403)


async def _busy(_request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, 503, {"Retry-After": "1"})
