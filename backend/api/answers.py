"""Turn errors into answers in the words of the surface that was called."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from backend.api.errors import INTERNAL, Told, rule_for, seconds_to_wait
from backend.api.rates import rate_headers
from backend.errors import BatchRefusedError, InvalidInputError, RateLimitedError, RelayError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

_log = logging.getLogger(__name__)
_RESEND_ALIAS = "/api/emails"


def is_resend(path: str) -> bool:
    """Tell which surface a path belongs to: Resend's, or The One Relay's (/api, /events)."""
    return path.startswith(_RESEND_ALIAS) or not path.startswith(("/api/", "/events/"))


def install(app: FastAPI) -> None:
    """Let every error of an app be answered from here."""
    app.add_exception_handler(RelayError, relay_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, unexpected)


def error_answer(path: str, error: RelayError) -> JSONResponse:
    """Give the answer that tells ``error`` on the surface of ``path``."""
    told = rule_for(type(error))
    sentence = told.sentence or str(error)
    wait = seconds_to_wait(error, told)
    headers = {"Retry-After": str(wait)} if wait else {}
    if isinstance(error, RateLimitedError):
        headers |= rate_headers(error.standing)
    if is_resend(path):
        return _resend(told.resend_status, told.resend_name, sentence, headers)
    body: dict[str, object] = {"error": sentence, "name": told.name}
    if isinstance(error, InvalidInputError) and error.field:
        body["field"] = error.field
    if isinstance(error, BatchRefusedError):
        body["errors"] = [
            {"index": place, "error": str(fault), "name": rule_for(type(fault)).name}
            | ({"field": fault.field} if fault.field else {})
            for place, fault in error.faults
        ]
    if wait:
        body["retry_after"] = wait
    return JSONResponse(body, told.status, headers)


async def relay_error(request: Request, error: Exception) -> JSONResponse:
    """Answer an error that callers are told about."""
    assert isinstance(error, RelayError)  # noqa: S101  # Starlette types every handler alike
    if rule_for(type(error)).sentence:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return error_answer(request.url.path, error)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    """Answer what the router itself refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101  # as above
    name = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid_request")
    phrase = HTTPStatus(error.status_code).phrase.lower()
    sentence = f"{request.method} {request.url.path}: {phrase}; docs/api.md lists every call"
    headers = dict(error.headers) if error.headers else None
    if is_resend(request.url.path):
        return _resend(error.status_code, name, sentence, headers)
    return JSONResponse({"error": sentence, "name": name}, error.status_code, headers)


async def unexpected(request: Request, error: Exception) -> JSONResponse:
    """Answer a fault of our own; Starlette hands the traceback on to the server's log."""
    told: Told = INTERNAL
    if is_resend(request.url.path):
        return _resend(told.resend_status, told.resend_name, told.sentence, None)
    return JSONResponse({"error": told.sentence, "name": told.name}, told.status)


def _resend(status: int, name: str, message: str, headers: dict[str, str] | None) -> JSONResponse:
    return JSONResponse({"statusCode": status, "name": name, "message": message}, status, headers)
