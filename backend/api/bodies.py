"""Read a request body into a model, with one clear sentence for the first thing wrong in it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ValidationError
from pydantic_core import from_json
from starlette.requests import ClientDisconnect

from backend.api.errors import BadIdempotencyKeyError, MalformedBodyError, MissingFieldError
from backend.errors import InvalidInputError
from backend.model.moments import as_utc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import Request
    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)
Moment = Annotated[AwareDatetime, AfterValidator(as_utc)]
AnyMoment = Annotated[datetime, AfterValidator(as_utc)]
"""A moment; without a zone it is UTC."""

_NUL = b"\\u0000"
_MARK = b"\xef\xbb\xbf"  # RFC 8259 8.1 lets a reader pass over it; PowerShell's files begin with it
IN_THREAD = 256 * 1024  # bytes from which parsing would hold up the event loop for milliseconds
MAX_KEY = 256


async def read_body(request: Request, model: type[M], *, any_text: bool = False) -> M:
    """Read and check a JSON body; raises InvalidInputError and its kinds, naming the field.

    ``any_text``: a NUL may stand in it, as in raw mail.
    """
    raw = await read_raw(request)
    try:
        if len(raw) < IN_THREAD:
            return parse_body(model, raw, any_text=any_text)
        return await asyncio.to_thread(parse_body, model, raw, any_text=any_text)
    except MalformedBodyError:
        refuse_encoded(request)
        raise


async def read_raw(request: Request) -> bytes:
    """Read a body as it came; raises MalformedBodyError when it ends too soon."""
    try:
        raw = (await request.body()).removeprefix(_MARK)
    except ClientDisconnect:
        raise MalformedBodyError("the connection closed before the body had ended") from None
    if not raw:
        raise MalformedBodyError("the body is empty; this call needs JSON, see docs/api.md")
    return raw


def refuse_encoded(request: Request) -> None:
    """Raise MalformedBodyError for a body that was compressed: that explains why it is no JSON."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise MalformedBodyError(
            f"the body is encoded as {encoding[:20]!r}; send it plain, without Content-Encoding"
        )


def idempotency_key(request: Request) -> str | None:
    """Read the Idempotency-Key header; raises BadIdempotencyKeyError."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        raise BadIdempotencyKeyError(
            f"Idempotency-Key: must be 1 to {MAX_KEY} printable ASCII characters",
            field="Idempotency-Key",
        )
    return key


def parse_body(model: type[M], raw: bytes, *, any_text: bool = False) -> M:
    """Check raw JSON against a model; raises InvalidInputError and its kinds."""
    try:
        parsed = model.model_validate_json(raw)
    except ValidationError as error:
        # without the input: it may be a mail's text
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise input_error(fault) from None
    if _NUL in raw and not any_text:
        refuse_nul(from_json(raw))
    return parsed


def input_error(fault: ErrorDetails | Mapping[str, Any]) -> InvalidInputError:
    """Give pydantic's account of a fault as one sentence that names the field."""
    field = _place(fault["loc"])
    match fault["type"]:
        case "json_invalid":
            why = fault["msg"].removeprefix("Invalid JSON: ")
            return MalformedBodyError(f"the body is not JSON: {why}; it must be an object in UTF-8")
        case "model_type":
            return MalformedBodyError("the body is not a JSON object; see docs/api.md")
        case "missing":
            return MissingFieldError(f"{field}: this field is needed", field=field)
        case "extra_forbidden":
            return InvalidInputError(
                f"{field}: there is no such field; docs/api.md lists them", field=field
            )
        case "none_required":
            return InvalidInputError(f"{field}: is not supported yet; leave it out", field=field)
        case _:
            message = fault["msg"].removeprefix("Value error, ")
            return InvalidInputError(f"{field}: {message[:1].lower()}{message[1:]}", field=field)


def refuse_nul(value: Any, place: tuple[int | str, ...] = ()) -> None:
    """Raise InvalidInputError for a NUL in any text: PostgreSQL keeps none, and mail has none."""
    if isinstance(value, str) and "\0" in value:
        field = _place(place)
        raise InvalidInputError(f"{field}: a NUL (\\u0000) is not allowed in any text", field=field)
    if isinstance(value, dict):
        for name, one in value.items():
            refuse_nul(name, place)
            refuse_nul(one, (*place, name))
    if isinstance(value, list):
        for at, one in enumerate(value):
            refuse_nul(one, (*place, at))


def _place(loc: Sequence[int | str]) -> str:
    """Give ``attachments[0].content`` for the path of a fault."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text[:100]
