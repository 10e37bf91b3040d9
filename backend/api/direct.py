"""The app of the API: FastAPI, with the two calls that are made most answered at its door.

Routing, parameters, documents and every other call are FastAPI's. Its layers cost more than
accepting a mail does, and ``POST /emails`` and ``POST /api/send`` need none of them: they read the
body themselves and give a response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute

from backend.api import answers
from backend.api.limits import RequestLimits
from backend.errors import RelayError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import APIRouter, Response
    from starlette.types import ASGIApp, Receive, Scope, Send


class DirectApi(FastAPI):
    """FastAPI with a table of calls that take a request and give a response, by path."""

    def __init__(self, **settings: Any) -> None:
        """Take what FastAPI takes."""
        super().__init__(**settings)
        self._direct: dict[str, ASGIApp] = {}

    def answer_directly(self, router: APIRouter, path: str, prefix: str) -> None:
        """Let ``POST`` on a route of ``router`` go straight to its function.

        The route stays: it is what the document shows. Raises ValueError when there is none.
        """
        for route in router.routes:
            if (
                isinstance(route, APIRoute)
                and route.path == path
                and "POST" in (route.methods or ())
            ):
                self._direct[prefix + path] = RequestLimits(_answered(route.endpoint))
                return
        raise ValueError(f"no route POST {path}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; a direct call without the layers of FastAPI."""
        if scope["type"] == "http" and scope["method"] == "POST":
            app = self._direct.get(scope["path"])
            if app is not None:
                await app(scope, receive, send)
                return
        await super().__call__(scope, receive, send)


def _answered(endpoint: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    """Make an ASGI app of a function; what it raises is answered as everywhere else."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await endpoint(request)
        except RelayError as error:
            response = await answers.relay_error(request, error)
        except Exception as error:
            response = await answers.unexpected(request, error)
            await response(scope, receive, send)
            raise  # to the server's log, as Starlette does
        await response(scope, receive, send)

    return app
