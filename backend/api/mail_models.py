"""A mail as JSON, checked once at the edge: both surfaces share these shapes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping  # noqa: TC003  # pydantic reads the annotation
from dataclasses import replace
from mimetypes import guess_type
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

from backend.model.outbound import Attachment, EmailDraft, OnUnknown
from backend.model.template import TemplateUse

_UNKNOWN_TYPE = "application/octet-stream"


def _as_list(value: Any) -> Any:
    return [] if value is None else [value] if isinstance(value, str) else value


def _as_bytes(value: Any) -> Any:
    """Read base64 text, or the list of byte values that Resend's Python SDK may send."""
    if isinstance(value, list):
        try:
            return bytes(value)
        except (TypeError, ValueError):
            raise ValueError("a list must hold byte values from 0 to 255") from None
    if not isinstance(value, str):
        raise ValueError("must be base64 text")  # noqa: TRY004  # pydantic wants ValueError
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64; encode the bytes of the file as base64") from None


def _as_tags(value: Any) -> Any:
    """Read tags as a map, or as Resend's list of {name, value}."""
    if not isinstance(value, list):
        return value
    try:
        tags = {tag["name"]: tag["value"] for tag in value}
    except (TypeError, KeyError):
        raise ValueError("must be a map, or a list of {name, value}") from None
    if len(tags) != len(value):
        raise ValueError("names a tag twice; each name may appear once")
    return tags


def _no_path(value: Any) -> Any:
    if isinstance(value, dict) and value.get("path"):
        raise ValueError(
            "files are not fetched from a path or URL; send the bytes of the file as base64 in"
            " content"
        )
    return value


Addresses = Annotated[list[str], BeforeValidator(_as_list, json_schema_input_type=str | list[str])]
Tags = Annotated[
    dict[str, str],
    BeforeValidator(_as_tags, json_schema_input_type=dict[str, str] | list[dict[str, str]]),
]
AnyValue = StrictBool | StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)] | StrictStr
Base64 = Annotated[bytes, BeforeValidator(_as_bytes, json_schema_input_type=str)]


class AttachmentIn(BaseModel):
    """A file on a mail; ``content_id`` makes it inline."""

    filename: str = Field(description="The name the recipient sees.", examples=["invoice.pdf"])
    content: Base64 = Field(description="The bytes of the file as base64.", examples=["JVBERi0="])
    content_type: str | None = Field(
        default=None, description="Its media type; guessed from the name when absent."
    )
    content_id: str | None = Field(
        default=None, description="Makes the file inline, as cid:<content_id> in the html."
    )

    def to_attachment(self) -> Attachment:
        """Give the attachment as the backend knows it."""
        return Attachment(
            filename=self.filename,
            content=self.content,
            content_type=self.content_type or guess_type(self.filename)[0] or _UNKNOWN_TYPE,
            content_id=self.content_id,
        )


class MailIn(BaseModel):
    """What both surfaces know of a mail; fields not named here are ignored."""

    model_config = ConfigDict(
        populate_by_name=False,
        json_schema_extra={
            "examples": [
                {
                    "from": "Acme Support <support@acme.example>",
                    "to": ["jo@client.example"],
                    "subject": "Ticket ABC-1001",
                    "text": "We are on it.",
                    "tags": {"product": "psa", "ticket_id": "1001"},
                }
            ]
        },
    )

    sender: str = Field(alias="from", description="An address at a verified domain.")
    to: Addresses = Field(description="One address or a list; to, cc and bcc: 50 in all.")
    subject: str = Field(description="One line of text.")
    html: str | None = Field(default=None, description="The HTML body.")
    text: str | None = Field(default=None, description="The plain body; html or text is needed.")
    cc: Addresses = Field(default_factory=list, description="Copies, seen by all.")
    bcc: Addresses = Field(default_factory=list, description="Blind copies.")
    reply_to: Addresses = Field(default_factory=list, description="Where replies should go.")
    headers: dict[str, str] | None = Field(default=None, description="Further headers.")
    tags: Tags | None = Field(default=None, description="A map, or a list of {name, value}.")
    attachments: list[Annotated[AttachmentIn, BeforeValidator(_no_path)]] | None = Field(
        default=None, description="At most 10 files."
    )
    scheduled_at: str | None = Field(
        default=None,
        max_length=100,
        description="When to send: ISO 8601 with an offset, or words such as `in 1 min`.",
    )
    on_unknown: OnUnknown = Field(
        default=OnUnknown.RETRY,
        description="When SES's answer is lost and no SEND event comes: `retry` sends the mail"
        " again, `hold` holds it for a person.",
    )

    def to_draft(self) -> EmailDraft:
        """Give the draft the backend takes; addresses are validated there."""
        tags: Mapping[str, str] | None = self.tags
        return EmailDraft(
            sender=self.sender,
            to=tuple(self.to),
            subject=self.subject,
            cc=tuple(self.cc),
            bcc=tuple(self.bcc),
            reply_to=tuple(self.reply_to),
            html=self.html,
            text=self.text,
            headers=self.headers,
            tags=tags,
            attachments=tuple(one.to_attachment() for one in self.attachments or ()),
            scheduled_at=self.scheduled_at,
            on_unknown=self.on_unknown,
        )


class TemplateUseIn(BaseModel):
    """Which template to send, by id or alias, and its variables."""

    id: str = Field(description="The template's id, alias or name.")
    variables: dict[str, AnyValue] = Field(default_factory=dict)

    def to_use(self) -> TemplateUse:
        """Give the use as the backend knows it."""
        return TemplateUse(template=self.id, values=self.variables)


class RelayMailIn(MailIn):
    """The body of POST /api/send; a field that is not known is an error."""

    model_config = ConfigDict(title="RelayMail", extra="forbid")


class ResendMailIn(MailIn):
    """The body of POST /emails; fields the SDKs send beyond these are ignored."""

    model_config = ConfigDict(title="ResendMail", extra="ignore")

    template: TemplateUseIn | None = Field(
        default=None, description="A published template instead of html and text."
    )

    @model_validator(mode="before")
    @classmethod
    def _of_template(cls, value: Any) -> Any:
        """Let a template say who sends it and what it is about."""
        if isinstance(value, dict) and value.get("template"):
            return {"from": "", "subject": ""} | value
        return value

    def to_draft(self) -> EmailDraft:
        """Give the draft the backend takes, with the template that is to fill it."""
        use = self.template.to_use() if self.template else None
        return replace(super().to_draft(), template=use)
