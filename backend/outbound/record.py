"""The transactions of the way out: load, leave out, begin, record. Each holds the fence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from backend.model.bus import BusEvent
from backend.model.outbound import (
    Attempt,
    AttemptState,
    Email,
    EmailStatus,
    GaveUp,
    Outcome,
    RecipientStatus,
    RetryAt,
    Sent,
    Suppressed,
    Unknown,
)
from backend.model.stats import Counter
from backend.queue import items
from backend.queue.announce import announce
from backend.store import attempts, counters, emails, suppressions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backend.model.suppression import Suppression
    from backend.model.work import WorkItem
    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One mail to send: its row, draft and attempts, and who came onto the list meanwhile."""

    email: Email
    draft: bytes
    attempts: tuple[Attempt, ...]
    held: Mapping[str, Suppression]

    @property
    def waiting(self) -> frozenset[str]:
        """Give the recipients not yet sent to, in lower case."""
        return _queued(self.email)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one turn of a mail; no attempt when SES was not called."""

    item: WorkItem
    outcome: Outcome
    attempt: Attempt | None
    at: datetime
    event_id: str


def load(tx: Tx, email_id: str) -> Job | None:
    """Read all that a turn needs, None when the mail is gone."""
    email = emails.get(tx, email_id)
    if email is None:
        return None
    return Job(
        email=email,
        draft=emails.draft(tx, email_id),
        attempts=attempts.of_email(tx, email_id),
        held=suppressions.find(tx, email.tenant_id, _queued(email)),
    )


def leave_out(tx: Tx, item: WorkItem, job: Job, at: datetime, event_id: str) -> None:
    """Mark the queued recipients who came onto the suppression list since they were accepted."""
    email = emails.lock(tx, job.email.id)
    items.confirm(tx, item)
    if email is None:
        return
    moved = [
        replace(
            recipient,
            status=RecipientStatus.SUPPRESSED,
            updated_at=at,
            detail=f"on the list: {job.held[recipient.address].reason}",
        )
        for recipient in email.recipients
        if recipient.status is RecipientStatus.QUEUED and recipient.address in job.held
    ]
    if moved:
        emails.move(tx, email.id, moved)
        counters.bump(tx, email.tenant_id, Counter.SUPPRESSED, at, len(moved))
        addresses = [recipient.address for recipient in moved]
        _tell(tx, email, "suppressed", at, event_id, recipients=addresses)


def begin(
    tx: Tx, item: WorkItem, attempt: Attempt, expected: frozenset[str], lost: Attempt | None
) -> bool:
    """Write the attempt before the call; False when an event changed the mail meanwhile.

    ``lost`` is the attempt before it whose SEND event never came; it is marked as tried again.
    Raises LeaseLostError.
    """
    email = emails.lock(tx, attempt.email_id)
    items.confirm(tx, item)
    if email is None or _queued(email) != expected:
        return False
    if lost is not None:
        flagged = f"no SEND event came; sent again as attempt {attempt.number}. {lost.error}"
        attempts.settle(
            tx, replace(lost, state=AttemptState.UNKNOWN, error=flagged.strip()), attempt.started_at
        )
    attempts.add(tx, attempt)
    return True


def record(tx: Tx, email_id: str, result: Result) -> None:
    """Write an outcome and end the turn in one go; raises LeaseLostError."""
    email = emails.lock(tx, email_id)
    if email is None:
        items.finish(tx, result.item)
        return
    match result.outcome:
        case Sent(ses_message_id=ses_id):
            _sent(tx, email, result, ses_id)
        case _ if not _queued(email):
            items.finish(tx, result.item)  # an event has told more than the call did
        case RetryAt(at=at, reason=reason):
            _settle(tx, result, AttemptState.DEFERRED, reason)
            emails.set_status(tx, email.id, EmailStatus.QUEUED, reason)
            items.retry(tx, result.item, at, reason)
        case Unknown(at=at, reason=reason):
            _settle(tx, result, AttemptState.UNKNOWN, reason)
            emails.set_status(tx, email.id, EmailStatus.UNKNOWN, reason)
            items.retry(tx, result.item, at, reason)
        case GaveUp(reason=reason):
            _settle(tx, result, AttemptState.FAILED, reason)
            _failed(tx, email, result, reason)
        case Suppressed():
            items.finish(tx, result.item)
        case never:
            assert_never(never)


def _sent(tx: Tx, email: Email, result: Result, ses_id: str) -> None:
    attempt = result.attempt
    if attempt is not None:
        done = replace(attempt, state=AttemptState.SENT, ses_message_id=ses_id, error="")
        attempts.settle(tx, done, result.at)
    moved = emails.mark_sent(tx, email.id, ses_id, result.at)
    if moved:
        counters.bump(tx, email.tenant_id, Counter.SENT, result.at, moved)
        _tell(tx, email, "sent", result.at, result.event_id, ses_message_id=ses_id)
    items.finish(tx, result.item)


def _failed(tx: Tx, email: Email, result: Result, reason: str) -> None:
    moved = [
        replace(r, status=RecipientStatus.FAILED, updated_at=result.at, detail=reason[:500])
        for r in email.recipients
        if r.status is RecipientStatus.QUEUED
    ]
    emails.move(tx, email.id, moved)
    emails.set_status(tx, email.id, EmailStatus.FAILED, reason)
    counters.bump(tx, email.tenant_id, Counter.FAILED, result.at, len(moved))
    _tell(tx, email, "failed", result.at, result.event_id, reason=reason)
    items.finish(tx, result.item)


def _settle(tx: Tx, result: Result, state: AttemptState, reason: str) -> None:
    if result.attempt is not None:
        attempts.settle(tx, replace(result.attempt, state=state, error=reason), result.at)


def _tell(tx: Tx, email: Email, what: str, at: datetime, event_id: str, **more: object) -> None:
    announce(
        tx,
        BusEvent(
            id=event_id,
            type=f"relay.email.{what}",
            created_at=at,
            tenant_id=email.tenant_id,
            data={"email_id": email.id, "tags": dict(email.tags), **more},
        ),
    )


def _queued(email: Email) -> frozenset[str]:
    return frozenset(r.address for r in email.recipients if r.status is RecipientStatus.QUEUED)
