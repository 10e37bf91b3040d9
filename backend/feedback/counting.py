"""What an event counts for: our counters, what is billed, and the rates AWS judges an account by.

A recipient counts once for each kind of news, whichever comes first: one who was delivered to and
bounced later counts for both, also when SES tells of the bounce before the delivery.

Rates: the SES developer guide, "Reputation metrics", and the FAQ on enforcement. Only hard bounces
count. What SES made because of the account's own list does not, a bounce because of its global list
does. A complaint counts once, however many recipients it names because the provider hides who
complained. Mail to the simulator counts for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.feedback.transitions import RANK, STANDS_FOR, TRANSITIONS, is_absence_note
from backend.model.feedback import EventKind
from backend.model.outbound import RecipientStatus
from backend.model.stats import Counter
from backend.store import compliance, counters, events

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.model.feedback import FeedbackEvent
    from backend.model.outbound import Email, Recipient
    from backend.store.types import Tx

SIMULATOR = "@simulator.amazonses.com"
_COUNTED = {
    EventKind.DELIVERY: Counter.DELIVERED,
    EventKind.BOUNCE: Counter.BOUNCED,
    EventKind.COMPLAINT: Counter.COMPLAINED,
    EventKind.REJECT: Counter.FAILED,
    EventKind.RENDERING_FAILURE: Counter.FAILED,
}
_UNDECIDED = RANK[: RANK.index(RecipientStatus.REJECTED)]


def is_simulator(address: str) -> bool:
    """Tell whether an address is one of the mailbox simulator of SES."""
    return address.endswith(SIMULATOR)


def count(
    tx: Tx, email: Email, event: FeedbackEvent, concerned: Sequence[Recipient], *, at: datetime
) -> None:
    """Count an event for the recipients it is about, given as they stood before it."""
    counter = _COUNTED.get(event.kind)
    if counter is None or not concerned:
        return
    before = {one.address: _told_before(tx, email.id, event, one) for one in concerned}
    first = sum(not said for said in before.values())
    if first:
        when = event.occurred_at
        counters.bump(tx, email.tenant_id, counter, at, first, occurred_at=when)
    real = [one for one in concerned if not is_simulator(one.address)]
    hard = _is_hard(event.subtype) and event.kind is EventKind.BOUNCE
    _rate(
        tx,
        email.tenant_id,
        event.occurred_at,
        hard_bounces=sum(hard and not any(map(_is_hard, before[one.address])) for one in real),
        complaints=int(_is_complaint(event) and bool(real)),
    )
    # taken off the day on which it was counted as sent
    simulated = sum(_is_decided(one, event) for one in concerned if is_simulator(one.address))
    _rate(tx, email.tenant_id, email.sent_at or event.occurred_at, simulated=simulated)


def _rate(tx: Tx, tenant_id: str, day: datetime, **more: int) -> None:
    if any(more.values()):
        compliance.count(tx, tenant_id, day, **more)


def _told_before(tx: Tx, email_id: str, event: FeedbackEvent, who: Recipient) -> list[str]:
    """Give what other events of the kind said of a recipient; most often there can be none."""
    if RANK.index(who.status) < RANK.index(STANDS_FOR[event.kind]):
        return []
    said = events.details(tx, email_id, event.kind, who.address, but=event.source_id)
    return [one for one in said if not is_absence_note(event.kind, one, "")]


def _is_hard(said: str) -> bool:
    """Tell whether AWS counts a bounce, by its subtype or by a detail that begins with it."""
    kind, _, why = said.partition(":")[0].partition("/")
    return kind == "Permanent" and why != _ON_OUR_LIST


def _is_complaint(event: FeedbackEvent) -> bool:
    return event.kind is EventKind.COMPLAINT and _ON_OUR_LIST not in event.subtype.split("/")


_ON_OUR_LIST = "OnAccountSuppressionList"


def _is_decided(before: Recipient, event: FeedbackEvent) -> bool:
    after = TRANSITIONS[before.status, event.kind]
    return before.status in _UNDECIDED and after not in _UNDECIDED
