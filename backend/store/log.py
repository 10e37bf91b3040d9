"""The log: mail of both directions in one list, newest first, by position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import desc, func, literal, or_, select, union_all

from backend.model.views import Direction, LogEntry, LogQuery
from backend.store.emails import recipients_of
from backend.store.schema import emails, inbound, recipients

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import ColumnElement, Row, Select

    from backend.model.outbound import Recipient
    from backend.store.types import Tx


def count(tx: Tx, query: LogQuery) -> int:
    """Count the mail a query means."""
    total = 0
    if query.direction is not Direction.IN:
        mine = select(func.count(emails.c.id)).where(*_meant_out(query))
        total += tx.execute(mine).scalar_one()
    if query.direction is not Direction.OUT:
        mine = select(func.count(inbound.c.id)).where(*_meant_in(query))
        total += tx.execute(mine).scalar_one()
    return total


def page(tx: Tx, query: LogQuery, start: int, size: int) -> list[LogEntry]:
    """Give at most ``size`` lines from position ``start``, newest first."""
    sides = []
    if query.direction is not Direction.IN:
        sides.append(_newest(_outbound(query), start + size))
    if query.direction is not Direction.OUT:
        sides.append(_newest(_inbound(query), start + size))
    lines = union_all(*sides).subquery()
    newest = select(lines).order_by(lines.c.at.desc(), lines.c.id.desc())
    rows = tx.execute(newest.offset(start).limit(size)).all()
    out = [row.id for row in rows if row.direction == Direction.OUT.value]
    found = recipients_of(tx, out) if out else {}
    return [_entry(row, found.get(row.id)) for row in rows]


def _newest(side: Select[Any], limit: int) -> Select[Any]:
    """Cut one side to what a page can hold of it, along its own index: no sort of the whole log."""
    return select(side.order_by(desc("at"), desc("id")).limit(limit).subquery())


def _outbound(query: LogQuery) -> Select[Any]:
    return select(
        emails.c.id,
        emails.c.created_at.label("at"),
        literal(Direction.OUT.value).label("direction"),
        emails.c.tenant_id,
        emails.c.sender,
        literal("").label("recipient"),
        emails.c.subject,
        emails.c.status,
    ).where(*_meant_out(query))


def _inbound(query: LogQuery) -> Select[Any]:
    sender = func.coalesce(func.nullif(inbound.c.from_address, ""), inbound.c.envelope_from)
    return select(
        inbound.c.id,
        inbound.c.received_at.label("at"),
        literal(Direction.IN.value).label("direction"),
        inbound.c.tenant_id,
        sender.label("sender"),
        inbound.c.recipient,
        inbound.c.subject,
        inbound.c.status,
    ).where(*_meant_in(query))


def _meant_out(query: LogQuery) -> list[ColumnElement[bool]]:
    meant: list[ColumnElement[bool]] = []
    if query.tenant_id is not None:
        meant.append(emails.c.tenant_id == query.tenant_id)
    if query.status:
        meant.append(emails.c.status == query.status)
    if text := query.text.strip():
        to = select(recipients.c.email_id).where(_has(recipients.c.address, text))
        meant.append(
            or_(
                emails.c.id == text,
                _has(emails.c.subject, text),
                _has(emails.c.sender, text),
                emails.c.id.in_(to),
            )
        )
    return meant


def _meant_in(query: LogQuery) -> list[ColumnElement[bool]]:
    meant: list[ColumnElement[bool]] = []
    if query.tenant_id is not None:
        meant.append(inbound.c.tenant_id == query.tenant_id)
    if query.status:
        meant.append(inbound.c.status == query.status)
    if text := query.text.strip():
        columns = (inbound.c.subject, inbound.c.from_address, inbound.c.recipient)
        meant.append(or_(inbound.c.id == text, *(_has(column, text) for column in columns)))
    return meant


def _has(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    return column.icontains(text, autoescape=True)


def _entry(row: Row[Any], to: tuple[Recipient, ...] | None) -> LogEntry:
    return LogEntry(
        id=row.id,
        at=row.at,
        direction=Direction(row.direction),
        tenant_id=row.tenant_id,
        sender=row.sender,
        recipient=to[0].address if to else row.recipient,
        more_recipients=len(to) - 1 if to else 0,
        subject=row.subject,
        status=row.status,
    )
