"""Inbound messages, one row per stored object and envelope recipient, and their attachments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.automated import Kind
from backend.model.inbound import (
    AttachmentInfo,
    InboundMessage,
    InboundStatus,
    MatchStatus,
    Reason,
    Route,
    ScanVerdict,
    ScanVerdicts,
    TargetAction,
    TargetName,
)
from backend.model.matching import MatchFlag
from backend.store import by_hand
from backend.store.log_changes import changed
from backend.store.schema import inbound as t
from backend.store.schema import inbound_attachments as files

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Column, ColumnElement, Row

    from backend.model.views import InboundQuery
    from backend.store.types import Tx

_CHECKS = ("spam", "virus", "spf", "dkim", "dmarc")


def add(tx: Tx, message: InboundMessage, content_key: str | None = None) -> bool:
    """Insert a message; False when its object and recipient, or its content, are known already."""
    row = {
        "id": message.id,
        "source": message.source,
        "blob_key": message.blob_key,
        "recipient": message.recipient,
        "envelope_from": message.envelope_from,
        "verdicts": _verdicts_as_json(message.verdicts),
        "received_at": message.received_at,
        "content_sha256": message.content_sha256,
        "content_key": content_key,
        **_changing(message),
    }
    if tx.execute(_ADD[tx.dialect.name], row).first() is None:
        return False
    changed(tx, message.id, searched=True)
    return True


def save(tx: Tx, *messages: InboundMessage) -> None:
    """Write what processing has found out; what the source said stays as it was."""
    if messages:
        tx.execute(_SAVE, [{"of_id": message.id, **_changing(message)} for message in messages])
        changed(tx, *(message.id for message in messages), searched=True)


def get(tx: Tx, inbound_id: str, *, to_change: bool = False) -> InboundMessage | None:
    """Read a message; ``to_change`` keeps others from changing it before this transaction ends."""
    query = select(t).where(t.c.id == inbound_id)
    row = tx.execute(query.with_for_update() if to_change else query).one_or_none()
    return None if row is None else _message(row)


def get_many(tx: Tx, inbound_ids: Collection[str]) -> dict[str, InboundMessage]:
    """Read several messages by their ids; unknown ids are left out."""
    rows = tx.execute(_GET_MANY, {"ids": list(inbound_ids)})
    return {row.id: _message(row) for row in rows}


def count(tx: Tx, query: InboundQuery) -> int:
    """Count the messages a query means."""
    return tx.execute(select(func.count()).select_from(t).where(*_where(query))).scalar_one()


def page(tx: Tx, query: InboundQuery, start: int, size: int) -> list[InboundMessage]:
    """Give a page of messages, newest first."""
    rows = select(t).where(*_where(query)).order_by(t.c.id.desc()).limit(size).offset(start)
    return [_message(row) for row in tx.execute(rows)]


def older(tx: Tx, query: InboundQuery, before_id: str, size: int) -> list[InboundMessage]:
    """Give the messages after ``before_id``, newest first; from the newest when it is empty.

    Ids sort by time, so a walk by id meets no message twice, whatever comes or changes meanwhile.
    """
    below = [t.c.id < before_id] if before_id else []
    rows = select(t).where(*_where(query), *below).order_by(t.c.id.desc()).limit(size)
    return [_message(row) for row in tx.execute(rows)]


def newer(tx: Tx, query: InboundQuery, after_id: str, size: int) -> list[InboundMessage]:
    """Give the messages next newer than ``after_id``, newest first."""
    rows = select(t).where(*_where(query), t.c.id > after_id).order_by(t.c.id).limit(size)
    return [_message(row) for row in tx.execute(rows)][::-1]


def statuses(tx: Tx, ids: Collection[str]) -> dict[str, InboundStatus]:
    """Give where each of these messages stands; unknown ids are left out."""
    rows = tx.execute(select(t.c.id, t.c.status).where(t.c.id.in_(ids)))
    return {row.id: InboundStatus(row.status) for row in rows}


def replies_to(tx: Tx, email_id: str) -> list[InboundMessage]:
    """Give the replies to a mail we sent, oldest first."""
    rows = select(t).where(t.c.reply_to_email_id == email_id).order_by(t.c.id)
    return [_message(row) for row in tx.execute(rows)]


def of_thread(tx: Tx, thread_id: str) -> list[InboundMessage]:
    """Give the messages of a conversation, oldest first."""
    rows = select(t).where(t.c.thread_id == thread_id).order_by(t.c.id)
    return [_message(row) for row in tx.execute(rows)]


def set_attachments(tx: Tx, inbound_id: str, attachments: Sequence[AttachmentInfo]) -> None:
    """Write the attachments of a message in place of those it had."""
    set_all_attachments(tx, {inbound_id: attachments})


def set_all_attachments(tx: Tx, attachments: Mapping[str, Sequence[AttachmentInfo]]) -> None:
    """Write the attachments of messages, by their ids, in place of those they had."""
    tx.execute(_FORGET_FILES, {"ids": list(attachments)})
    rows = [
        {
            "inbound_id": inbound_id,
            "position": position,
            "name": file.name,
            "content_type": file.content_type,
            "size": file.size,
            "sha256": file.sha256,
            "inline": file.inline,
        }
        for inbound_id, of_message in attachments.items()
        for position, file in enumerate(of_message)
    ]
    if rows:
        tx.execute(insert(files), rows)


def attachments(tx: Tx, inbound_id: str) -> tuple[AttachmentInfo, ...]:
    """Give the attachments of a message in their order."""
    rows = select(files).where(files.c.inbound_id == inbound_id).order_by(files.c.position)
    return tuple(
        AttachmentInfo(
            name=row.name,
            content_type=row.content_type,
            size=row.size,
            sha256=row.sha256,
            inline=row.inline,
        )
        for row in tx.execute(rows)
    )


_ADD = {  # built once: building a statement takes longer than running it
    "postgresql": postgresql.insert(t).on_conflict_do_nothing().returning(t.c.id),
    "sqlite": sqlite.insert(t).on_conflict_do_nothing().returning(t.c.id),
}
_SAVE = update(t).where(t.c.id == bindparam("of_id"))
_GET_MANY = select(t).where(t.c.id.in_(bindparam("ids", expanding=True)))
_FORGET_FILES = delete(files).where(files.c.inbound_id.in_(bindparam("ids", expanding=True)))


def _where(query: InboundQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.tenant_id is not None:
        found.append(t.c.tenant_id == query.tenant_id)
    sets = (
        (t.c.status, query.statuses),
        (t.c.reason, query.reasons),
        (t.c.kind, query.kinds),
        (t.c.reply_match_status, query.matches),
    )
    found += [column.in_([one.value for one in wanted]) for column, wanted in sets if wanted]
    if query.since is not None:
        found.append(t.c.received_at >= query.since)
    if query.until is not None:
        found.append(t.c.received_at < query.until)
    return found + _texts(query)


def _texts(query: InboundQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.sender:
        # what is not read yet has no From
        found.append(
            or_(_like(t.c.from_address, query.sender), _like(t.c.envelope_from, query.sender))
        )
    if query.recipient:
        found.append(_like(t.c.recipient, query.recipient))
    if query.subject:
        found.append(func.lower(t.c.subject).contains(query.subject.lower(), autoescape=True))
    text = query.text.strip().lower()
    if text:
        columns = (t.c.from_address, t.c.recipient, t.c.subject, t.c.id)
        found.append(or_(*(func.lower(c).contains(text, autoescape=True) for c in columns)))
    return found


def _like(column: Column[Any], wanted: str) -> ColumnElement[bool]:
    """Compare a whole address with a pattern that has ``*`` in it, else look for a part."""
    wanted = wanted.strip().lower()
    if "*" not in wanted:
        return func.lower(column).contains(wanted, autoescape=True)
    escaped = wanted.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return func.lower(column).like(escaped.replace("*", "%"), escape="/")


def _changing(message: InboundMessage) -> dict[str, object]:
    """Give the columns that processing may change."""
    route = message.route
    return {
        "tenant_id": message.tenant_id,
        "size": message.size,
        "status": message.status.value,
        "reason": message.reason.value,
        "processed_at": message.processed_at,
        "message_id": message.message_id,
        "from_address": message.from_address,
        "from_name": message.from_name,
        "subject": message.subject,
        "text": message.text,
        "reply_text": message.reply_text,
        "reply_match_status": message.reply_match_status.value,
        "reply_to_email_id": message.reply_to_email_id,
        "thread_id": message.thread_id,
        "contact_id": message.contact_id,
        "match_flags": sorted(message.match_flags),
        "kind": message.kind.value,
        "target": route.target.value if route else None,
        "action": route.action.value if route else None,
        "ref": route.ref if route else None,
        "external_id": message.external_id,
        "tags": list(message.tags),
        "fields": dict(message.fields),
    }


def _verdicts_as_json(verdicts: ScanVerdicts) -> dict[str, str]:
    values = {check: getattr(verdicts, check).value for check in _CHECKS}
    return values | {"dmarc_policy": verdicts.dmarc_policy}


def _message(row: Row[Any]) -> InboundMessage:
    checks = {check: ScanVerdict(row.verdicts[check]) for check in _CHECKS}
    return InboundMessage(
        id=row.id,
        tenant_id=row.tenant_id,
        source=row.source,
        blob_key=row.blob_key,
        recipient=row.recipient,
        envelope_from=row.envelope_from,
        status=InboundStatus(row.status),
        reason=Reason(row.reason),
        received_at=row.received_at,
        size=row.size,
        verdicts=ScanVerdicts(**checks, dmarc_policy=row.verdicts.get("dmarc_policy", "")),
        message_id=row.message_id,
        from_address=row.from_address,
        from_name=row.from_name,
        subject=row.subject,
        text=row.text,
        reply_text=row.reply_text,
        reply_match_status=MatchStatus(row.reply_match_status),
        reply_to_email_id=row.reply_to_email_id,
        thread_id=row.thread_id,
        contact_id=row.contact_id,
        match_flags=frozenset(map(MatchFlag, row.match_flags)),
        kind=Kind(row.kind),
        route=_route(row),
        external_id=row.external_id,
        processed_at=row.processed_at,
        content_sha256=row.content_sha256,
        tags=tuple(row.tags),
        fields=row.fields,
        by_hand=by_hand.read(row.by_hand),
    )


def _route(row: Row[Any]) -> Route | None:
    if not row.target:
        return None
    return Route(
        target=TargetName(row.target),
        action=TargetAction(row.action),
        tenant_id=row.tenant_id,
        ref=row.ref or "",
    )
