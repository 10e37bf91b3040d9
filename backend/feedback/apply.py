"""Apply one SES event: everything it changes, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.faultpoints import FaultPoint, faultpoint
from backend.feedback.counting import count, is_simulator
from backend.feedback.transitions import NEVER_MAILED, TRANSITIONS, is_absence_note, is_praise
from backend.model.bus import BusEvent
from backend.model.feedback import AUTOMATED, EventKind, FeedbackEvent, RecipientNews
from backend.model.outbound import AttemptState, Email, EmailStatus, Recipient
from backend.model.stats import Counter
from backend.model.suppression import Suppression
from backend.model.work import WorkKind
from backend.queue import items
from backend.queue.announce import announce
from backend.store import attempts, counters, emails, events, suppressions
from backend.suppression.decide import listing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.model.outbound import Attempt
    from backend.ports import Ids
    from backend.store.types import Tx

_TOLD = {
    EventKind.DELIVERY: "delivered",
    EventKind.DELIVERY_DELAY: "delayed",
    EventKind.BOUNCE: "bounced",
    EventKind.COMPLAINT: "complained",
    EventKind.REJECT: "rejected",
    EventKind.RENDERING_FAILURE: "rejected",
    EventKind.OPEN: "opened",
    EventKind.CLICK: "clicked",
}


_OF_THE_WHOLE = frozenset(
    {
        EventKind.SEND,
        EventKind.REJECT,
        EventKind.RENDERING_FAILURE,
        EventKind.OPEN,
        EventKind.CLICK,
    }
)
"""Kinds that name no recipient because they hold for all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """When an event came in, and the ids for what it makes."""

    at: datetime
    ids: Ids


def apply_event(tx: Tx, event: FeedbackEvent, stamp: Stamp) -> bool:
    """Record an event and do all that follows from it; False when it was known already.

    An event about mail we do not know is kept under no tenant.
    """
    attempt = attempts.find(tx, event.attempt_id, event.ses_message_id)
    email = emails.lock(tx, attempt.email_id) if attempt is not None else None
    news = event.recipients or (RecipientNews(address=""),)
    fresh = [item for item in news if _store(tx, event, item, email, stamp)]
    if email is None or not fresh:
        return bool(fresh)
    if attempt is not None:
        _settle_as_sent(tx, email, attempt, event, stamp)
    bad = [item for item in fresh if not _is_harmless(event, item)]
    concerned = _concerned(emails.recipients_of(tx, [email.id])[email.id], event, bad)
    count(tx, email, event, [who for who, _ in concerned], at=stamp.at)
    _move(tx, email.id, event, concerned, stamp)
    _suppress(tx, email, event, concerned, stamp)
    if event.kind in _TOLD and bad:
        _tell(tx, email, _TOLD[event.kind], event, bad, stamp)
    faultpoint(FaultPoint.EVENT_BEFORE_COMMIT)
    return True


def fact_key(event: FeedbackEvent, recipient: str) -> str:
    """Give what names a fact, whichever copy of the event carried it."""
    when = event.feedback_id or event.occurred_at.isoformat()
    if event.kind is EventKind.SEND:
        when = ""  # a mail is taken once; the other kinds may come again and mean it
    link = event.detail if event.kind is EventKind.CLICK else ""
    return f"{event.ses_message_id}|{event.kind.value}|{recipient}|{when}|{link}"


def _store(
    tx: Tx, event: FeedbackEvent, news: RecipientNews, email: Email | None, stamp: Stamp
) -> bool:
    return events.add(
        tx,
        events.StoredEvent(
            id=stamp.ids.new("evt"),
            source_id=event.source_id,
            fact_key=fact_key(event, news.address),
            tenant_id=email.tenant_id if email else "",
            email_id=email.id if email else None,
            ses_message_id=event.ses_message_id,
            attempt_id=event.attempt_id,
            kind=event.kind,
            recipient=news.address,
            detail=_detail(event, news),
            occurred_at=event.occurred_at,
            received_at=stamp.at,
        ),
    )


def _settle_as_sent(
    tx: Tx, email: Email, attempt: Attempt, event: FeedbackEvent, stamp: Stamp
) -> None:
    """Any event proves that SES took the mail: the attempt is sent, and so is the mail.

    The work item of a mail whose answer was lost is woken: it finds nothing left to send.
    """
    done = replace(
        attempt, state=AttemptState.SENT, ses_message_id=event.ses_message_id, error=attempt.error
    )
    attempts.settle(tx, done, stamp.at)
    moved = emails.mark_sent(tx, email.id, event.ses_message_id, stamp.at)
    if moved:
        when = event.occurred_at
        counters.bump(tx, email.tenant_id, Counter.SENT, stamp.at, moved, occurred_at=when)
        _tell(tx, email, "sent", event, (), stamp)
    if email.status is EmailStatus.UNKNOWN:
        items.enqueue(tx, WorkKind.SEND, email.id, run_at=stamp.at, now=stamp.at)


def _is_harmless(event: FeedbackEvent, news: RecipientNews) -> bool:
    """Tell whether a bounce or complaint is none: it is kept in the timeline and no more."""
    kind, subtype = event.kind, event.subtype
    return is_praise(kind, subtype) or is_absence_note(kind, subtype, news.detail)


def _concerned(
    recipients: Sequence[Recipient], event: FeedbackEvent, news: Sequence[RecipientNews]
) -> list[tuple[Recipient, RecipientNews]]:
    """Give each recipient an event is about, with what it says of that one.

    An event that names nobody is about all of them only when its kind always is, or when there is
    but one it can mean: a complaint without a name must not stand against fifty.
    """
    by_address = {item.address: item for item in news}
    mailed = [one for one in recipients if one.status not in NEVER_MAILED]
    whole = by_address.get("") if event.kind in _OF_THE_WHOLE or len(mailed) == 1 else None
    found = ((one, by_address.get(one.address, whole)) for one in mailed)
    return [(one, item) for one, item in found if item is not None]


def _move(
    tx: Tx,
    email_id: str,
    event: FeedbackEvent,
    concerned: Sequence[tuple[Recipient, RecipientNews]],
    stamp: Stamp,
) -> None:
    """Move recipients along the table."""
    moved = [
        replace(before, status=status, updated_at=stamp.at, detail=_detail(event, item))
        for before, item in concerned
        if (status := TRANSITIONS[before.status, event.kind]) is not before.status
    ]
    if moved:
        emails.move(tx, email_id, moved)


def _suppress(
    tx: Tx,
    email: Email,
    event: FeedbackEvent,
    concerned: Sequence[tuple[Recipient, RecipientNews]],
    stamp: Stamp,
) -> None:
    """Put on the list who is concerned: an event cannot put a stranger there."""
    listed = listing(event.kind, event.subtype, candidates=max(1, len(event.recipients)))
    if listed is None:
        return
    for recipient, item in concerned:
        if is_simulator(recipient.address):  # as SES does: the next self-test needs it again
            continue
        suppressions.insert(
            tx,
            Suppression(
                id=stamp.ids.new("sup"),
                tenant_id=email.tenant_id,
                address=recipient.address,
                reason=listed.reason,
                state=listed.state,
                created_at=stamp.at,
                detail=_detail(event, item),
                source_email_id=email.id,
                source_event_id=event.source_id,
                spelling=item.spelling,
            ),
        )


def _tell(
    tx: Tx,
    email: Email,
    what: str,
    event: FeedbackEvent,
    fresh: Sequence[RecipientNews],
    stamp: Stamp,
) -> None:
    announce(
        tx,
        BusEvent(
            id=stamp.ids.new("evt"),
            type=f"relay.email.{what}",
            created_at=stamp.at,
            tenant_id=email.tenant_id,
            data={
                "email_id": email.id,
                "ses_message_id": event.ses_message_id,
                "occurred_at": event.occurred_at.isoformat(),
                "recipients": [item.address for item in fresh if item.address],
                "subtype": event.subtype,
                "detail": event.detail,
                "tags": dict(email.tags),
                **({"automated": True} if event.automated else {}),
            },
        ),
    )


def _detail(event: FeedbackEvent, news: RecipientNews) -> str:
    who = AUTOMATED if event.automated else ""
    return ": ".join(filter(None, (who, event.detail, news.detail)))[:500]
