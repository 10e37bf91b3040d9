"""Templates as JSON, checked once at the edge: both surfaces share these shapes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from backend.api.mail_models import Addresses, AnyValue, MailIn
from backend.model.template import TemplateUse, TemplateWish, Variable, VariableType

if TYPE_CHECKING:
    from backend.model.outbound import EmailDraft

# resend.com/docs/dashboard/templates/template-variables; a template declared here works there too
RESERVED = frozenset({"FIRST_NAME", "LAST_NAME", "EMAIL", "UNSUBSCRIBE_URL", "contact", "this"})
MOST_VERSIONS = 2**31 - 1  # what a column of PostgreSQL holds


class VariableIn(BaseModel):
    """One variable: ``string``, ``number`` or ``boolean``."""

    model_config = ConfigDict(extra="ignore")

    key: str = Field(description="Its name, as in {{name}}.", examples=["ticket_id"])
    type: Literal["string", "number", "boolean"] = Field(default="string")
    fallback_value: AnyValue | None = Field(
        default=None, description="Stands in when a send gives none; without it one must."
    )

    @field_validator("key")
    @classmethod
    def _is_free(cls, key: str) -> str:
        if key in RESERVED:
            raise ValueError(f"the name {key} is reserved; declare it under another name")
        return key

    def to_variable(self) -> Variable:
        """Give the variable as the backend knows it."""
        return Variable(key=self.key, type=VariableType(self.type), fallback=self.fallback_value)


class TemplateIn(BaseModel):
    """The body that makes or changes a template; what is left out stays as it was."""

    model_config = ConfigDict(title="Template", extra="ignore")

    name: str | None = Field(default=None, description="1 to 100 characters, unique.")
    alias: str | None = Field(default=None, description="A second, stable name for programs.")
    sender: str | None = Field(default=None, alias="from", description="The default sender.")
    reply_to: Addresses | None = Field(default=None, description="Default reply addresses.")
    subject: str | None = Field(default=None, description="One line; may hold {{variables}}.")
    html: str | None = Field(default=None, description="Values are HTML-escaped in it.")
    text: str | None = Field(default=None, description="The plain part.")
    variables: list[VariableIn] | None = Field(default=None, description="Types and fallbacks.")
    note: str = Field(default="", max_length=500, description="Why this version.")

    def to_wish(self) -> TemplateWish:
        """Give the wish the backend takes."""
        variables = self.variables
        return TemplateWish(
            name=self.name,
            alias=self.alias,
            subject=self.subject,
            html=self.html,
            text=self.text,
            sender=self.sender,
            reply_to=None if self.reply_to is None else tuple(self.reply_to),
            variables=None if variables is None else tuple(one.to_variable() for one in variables),
            note=self.note,
        )


class FillingIn(BaseModel):
    """Values for a preview."""

    model_config = ConfigDict(title="TemplateFilling", extra="forbid")

    variables: dict[str, AnyValue] = Field(default_factory=dict)
    version: int | None = Field(default=None, ge=1, le=MOST_VERSIONS)


class TemplatePublishIn(BaseModel):
    """Which version to publish; without it the newest."""

    model_config = ConfigDict(title="TemplatePublish", extra="ignore")

    version: int | None = Field(default=None, ge=1, le=MOST_VERSIONS)


class TemplateMailIn(MailIn):
    """The body of POST /api/send-template: a mail without a body of its own."""

    model_config = ConfigDict(title="TemplateMail", extra="forbid", json_schema_extra={})

    template_id: str = Field(description="The template's id, alias or name.")
    variables: dict[str, AnyValue] = Field(default_factory=dict)
    version: int | None = Field(
        default=None, ge=1, le=MOST_VERSIONS, description="Without it the published one."
    )
    sender: str = Field(default="", alias="from", description="Instead of the template's.")
    subject: str = Field(default="", description="Instead of the template's.")

    def to_draft(self) -> EmailDraft:
        """Give the draft the backend takes, with the template that is to fill it."""
        use = TemplateUse(template=self.template_id, values=self.variables, version=self.version)
        return replace(super().to_draft(), template=use)


def variable_json(variable: Variable) -> dict[str, Any]:
    """Give one variable as Resend writes it."""
    return {"key": variable.key, "type": variable.type.value, "fallback_value": variable.fallback}
