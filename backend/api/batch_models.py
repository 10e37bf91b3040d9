"""A batch as JSON: each mail is read on its own, so that one that is wrong spoils no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError
from pydantic_core import from_json

from backend.api.bodies import input_error, refuse_nul
from backend.api.errors import MalformedBodyError
from backend.api.mail_models import MailIn, RelayMailIn, ResendMailIn
from backend.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backend.model.outbound import EmailDraft

M = TypeVar("M", bound=MailIn)
STRICT, PERMISSIVE = "strict", "permissive"


class RelayBatchIn(BaseModel):
    """The body of POST /api/send-batch; a bare list of messages is taken as well."""

    model_config = ConfigDict(title="RelayBatch", extra="forbid")

    messages: list[RelayMailIn] = Field(min_length=1, max_length=50, description="1 to 50 mails.")


class ResendBatchIn(RootModel[list[ResendMailIn]]):
    """The body of POST /emails/batch: the bare list of 1 to 100 mails."""

    model_config = ConfigDict(title="ResendBatch")


def read_batch(raw: bytes, model: type[M], most: int) -> list[EmailDraft | InvalidInputError]:
    """Give each mail of a batch, or what is wrong with it.

    Raises MalformedBodyError when it is no batch, InvalidInputError when it has too many mails.
    """
    listed = _listed(raw)
    if not 1 <= len(listed) <= most:
        raise InvalidInputError(
            f"messages: a batch has 1 to {most} mails; this one has {len(listed)}",
            field="messages",
        )
    return [_read(one, model) for one in listed]


def partly(headers: Mapping[str, str], *, default: str) -> bool:
    """Tell whether what is right in a batch is taken when other mails in it are wrong."""
    asked = headers.get("x-batch-validation", default).strip().lower()
    if asked not in (STRICT, PERMISSIVE):
        raise InvalidInputError(
            f"x-batch-validation: {asked[:40]!r} is not known; use strict or permissive",
            field="x-batch-validation",
        )
    return asked == PERMISSIVE


def _listed(raw: bytes) -> Sequence[Any]:
    try:
        body = from_json(raw)
    except ValueError as error:
        raise MalformedBodyError(f"the body is not JSON: {error}; it must be in UTF-8") from None
    if isinstance(body, dict):
        body = body.get("messages", body.get("emails"))
    if not isinstance(body, list):
        raise MalformedBodyError(
            "the body is not a list of mails, nor an object with one under messages"
        )
    return body


def _read(one: Any, model: type[M]) -> EmailDraft | InvalidInputError:
    if not isinstance(one, dict):
        return MalformedBodyError("this is not a mail: a JSON object is needed")
    try:
        refuse_nul(one)
        return model.model_validate(one).to_draft()
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return input_error(fault)
    except InvalidInputError as error:
        return error
