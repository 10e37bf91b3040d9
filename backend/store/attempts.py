"""Calls to SES, one row each, written before the call so that none is ever forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from backend.model.outbound import Attempt, AttemptState
from backend.store.schema import attempts as t

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Row

    from backend.store.types import Tx


def add(tx: Tx, *made: Attempt) -> None:
    """Write attempts that are about to be made."""
    tx.execute(
        insert(t),
        [
            {
                "id": attempt.id,
                "email_id": attempt.email_id,
                "number": attempt.number,
                "state": attempt.state.value,
                "started_at": attempt.started_at,
                "ses_message_id": attempt.ses_message_id,
                "error": attempt.error,
            }
            for attempt in made
        ],
    )


def get(tx: Tx, attempt_id: str) -> Attempt | None:
    """Read an attempt."""
    row = tx.execute(select(t).where(t.c.id == attempt_id)).one_or_none()
    return None if row is None else _attempt(row)


def find(tx: Tx, attempt_id: str | None, ses_message_id: str) -> Attempt | None:
    """Find the attempt an event is about: by our own id first, then by the id SES gave."""
    if attempt_id and (found := get(tx, attempt_id)) is not None:
        return found
    if not ses_message_id:
        return None
    row = tx.execute(select(t).where(t.c.ses_message_id == ses_message_id).limit(1)).one_or_none()
    return None if row is None else _attempt(row)


def of_email(tx: Tx, email_id: str) -> tuple[Attempt, ...]:
    """Give the attempts of a mail, oldest first."""
    rows = tx.execute(select(t).where(t.c.email_id == email_id).order_by(t.c.number))
    return tuple(_attempt(row) for row in rows)


def of_emails(tx: Tx, email_ids: Collection[str]) -> dict[str, tuple[Attempt, ...]]:
    """Give the attempts of several mails, oldest first, by mail."""
    found: dict[str, list[Attempt]] = {email_id: [] for email_id in email_ids}
    for row in tx.execute(select(t).where(t.c.email_id.in_(email_ids)).order_by(t.c.number)):
        found[row.email_id].append(_attempt(row))
    return {email_id: tuple(some) for email_id, some in found.items()}


def settle(tx: Tx, attempt: Attempt, at: datetime) -> None:
    """Record how an attempt ended; one that is known to be sent is never called otherwise."""
    tx.execute(
        update(t)
        .where(t.c.id == attempt.id, t.c.state != AttemptState.SENT.value)
        .values(
            state=attempt.state.value,
            finished_at=at,
            ses_message_id=attempt.ses_message_id,
            error=attempt.error[:500],
        )
    )


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        id=row.id,
        email_id=row.email_id,
        number=row.number,
        state=AttemptState(row.state),
        started_at=row.started_at,
        ses_message_id=row.ses_message_id,
        error=row.error,
    )
