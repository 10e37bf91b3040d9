"""Receivers of webhooks: one that takes every event, and one that is closed.

They show what a tenant's endpoint looks like from the outside; signatures are not looked at.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

TAKEN, CLOSED = 204, 503


def hook_routes() -> APIRouter:
    """Give the routes below /hooks."""
    router = APIRouter()

    @router.post("/hooks/closed")
    async def closed() -> Response:
        """Refuse every event, as a service that was forgotten does."""
        return Response(status_code=CLOSED)

    @router.post("/hooks/{name}")
    async def take(name: str) -> Response:
        """Take an event."""
        del name
        return Response(status_code=TAKEN)

    return router
