"""What becomes of one mail, written down: left out, sent, put off, unknown, held, failed.

Every function here runs inside the transaction of outbound/batches.py, which holds the fence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.model.bus import BusEvent
from backend.model.outbound import (
    AccountHeld,
    Attempt,
    AttemptState,
    Email,
    EmailStatus,
    GaveUp,
    HeldBack,
    Outcome,
    RecipientStatus,
    RetryAt,
    Sent,
    Suppressed,
    Unknown,
)
from backend.model.sending import SendState
from backend.model.stats import Counter
from backend.model.work import WorkKind
from backend.outbound import hold
from backend.queue import items
from backend.queue.announce import announce
from backend.store import attempts, counters, emails

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backend.model.suppression import Suppression
    from backend.model.work import WorkItem
    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One mail to send: its row, draft and attempts, and who came onto the list meanwhile.

    A large ``draft`` is None until it is its turn: few of them may lie in memory at a time.
    ``braked`` is why its tenant's mail is held back, empty when it is not.
    """

    email: Email
    draft: bytes | None
    attempts: tuple[Attempt, ...]
    held: Mapping[str, Suppression]
    braked: str = ""
    probes: bool = False  # it tries whether the account may send again

    @property
    def waiting(self) -> frozenset[str]:
        """Give the recipients not yet sent to, in lower case."""
        return queued(self.email)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one turn of a mail; ``called`` tells whether SES was asked in it.

    ``attempt`` is the one the outcome is about: made in this turn, or lost in an earlier one.
    """

    item: WorkItem
    email_id: str
    outcome: Outcome
    attempt: Attempt | None
    at: datetime
    event_id: str
    called: bool = False


def queued(email: Email) -> frozenset[str]:
    """Give the recipients of a mail not yet sent to, in lower case."""
    return frozenset(r.address for r in email.recipients if r.status is RecipientStatus.QUEUED)


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
        announce(tx, news(email, "suppressed", at, event_id, recipients=addresses))


def record(tx: Tx, result: Result) -> None:
    """Write an outcome and end the turn in one go; raises LeaseLostError."""
    email = emails.lock(tx, result.email_id)
    if email is None:
        items.finish(tx, result.item)
        return
    match result.outcome:
        case Sent(ses_message_id=ses_id):
            _sent(tx, email, result, ses_id)
        case AccountHeld() as held:
            _account_held(tx, email, result, held)
        case outcome if not queued(email) or isinstance(outcome, Suppressed):
            items.finish(tx, result.item)  # an event has told more than the call did
        case GaveUp(reason=reason):
            _settle(tx, result, AttemptState.FAILED, reason)
            fail(tx, email, result.at, result.event_id, reason)
            items.finish(tx, result.item)
        case outcome:
            _put_off(tx, email, result, outcome)


def _put_off(tx: Tx, email: Email, result: Result, outcome: RetryAt | Unknown | HeldBack) -> None:
    """Leave the mail for later: for its next turn, for its SEND event, or for a person."""
    deferred = isinstance(outcome, RetryAt)
    state = AttemptState.DEFERRED if deferred else AttemptState.UNKNOWN
    status = EmailStatus.QUEUED if deferred else EmailStatus.UNKNOWN
    _settle(tx, result, state, outcome.reason)
    emails.set_status(tx, email.id, status, outcome.reason)
    if isinstance(outcome, HeldBack):
        items.bury(tx, result.item, outcome.reason)
    else:
        items.proceed(tx, result.item, outcome.at, outcome.reason)


def learn(tx: Tx, result: Result) -> None:
    """Keep what SES answered though the lease was lost meanwhile: it is true whoever has the mail.

    Without it the next worker would wait for an event, and in the end send the mail once more.
    """
    email = emails.lock(tx, result.email_id)
    if email is None or not result.called:
        return
    match result.outcome:
        case Sent(ses_message_id=ses_id):
            _mark_sent(tx, email, result, ses_id)
            # whoever has it finds nothing left to send
            items.enqueue(tx, WorkKind.SEND, email.id, run_at=result.at, now=result.at)
        case RetryAt(reason=reason) | AccountHeld(reason=reason):
            _settle(tx, result, AttemptState.DEFERRED, reason)


def _sent(tx: Tx, email: Email, result: Result, ses_id: str) -> None:
    _mark_sent(tx, email, result, ses_id)
    items.finish(tx, result.item)


def _mark_sent(tx: Tx, email: Email, result: Result, ses_id: str) -> None:
    attempt = result.attempt
    if attempt is not None:
        done = replace(attempt, state=AttemptState.SENT, ses_message_id=ses_id, error="")
        attempts.settle(tx, done, result.at)
    moved = emails.mark_sent(tx, email.id, ses_id, result.at)
    if moved:
        counters.bump(tx, email.tenant_id, Counter.SENT, result.at, moved)
        announce(tx, news(email, "sent", result.at, result.event_id, ses_message_id=ses_id))


def _account_held(tx: Tx, email: Email, result: Result, held: AccountHeld) -> None:
    """Put the mail back as it was: what SES said is about the account, and is kept there."""
    _settle(tx, result, AttemptState.HELD, held.reason)
    if queued(email):
        emails.set_status(tx, email.id, EmailStatus.QUEUED, held.reason)
    # what is denied may be denied to this sender only: the next try is another mail's
    behind = result.at if held.state is SendState.DENIED else None
    items.put_back(tx, result.item, held.reason, run_at=behind)
    if held.told:  # else the hold may have ended since it was read
        hold.note(tx, held, result.at)


def fail(tx: Tx, email: Email, at: datetime, event_id: str, reason: str) -> None:
    """Mark the recipients still queued as failed, count and announce it."""
    moved = [
        replace(r, status=RecipientStatus.FAILED, updated_at=at, detail=reason[:500])
        for r in email.recipients
        if r.status is RecipientStatus.QUEUED
    ]
    emails.move(tx, email.id, moved)
    emails.set_status(tx, email.id, EmailStatus.FAILED, reason)
    counters.bump(tx, email.tenant_id, Counter.FAILED, at, len(moved))
    announce(tx, news(email, "failed", at, event_id, reason=reason))


def _settle(tx: Tx, result: Result, state: AttemptState, reason: str) -> None:
    if result.attempt is not None:
        attempts.settle(tx, replace(result.attempt, state=state, error=reason), result.at)


def news(email: Email, what: str, at: datetime, event_id: str, **more: object) -> BusEvent:
    """Make the bus event that tells what became of a mail."""
    return BusEvent(
        id=event_id,
        type=f"relay.email.{what}",
        created_at=at,
        tenant_id=email.tenant_id,
        data={"email_id": email.id, "tags": dict(email.tags), **more},
    )
