"""Mail that SES has just taken, many at once, in statements built once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, update

from backend.model.outbound import AttemptState, EmailStatus, RecipientStatus
from backend.store.log_changes import changed
from backend.store.schema import attempts, emails, recipients

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.store.types import Tx


@dataclass(frozen=True, slots=True)
class SentMail:
    """One mail that SES took on its first answered attempt."""

    email_id: str
    attempt_id: str
    ses_message_id: str
    at: datetime


_ATTEMPTS = (
    update(attempts)
    .where(attempts.c.id == bindparam("of_attempt"), attempts.c.state != AttemptState.SENT.value)
    .values(
        state=AttemptState.SENT.value,
        finished_at=bindparam("sent_at"),
        ses_message_id=bindparam("ses_id"),
        error="",
    )
)
_RECIPIENTS = (
    update(recipients)
    .where(
        recipients.c.email_id == bindparam("of_email"),
        recipients.c.status == RecipientStatus.QUEUED.value,
    )
    .values(status=RecipientStatus.SENT.value, updated_at=bindparam("sent_at"), detail="")
)
_EMAILS = (
    update(emails)
    .where(emails.c.id == bindparam("of_email"))
    .values(
        ses_message_id=bindparam("ses_id"),
        sent_at=bindparam("sent_at"),
        status=EmailStatus.SENT.value,
        error="",
    )
)


def mark_sent(tx: Tx, mails: Sequence[SentMail]) -> None:
    """Record that SES has these mails: their recipients still queued are sent to.

    Only for mails none of whose recipients has got further; see emails.mark_sent for the rest.
    """
    rows = [
        {
            "of_email": mail.email_id,
            "of_attempt": mail.attempt_id,
            "ses_id": mail.ses_message_id,
            "sent_at": mail.at,
        }
        for mail in mails
    ]
    for statement in (_ATTEMPTS, _RECIPIENTS, _EMAILS):
        tx.execute(statement, rows)
    changed(tx, *(mail.email_id for mail in mails), searched=False)
