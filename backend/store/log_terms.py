"""The terms of a log query as SQL conditions, for the mail sent and for the mail received."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import String, and_, cast, exists, false, func, not_, or_

from backend.model.inbound import WAITING
from backend.model.log import Direction, LogField, LogHas, LogIs
from backend.store.schema import attempts, emails, inbound, inbound_attachments, recipients

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Column, ColumnElement

    from backend.model.log import LogQuery, LogTerm

    Condition = ColumnElement[bool]
    Rule = Callable[[str], Condition]

_BAD = ("bounced", "complained", "rejected", "failed")
_WAITING = tuple(status.value for status in WAITING)
LAST = "\U0010ffff"
"""Sorts behind every id that begins alike."""


def meant(query: LogQuery, way: Direction) -> list[Condition]:
    """Give the conditions of a query on ``emails`` or on ``inbound``, all to be true."""
    out = way is Direction.OUT
    table, at = (emails, emails.c.created_at) if out else (inbound, inbound.c.received_at)
    found: list[Condition] = []
    if query.tenant_id is not None:
        found.append(table.c.tenant_id == query.tenant_id)
    if query.since is not None:
        found.append(at >= query.since)
    if query.until is not None:
        found.append(at < query.until)
    return found + [_condition(term, way) for term in query.terms]


def _condition(term: LogTerm, way: Direction) -> Condition:
    rule = (_OUT if way is Direction.OUT else _IN)[term.field]
    any_of = or_(*(rule(value) for value in term.values))
    # a column that is null must not make "not" null as well
    return not_(func.coalesce(any_of, false())) if term.negated else any_of


def _has(column: ColumnElement[str], text: str) -> Condition:
    return column.icontains(text, autoescape=True)


def _ends(column: ColumnElement[str], text: str) -> Condition:
    return func.lower(column).endswith(text, autoescape=True)


def _to(condition: Condition) -> Condition:
    return exists().where(recipients.c.email_id == emails.c.id, condition)


def _begins(column: Column[str], text: str) -> Condition:
    return and_(column >= text, column < text + LAST)


def _tag_out(value: str) -> Condition:
    # tags are a map; both dialects can look a name up, but only the text knows no case
    name, equals, wanted = value.partition("=")
    text = func.lower(cast(emails.c.tags, String))
    start = f'"{name}": "'
    return _has(text, f'{start}{wanted}"') if equals else _has(text, start)


def _sent_as(ses_id: str) -> Condition:
    tried = exists().where(attempts.c.email_id == emails.c.id, attempts.c.ses_message_id == ses_id)
    return or_(emails.c.ses_message_id == ses_id, tried)


def _out_has(value: str) -> Condition:
    match LogHas(value):
        case LogHas.ATTACHMENT:
            return emails.c.attachments > 0
        case LogHas.REPLY:
            return exists().where(inbound.c.reply_to_email_id == emails.c.id)
        case LogHas.ERROR:
            return emails.c.error != ""


def _in_has(value: str) -> Condition:
    match LogHas(value):
        case LogHas.ATTACHMENT:
            return exists().where(inbound_attachments.c.inbound_id == inbound.c.id)
        case LogHas.REPLY:
            return false()
        case LogHas.ERROR:
            return inbound.c.status == "failed"


def _out_is(value: str) -> Condition:
    match LogIs(value):
        case LogIs.SCHEDULED:
            return emails.c.status == "scheduled"
        case LogIs.BAD:
            return emails.c.status.in_(_BAD)
        case LogIs.REPLY | LogIs.WAITING | LogIs.AUTOMATIC:
            return false()


def _in_is(value: str) -> Condition:
    match LogIs(value):
        case LogIs.REPLY:
            return inbound.c.reply_match_status == "matched"
        case LogIs.WAITING:
            return inbound.c.status.in_(_WAITING)
        case LogIs.AUTOMATIC:
            return inbound.c.kind != "human"
        case LogIs.BAD:
            return inbound.c.status == "failed"
        case LogIs.SCHEDULED:
            return false()


def _never(_value: str) -> Condition:
    return false()


FROM_IN = func.coalesce(func.nullif(inbound.c.from_address, ""), inbound.c.envelope_from)
"""Who a received message is from: the From, or the envelope while that is not read."""
_TAGS_IN = func.lower(cast(inbound.c.tags, String))

_OUT: dict[LogField, Rule] = {
    LogField.TEXT: lambda v: or_(
        emails.c.id == v,
        _has(emails.c.subject, v),
        _has(emails.c.sender, v),
        _to(_has(recipients.c.address, v)),
    ),
    LogField.STATUS: lambda v: emails.c.status == v,
    LogField.TO: lambda v: _to(_has(recipients.c.address, v)),
    LogField.FROM: lambda v: _has(emails.c.sender, v),
    LogField.DOMAIN: lambda v: or_(
        _ends(emails.c.sender, f"@{v}"),
        _ends(emails.c.sender, f"@{v}>"),
        _to(_ends(recipients.c.address, f"@{v}")),
    ),
    LogField.SUBJECT: lambda v: _has(emails.c.subject, v),
    LogField.TAG: _tag_out,
    LogField.ID: lambda v: _begins(emails.c.id, v),
    LogField.SES: _sent_as,
    LogField.REASON: lambda v: _has(emails.c.error, v),
    LogField.TEMPLATE: lambda v: emails.c.template == v,
    LogField.HAS: _out_has,
    LogField.IS: _out_is,
}
_IN: dict[LogField, Rule] = {
    LogField.TEXT: lambda v: or_(
        inbound.c.id == v,
        _has(inbound.c.subject, v),
        _has(inbound.c.from_address, v),
        _has(inbound.c.recipient, v),
    ),
    LogField.STATUS: lambda v: inbound.c.status == v,
    LogField.TO: lambda v: _has(inbound.c.recipient, v),
    LogField.FROM: lambda v: _has(FROM_IN, v),
    LogField.DOMAIN: lambda v: or_(_ends(FROM_IN, f"@{v}"), _ends(inbound.c.recipient, f"@{v}")),
    LogField.SUBJECT: lambda v: _has(inbound.c.subject, v),
    LogField.TAG: lambda v: _has(_TAGS_IN, f'"{v}"'),
    LogField.ID: lambda v: _begins(inbound.c.id, v),
    LogField.SES: lambda v: inbound.c.message_id.in_((v, f"<{v}>")),
    LogField.REASON: lambda v: _has(inbound.c.reason, v.replace(" ", "_")),
    LogField.TEMPLATE: _never,
    LogField.HAS: _in_has,
    LogField.IS: _in_is,
}
