"""Refuse what no call can mean: a body larger than any mail SES takes, a NUL in the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.api.answers import error_answer
from backend.api.errors import BodyTooLargeError
from backend.errors import InvalidInputError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# SES takes 40 MB after base64 (ses.md: "Limits"); text and JSON around it need room
MAX_BODY = 55 * 1024 * 1024


class RequestLimits:
    """ASGI middleware that looks at the address of each request and counts its body's bytes."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 413 or 422; a body that grows too large is stopped."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _has_nul(scope):
            error = InvalidInputError("the address holds a NUL (%00), which no id or text has")
            await error_answer(scope["path"], error)(scope, receive, send)
            return
        if _announced(scope) > self._limit:
            await error_answer(scope["path"], self._error())(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise self._error()
            return message

        await self._app(scope, counted, send)

    def _error(self) -> BodyTooLargeError:
        return BodyTooLargeError(
            f"the body is larger than {self._limit // 1_048_576} MB; send smaller attachments"
        )


def _has_nul(scope: Scope) -> bool:
    # PostgreSQL refuses a NUL in any text, SQLite does not: say so here, alike for both
    return "\0" in scope["path"] or b"%00" in scope["query_string"]


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
