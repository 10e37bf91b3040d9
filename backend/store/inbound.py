"""Inbound messages, one row per stored object and envelope recipient, and their attachments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, or_, select, update
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
from backend.store.schema import inbound as t
from backend.store.schema import inbound_attachments as files

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Row

    from backend.model.views import InboundQuery
    from backend.store.types import Tx

_CHECKS = ("spam", "virus", "spf", "dkim", "dmarc")


def add(tx: Tx, message: InboundMessage, content_key: str | None = None) -> bool:
    """Insert a message; False when its object and recipient, or its content, are known already."""
    into = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    row = into(t).values(
        id=message.id,
        source=message.source,
        blob_key=message.blob_key,
        recipient=message.recipient,
        envelope_from=message.envelope_from,
        verdicts=_verdicts_as_json(message.verdicts),
        received_at=message.received_at,
        content_sha256=message.content_sha256,
        content_key=content_key,
        **_changing(message),
    )
    return tx.execute(row.on_conflict_do_nothing().returning(t.c.id)).first() is not None


def save(tx: Tx, message: InboundMessage) -> None:
    """Write what processing has found out; what the source said stays as it was."""
    tx.execute(update(t).where(t.c.id == message.id).values(_changing(message)))


def get(tx: Tx, inbound_id: str) -> InboundMessage | None:
    """Read a message."""
    row = tx.execute(select(t).where(t.c.id == inbound_id)).one_or_none()
    return None if row is None else _message(row)


def knows_blob(tx: Tx, blob_key: str) -> bool:
    """Tell whether a stored object has been taken in, for whichever recipient."""
    return tx.execute(select(t.c.id).where(t.c.blob_key == blob_key).limit(1)).first() is not None


def count(tx: Tx, query: InboundQuery) -> int:
    """Count the messages a query means."""
    return tx.execute(select(func.count()).select_from(t).where(*_where(query))).scalar_one()


def page(tx: Tx, query: InboundQuery, start: int, size: int) -> list[InboundMessage]:
    """Give a page of messages, newest first."""
    rows = select(t).where(*_where(query)).order_by(t.c.id.desc()).limit(size).offset(start)
    return [_message(row) for row in tx.execute(rows)]


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
    tx.execute(delete(files).where(files.c.inbound_id == inbound_id))
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
        for position, file in enumerate(attachments)
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


def _where(query: InboundQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.tenant_id is not None:
        found.append(t.c.tenant_id == query.tenant_id)
    if query.statuses:
        found.append(t.c.status.in_([status.value for status in query.statuses]))
    text = query.text.strip().lower()
    if text:
        columns = (t.c.from_address, t.c.recipient, t.c.subject, t.c.id)
        found.append(or_(*(func.lower(c).contains(text, autoescape=True) for c in columns)))
    return found


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
