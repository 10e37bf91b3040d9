"""Whether what SES told us puts an address on the list. No I/O."""

from __future__ import annotations

from backend.model.feedback import EventKind
from backend.model.suppression import SuppressionReason

_ON_ACCOUNT_LIST = "OnAccountSuppressionList"
NOT_SPAM = "not-spam"


def reason_to_suppress(
    kind: EventKind, subtype: str, *, candidates: int
) -> SuppressionReason | None:
    """Give the reason to suppress each recipient of an event, None when there is none.

    ``subtype`` is FeedbackEvent.subtype; ``candidates`` is how many recipients the event names.
    """
    parts = subtype.split("/")
    # SES holds the address on its own list; that is no news about the mailbox
    if _ON_ACCOUNT_LIST in parts:
        return None
    if kind is EventKind.BOUNCE and parts[0] == "Permanent":
        return SuppressionReason.BOUNCE
    # a provider hides who complained: SES names everyone there who got the mail, so with more
    # than one of them most are innocent
    if kind is EventKind.COMPLAINT and NOT_SPAM not in parts and candidates == 1:
        return SuppressionReason.COMPLAINT
    return None
