"""One REST-JSON call to our SES or the control door, and its answer. No I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request: path decoded, query by name, JSON body ({} when there is none)."""

    method: str
    path: str
    query: dict[str, list[str]] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    def first(self, name: str, otherwise: str = "") -> str:
        """Give the first value of a query parameter."""
        return self.query.get(name, [otherwise])[0]


class SesError(Exception):
    """An error answer as SES gives it: exception name, HTTP status, sentence."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message


def bad_request(message: str) -> SesError:
    """Give the error for a request that cannot be right."""
    return SesError("BadRequestException", 400, message)


def not_found(message: str) -> SesError:
    """Give the error for what does not exist."""
    return SesError("NotFoundException", 404, message)


def already_exists(message: str) -> SesError:
    """Give the error for what exists already."""
    return SesError("AlreadyExistsException", 400, message)


def read_call(environ: WSGIEnvironment) -> Call:
    """Read a request; raises SesError when its body is not a JSON object."""
    text = environ["wsgi.input"].read()
    try:
        body = json.loads(text) if text.strip() else {}
    except ValueError:
        raise SesError("SerializationException", 400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise SesError("SerializationException", 400, "the body is not a JSON object")
    return Call(
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
        query=parse_qs(environ["QUERY_STRING"]),
        body=body,
    )


def answer(start_response: StartResponse, body: dict[str, Any], status: int = 200) -> list[bytes]:
    """Write a JSON answer."""
    headers = [("Content-Type", "application/json")]
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return [json.dumps(body).encode()]


def answer_error(start_response: StartResponse, error: SesError) -> list[bytes]:
    """Write an error the way boto3 reads it: the name in a header and in ``__type``."""
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", error.code)]
    start_response(f"{error.status} {HTTPStatus(error.status).phrase}", headers)
    return [json.dumps({"__type": error.code, "message": error.message}).encode()]
