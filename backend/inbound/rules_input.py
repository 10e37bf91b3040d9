"""A rule as a person writes it, in TOML, JSON or flags, checked once and made a Rule.

The form is that of docs/routing.md; every fault is one sentence that names its place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from backend.errors import InvalidInputError
from backend.inbound.rules_text import expression, text_pattern
from backend.model.address import ascii_domain
from backend.model.automated import Kind
from backend.model.inbound import InboundStatus, ScanVerdict, TargetAction, TargetName
from backend.model.rules import Conditions, Extraction, Rule, RuleAct, RuleWay

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MAX_LIST = 50
FIRST_POSITION = 100
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}")
_HEADER = re.compile(r"[!-9;-~]{1,100}")
_DOS = {
    TargetName.PSA: (TargetAction.NEW_TICKET, TargetAction.ADD_NOTE),
    TargetName.CRM: (TargetAction.LOG_ACTIVITY,),
    TargetName.PORTAL: (TargetAction.ADD_REPLY,),
}


def _listed(value: object) -> object:
    """Let one value stand for a list of one."""
    return [value] if isinstance(value, str) else value


def _readable(source: str) -> str:
    try:
        text_pattern(source)
    except InvalidInputError as error:  # pydantic adds the place to a ValueError only
        raise ValueError(str(error)) from None
    return source


def _address(source: str) -> str:
    """Write the domain of an address pattern as it stands on the wire."""
    named, at, place = _readable(source).strip().lower().rpartition("@")
    stars, dot, rest = place.partition(".")
    if stars == "*" and dot:
        return f"{named}{at}*.{ascii_domain(rest) or rest}"
    return f"{named}{at}{ascii_domain(place) or place}"


def _grouped(source: str) -> str:
    try:
        names = expression(source).groupindex
    except InvalidInputError as error:
        raise ValueError(str(error)) from None
    if not names:
        raise ValueError(f"{source[:80]!r} has no named group; write (?P<asset>...)")
    for name in names:
        _named(name)
    return source


def _named(name: str) -> str:
    if not _FIELD.fullmatch(name):
        raise ValueError(
            f"{name[:40]!r} is no field name; use lower case letters, digits and _, at most 40"
        )
    return name


def _header(name: str) -> str:
    if not _HEADER.fullmatch(name):
        raise ValueError(f"{name[:40]!r} is no header name")
    return name.lower()


_Short = Annotated[str, Field(min_length=1, max_length=200)]
_Line = Annotated[str, Field(max_length=200)]
_Address = Annotated[str, Field(min_length=1, max_length=320), AfterValidator(_address)]
_Text = Annotated[str, Field(min_length=1, max_length=504), AfterValidator(_readable)]
_Groups = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_grouped)]
_FieldName = Annotated[str, AfterValidator(_named)]
_HeaderName = Annotated[str, AfterValidator(_header)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _When(_Form):
    sender: Annotated[list[_Address], BeforeValidator(_listed), Field(max_length=MAX_LIST)] = []
    recipient: Annotated[list[_Address], BeforeValidator(_listed), Field(max_length=MAX_LIST)] = []
    subject: Annotated[list[_Text], BeforeValidator(_listed), Field(max_length=MAX_LIST)] = []
    header: dict[_HeaderName, Annotated[list[_Text], BeforeValidator(_listed)]] = {}
    kind: Annotated[list[Kind], BeforeValidator(_listed)] = []
    verdict: dict[
        Literal["spam", "virus", "spf", "dkim", "dmarc"],
        Annotated[list[ScanVerdict], BeforeValidator(_listed)],
    ] = {}


class _Then(_Form):
    action: RuleAct
    target: TargetName | None = None
    do: TargetAction | None = None
    ref: _Line = ""
    tenant: _Line = ""
    queue: _Line = ""
    priority: _Line = ""
    tags: Annotated[list[_Short], BeforeValidator(_listed), Field(max_length=MAX_LIST)] = []
    reason: _Line = ""
    dropped_as: Literal["discarded", "suppressed"] | None = None


class _Extract(_Form):
    subject: Annotated[list[_Groups], BeforeValidator(_listed), Field(max_length=MAX_LIST)] = []
    body: Annotated[list[_Groups], BeforeValidator(_listed), Field(max_length=MAX_LIST)] = []
    json_: dict[_FieldName, _Short] = Field(default={}, alias="json")
    lines: dict[_FieldName, _Short] = {}
    copy_: dict[_FieldName, _FieldName] = Field(default={}, alias="copy")
    values: dict[_FieldName, dict[_Short, _Short]] = {}


class _Written(_Form):
    name: _Short
    position: Annotated[int, Field(ge=0, le=1_000_000)] = FIRST_POSITION
    enabled: bool = True
    stop: bool | None = None
    override: bool = False
    when: _When = _When()
    then: _Then
    extract: _Extract = _Extract()


def read_rule(
    written: Mapping[str, Any], *, rule_id: str, tenant_id: str, actor: str, at: datetime
) -> Rule:
    """Check a rule as written and make it one; raises InvalidInputError with one sentence."""
    try:
        form = _Written.model_validate(dict(written))
    except ValidationError as error:
        raise _input_error(error) from None
    way = _way(form.then, tenant_id)
    when = _conditions(form.when)
    if when == Conditions():
        raise _wrong("when", "a rule needs a condition; recipient = '*' stands for all mail")
    return Rule(
        id=rule_id,
        tenant_id=tenant_id,
        name=form.name,
        position=form.position,
        when=when,
        way=way,
        extraction=_extraction(form.extract),
        enabled=form.enabled,
        # what decides ends the reading, what only tags lets the next rule speak
        stop=way.act is not RuleAct.TAG if form.stop is None else form.stop,
        override=form.override,
        created_at=at,
        created_by=actor,
    )


def _conditions(when: _When) -> Conditions:
    return Conditions(
        sender=tuple(when.sender),
        recipient=tuple(when.recipient),
        subject=tuple(when.subject),
        header={name: tuple(patterns) for name, patterns in when.header.items()},
        kind=tuple(when.kind),
        verdict={check: tuple(allowed) for check, allowed in when.verdict.items()},
    )


def _way(then: _Then, tenant_id: str) -> RuleWay:
    if then.action is RuleAct.ROUTE:
        return _route(then, tenant_id)
    if then.target or then.do or then.ref or then.tenant:
        raise _wrong("then", f"target, do, ref and tenant do not go with {then.action}")
    if then.action is RuleAct.DROP and not then.reason.strip():
        raise _wrong("then.reason", "say in a sentence why this mail is dropped")
    if then.dropped_as and then.action is not RuleAct.DROP:
        raise _wrong("then.dropped_as", "only drop has it")
    status = InboundStatus(then.dropped_as or InboundStatus.DISCARDED)
    return _common(then, dropped_as=status if then.action is RuleAct.DROP else None)


def _route(then: _Then, tenant_id: str) -> RuleWay:
    if then.target is None:
        raise _wrong("then.target", "say where it goes: psa, crm or portal")
    possible = _DOS[then.target]
    do = then.do or possible[0]
    if do not in possible:
        raise _wrong("then.do", f"{then.target} can {' or '.join(possible)}")
    if (do is TargetAction.NEW_TICKET) is bool(then.ref):
        need = "has no ref" if then.ref else "needs ref, the id of the ticket or contact"
        raise _wrong("then.ref", f"{do} {need}")
    if then.tenant and tenant_id:
        raise _wrong("then.tenant", "a tenant's own rule cannot give its mail to another one")
    return _common(then, target=then.target, do=do, ref=then.ref, tenant=then.tenant)


def _common(then: _Then, **more: Any) -> RuleWay:
    return RuleWay(
        act=then.action,
        queue=then.queue,
        priority=then.priority,
        tags=tuple(then.tags),
        reason=then.reason.strip(),
        **more,
    )


def _extraction(form: _Extract) -> Extraction:
    return Extraction(
        subject=tuple(form.subject),
        body=tuple(form.body),
        json=form.json_,
        lines=form.lines,
        copy=form.copy_,
        values=form.values,
    )


def _wrong(field: str, sentence: str) -> InvalidInputError:
    return InvalidInputError(f"{field}: {sentence}", field=field)


def _input_error(error: ValidationError) -> InvalidInputError:
    """Say the first fault in one sentence."""
    fault = error.errors()[0]
    place = ".".join(str(part) for part in fault["loc"] if part != "[key]") or "rule"
    said = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        said = "there is no such entry; docs/routing.md lists them"
    return _wrong(place, said)
