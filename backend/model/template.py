"""Templates of mail: what is kept, and what filling one in gives. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Value = str | int | float | bool


class VariableType(Explained):
    """What a variable of a template may hold."""

    STRING = "string", "Any text."
    NUMBER = "number", "A whole or decimal number."
    BOOLEAN = "boolean", "True or false."


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable of a template; without a ``fallback`` every send has to give it."""

    key: str
    type: VariableType = VariableType.STRING
    fallback: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateContent:
    """What a version says; ``variables`` are all it uses, in the order of their first use."""

    subject: str
    html: str | None = None
    text: str | None = None
    sender: str = ""
    reply_to: tuple[str, ...] = ()
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateVersion:
    """One version as it was saved; versions count from 1 and never change."""

    template_id: str
    number: int
    content: TemplateContent
    created_at: datetime
    created_by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template of a tenant: its newest version, and the one that is sent (None: none yet)."""

    id: str
    tenant_id: str
    name: str
    alias: str
    latest: int
    published: int | None
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateDetail:
    """A template with one of its versions."""

    template: Template
    version: TemplateVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A filled template; ``missing`` stand in it as written, ``unused`` values are in no part."""

    subject: str
    html: str | None
    text: str | None
    missing: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateWish:
    """A template as a caller writes it; None keeps what an older version said."""

    name: str | None = None
    alias: str | None = None
    subject: str | None = None
    html: str | None = None
    text: str | None = None
    sender: str | None = None
    reply_to: tuple[str, ...] | None = None
    variables: tuple[Variable, ...] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUse:
    """Which template to send: ``template`` is an id, alias or name; no version: the published."""

    template: str
    values: Mapping[str, Value]
    version: int | None = None
