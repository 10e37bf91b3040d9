"""Automatic answers: at most one per inbound message, kept as long as the message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from backend.model.auto_response import DueAnswer
from backend.store.schema_auto_responses import auto_responses as t

if TYPE_CHECKING:
    from datetime import datetime

    from backend.store.types import Tx


def add(tx: Tx, due: DueAnswer) -> None:
    """Insert an answer that is decided on."""
    tx.execute(
        insert(t).values(
            inbound_id=due.inbound_id,
            tenant_id=due.tenant_id,
            recipient=due.recipient.lower(),
            thread_id=due.thread_id,
            created_at=due.created_at,
            draft={
                "sender": due.sender,
                "recipient": due.recipient,
                "subject": due.subject,
                "text": due.text,
                "headers": dict(due.headers),
                "tags": dict(due.tags),
            },
        )
    )


def get(tx: Tx, inbound_id: str) -> DueAnswer | None:
    """Read the answer to a message."""
    row = tx.execute(select(t).where(t.c.inbound_id == inbound_id)).one_or_none()
    if row is None:
        return None
    return DueAnswer(
        inbound_id=row.inbound_id,
        tenant_id=row.tenant_id,
        thread_id=row.thread_id,
        created_at=row.created_at,
        email_id=row.email_id,
        error=row.error,
        **row.draft,
    )


def count(tx: Tx, tenant_id: str, recipient: str, since: datetime) -> int:
    """Count the answers to a sender from ``since`` on."""
    mine = (t.c.tenant_id == tenant_id, t.c.recipient == recipient.lower())
    n = select(func.count()).where(*mine, t.c.created_at > since)
    return tx.execute(n).scalar_one()


def has_thread(tx: Tx, thread_id: str) -> bool:
    """Tell whether a conversation was answered."""
    return tx.execute(select(t.c.inbound_id).where(t.c.thread_id == thread_id)).first() is not None


def settle(tx: Tx, inbound_id: str, *, email_id: str = "", error: str = "") -> None:
    """Record the mail an answer became, or why it became none."""
    tx.execute(update(t).where(t.c.inbound_id == inbound_id).values(email_id=email_id, error=error))
