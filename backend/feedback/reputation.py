"""What counts for the rates that AWS judges an account by.

Source: the SES developer guide, "Reputation metrics", and the FAQ on enforcement. Only hard bounces
count; one that SES made because of the account's own list does not, one because of its global list
does. Mail to the simulator counts for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.model.feedback import EventKind
from backend.model.outbound import RecipientStatus
from backend.store import compliance

if TYPE_CHECKING:
    from backend.model.feedback import FeedbackEvent
    from backend.model.outbound import Recipient
    from backend.store.types import Tx

SIMULATOR = "@simulator.amazonses.com"
_UNDECIDED = frozenset(
    {
        RecipientStatus.QUEUED,
        RecipientStatus.FAILED,
        RecipientStatus.SENT,
        RecipientStatus.DELAYED,
    }
)


def is_hard_bounce(event: FeedbackEvent) -> bool:
    """Tell whether AWS counts an event as a bounce."""
    kind, _, why = event.subtype.partition("/")
    bounced = event.kind is EventKind.BOUNCE
    return bounced and kind == "Permanent" and why != "OnAccountSuppressionList"


def rate(
    tx: Tx, tenant_id: str, event: FeedbackEvent, moved: list[tuple[Recipient, Recipient]]
) -> None:
    """Count what an event has changed; ``moved`` holds each recipient before and after."""
    bounces = complaints = simulated = 0
    for before, after in moved:
        if after.address.endswith(SIMULATOR):
            settled = after.status not in _UNDECIDED
            simulated += before.status in _UNDECIDED and settled
            continue
        bounces += after.status is RecipientStatus.BOUNCED and is_hard_bounce(event)
        complaints += after.status is RecipientStatus.COMPLAINED
    if bounces or complaints or simulated:
        compliance.count(
            tx,
            tenant_id,
            event.occurred_at,
            hard_bounces=bounces,
            complaints=complaints,
            simulated=simulated,
        )
