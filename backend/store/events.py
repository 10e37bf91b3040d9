"""What SES told us, one row per recipient and fact, and the timeline of a mail made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.feedback import AUTOMATED, EventKind, TimelineEntry
from backend.store.schema import events as t

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One fact about one recipient; ``recipient`` is empty when it is about the whole mail.

    ``fact_key`` is the same for every copy of one fact, whatever envelope carried it.
    Tenant "" and no mail mean: SES told us of a mail we do not know.
    """

    id: str
    source_id: str
    fact_key: str
    tenant_id: str
    email_id: str | None
    ses_message_id: str
    attempt_id: str | None
    kind: EventKind
    recipient: str
    detail: str
    occurred_at: datetime
    received_at: datetime


def add(tx: Tx, event: StoredEvent) -> bool:
    """Write a fact; False when it is known already, by its envelope or by itself."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    row = insert(t).values(
        id=event.id,
        source_id=event.source_id,
        fact_key=event.fact_key,
        tenant_id=event.tenant_id,
        email_id=event.email_id,
        ses_message_id=event.ses_message_id,
        attempt_id=event.attempt_id,
        kind=event.kind.value,
        recipient=event.recipient,
        detail=event.detail,
        occurred_at=event.occurred_at,
        received_at=event.received_at,
    )
    return tx.execute(row.on_conflict_do_nothing().returning(t.c.id)).one_or_none() is not None


def details(tx: Tx, email_id: str, kind: EventKind, recipient: str, *, but: str) -> list[str]:
    """Give what facts of a kind say of a recipient, those of the notice ``but`` left out."""
    which = (t.c.email_id == email_id, t.c.kind == kind.value, t.c.source_id != but)
    rows = tx.execute(select(t.c.detail).where(*which, t.c.recipient.in_(("", recipient))))
    return list(rows.scalars())


def timeline(tx: Tx, email_id: str) -> tuple[TimelineEntry, ...]:
    """Give what SES said of a mail, in the order it happened."""
    rows = tx.execute(
        select(t.c.occurred_at, t.c.kind, t.c.recipient, t.c.detail)
        .where(t.c.email_id == email_id)
        .order_by(t.c.occurred_at, t.c.id)
    )
    return tuple(
        TimelineEntry(at=row.occurred_at, kind=row.kind, recipient=row.recipient, detail=row.detail)
        for row in rows
    )


def seen(tx: Tx, email_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """Give by mail whether it was opened and clicked by people, as kinds of events."""
    kinds = (EventKind.OPEN.value, EventKind.CLICK.value)
    by_people = t.c.detail.not_like(f"{AUTOMATED}%")
    rows = select(t.c.email_id, t.c.kind).where(
        t.c.email_id.in_(email_ids), t.c.kind.in_(kinds), by_people
    )
    found: dict[str, set[str]] = {}
    for row in tx.execute(rows.distinct()):
        found.setdefault(row.email_id, set()).add(row.kind)
    return {email_id: frozenset(one) for email_id, one in found.items()}
