"""Call a scheduled mail off, or give it another time, as long as no worker has it in hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.errors import NotFoundError, TooLateError
from backend.model.outbound import Email, EmailStatus, RecipientStatus
from backend.model.stats import Counter
from backend.model.work import WorkKind
from backend.outbound.record import news
from backend.queue import items
from backend.queue.announce import announce
from backend.store import attempts, audit, counters, emails
from backend.store.audit import Hand

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from backend.model.bus import BusEvent
    from backend.model.outbound import Recipient
    from backend.store.types import Tx

_WAITING = frozenset({EmailStatus.SCHEDULED, EmailStatus.QUEUED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Hand):
    """Who changes which mail, and when; a mail of another tenant is as if it were not there."""

    email_id: str
    tenant_id: str | None


def cancel(tx: Tx, change: Change) -> Email:
    """Call a scheduled mail off and give it; one that was called off before stays so.

    Raises NotFoundError, and TooLateError when it is not scheduled, or on its way.
    """
    email = _lock(tx, change)
    if email.status is EmailStatus.CANCELED:
        return email
    _check_waiting(tx, email)
    moved = [
        replace(recipient, status=RecipientStatus.CANCELED, updated_at=change.at, detail="")
        for recipient in email.recipients
        if recipient.status is RecipientStatus.QUEUED
    ]
    emails.move(tx, email.id, moved)
    counters.bump(tx, email.tenant_id, Counter.CANCELED, change.at, len(moved))
    announce(tx, _told(change, email, "cancelled", moved))
    # a worker that finds nobody waiting ends the work
    items.enqueue(tx, WorkKind.SEND, email.id, run_at=change.at, now=change.at)
    _note(tx, change, email, "email.cancelled", {})
    return _again(tx, email)


def restore(tx: Tx, change: Change) -> Email:
    """Undo ``cancel``: the mail waits for its time again, or goes out now when that is over.

    Whoever was told that it was called off is told that it is accepted. Raises NotFoundError, and
    TooLateError when it is not called off.
    """
    email = _lock(tx, change)
    if email.status is not EmailStatus.CANCELED or email.scheduled_at is None:
        raise TooLateError(f"{email.id} is not called off: it is {email.status}")
    called_off = [one for one in email.recipients if one.status is RecipientStatus.CANCELED]
    back = [replace(one, status=RecipientStatus.QUEUED, updated_at=change.at) for one in called_off]
    emails.move(tx, email.id, back)
    emails.reschedule(tx, email.id, email.scheduled_at)
    for one in called_off:  # in the minute it was counted in, which then never saw it
        counters.bump(tx, email.tenant_id, Counter.CANCELED, one.updated_at, -1)
    at = email.scheduled_at.isoformat()
    announce(tx, _told(change, email, "accepted", back, scheduled_at=at))
    run_at = max(email.scheduled_at, change.at)
    items.enqueue(tx, WorkKind.SEND, email.id, run_at=run_at, now=change.at)
    _note(tx, change, email, "email.restored", {"scheduled_at": at})
    return _again(tx, email)


def _told(
    change: Change, email: Email, what: str, people: Iterable[Recipient], **more: object
) -> BusEvent:
    addresses = [one.address for one in people]
    return news(email, what, change.at, change.ids.new("evt"), recipients=addresses, **more)


def reschedule(tx: Tx, change: Change, at: datetime) -> Email:
    """Give a scheduled mail another time and give it back; raises as ``cancel`` does."""
    email = _lock(tx, change)
    _check_waiting(tx, email)
    emails.reschedule(tx, email.id, at)
    items.enqueue(tx, WorkKind.SEND, email.id, run_at=at, now=change.at)
    _note(tx, change, email, "email.rescheduled", {"scheduled_at": at.isoformat()})
    return _again(tx, email)


def _lock(tx: Tx, change: Change) -> Email:
    email = emails.lock(tx, change.email_id)
    if email is None or change.tenant_id not in (None, email.tenant_id):
        raise NotFoundError(f"there is no mail {change.email_id}")
    return email


def _check_waiting(tx: Tx, email: Email) -> None:
    if email.status is EmailStatus.CANCELED:
        raise TooLateError(f"{email.id} was called off; send a new mail")
    if email.scheduled_at is None:
        raise TooLateError(f"{email.id} was not scheduled: it is {email.status}")
    if (
        email.status not in _WAITING
        or attempts.of_email(tx, email.id)
        or items.in_hand(tx, WorkKind.SEND, email.id)
    ):
        raise TooLateError(f"{email.id} is on its way or done: it is {email.status}")


def _again(tx: Tx, email: Email) -> Email:
    changed = emails.get(tx, email.id)
    if changed is None:
        raise NotFoundError(f"there is no mail {email.id}")
    return changed


def _note(tx: Tx, change: Change, email: Email, action: str, detail: dict[str, str]) -> None:
    audit.add(tx, change.entry(action, email.id, tenant_id=email.tenant_id, detail=detail))
