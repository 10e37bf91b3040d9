"""The HTTP API as one ASGI app: Resend's surface at the root, The One Relay's below /api."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError

from backend.api import answers
from backend.api.bodies import input_error
from backend.api.compliance import compliance_routes
from backend.api.direct import DirectApi
from backend.api.documents import describe
from backend.api.domains import domain_routes
from backend.api.ingest import ingest_routes
from backend.api.keys import key_routes, resend_key_routes
from backend.api.limits import RequestLimits
from backend.api.logs import logs_routes, sent_routes
from backend.api.quarantine import quarantine_routes
from backend.api.relay import relay_routes
from backend.api.resend import resend_routes
from backend.api.settings import settings_routes
from backend.api.suppressions import resend_suppression_routes, suppression_routes
from backend.api.templates import send_template_routes, template_routes
from backend.api.usage import usage_routes
from backend.api.webhooks import webhook_routes
from backend.api.webhooks_resend import resend_webhook_routes
from backend.clock import SystemClock

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from backend.api.service import ApiService
    from backend.ports import Clock

VERSION = "0.1.0"


def create_app(service: ApiService, clock: Clock | None = None) -> FastAPI:
    """Make the app over a backend; it holds no state of its own."""
    app = DirectApi(
        title="Relay Console API",
        version=VERSION,
        description="Send mail, read what became of it, read what came in. See docs/api.md.",
        # the pages would fetch their scripts from elsewhere; the document itself is enough
        docs_url=None,
        redoc_url=None,
    )
    _include_all(app, service, clock or SystemClock())

    @app.get("/health", tags=["health"], summary="Tell that the server is up", openapi_extra=_OPEN)
    async def health() -> dict[str, str]:
        """Answer at once, without a key and without touching the database."""
        return {"status": "ok"}

    answers.install(app)
    app.add_exception_handler(RequestValidationError, _bad_parameter)
    app.add_middleware(RequestLimits)
    document: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not document:
            document.update(describe(app))
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI documents it
    return app


def _include_all(app: DirectApi, service: ApiService, clock: Clock) -> None:
    """Join the routes of both surfaces."""
    resend = resend_routes(service)
    app.include_router(resend)
    app.include_router(resend, prefix="/api", include_in_schema=False)
    app.include_router(sent_routes(service))
    app.include_router(sent_routes(service), prefix="/api", include_in_schema=False)
    app.include_router(ingest_routes(service))
    relay = relay_routes(service)
    app.include_router(relay, prefix="/api")
    app.include_router(logs_routes(service, clock), prefix="/api")
    domains = domain_routes(service)
    app.include_router(domains)
    app.include_router(domains, prefix="/api", include_in_schema=False)
    app.include_router(quarantine_routes(service), prefix="/api")
    app.include_router(key_routes(service), prefix="/api")
    app.include_router(webhook_routes(service), prefix="/api")
    app.include_router(resend_webhook_routes(service))
    app.include_router(usage_routes(service, clock), prefix="/api")
    app.include_router(settings_routes(service), prefix="/api")
    app.include_router(compliance_routes(service), prefix="/api")
    app.include_router(resend_key_routes(service))
    templates = template_routes(service)
    app.include_router(templates)
    app.include_router(templates, prefix="/api", include_in_schema=False)
    app.include_router(suppression_routes(service), prefix="/api")
    app.include_router(resend_suppression_routes(service))
    app.include_router(send_template_routes(service), prefix="/api")
    app.answer_directly(resend, "/emails", "")
    app.answer_directly(relay, "/send", "/api")


_OPEN: dict[str, Any] = {"security": []}


async def _bad_parameter(request: Request, error: Exception) -> Response:
    """Answer a wrong query parameter like any other wrong input."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # Starlette types all alike
    fault = dict(error.errors()[0])
    fault["loc"] = tuple(fault["loc"])[1:]  # without "query"
    return answers.error_answer(request.url.path, input_error(fault))
