"""What SES tells us about mail it has taken (ses.md: "Sending events"). No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from datetime import datetime


AUTOMATED = "automated"
"""What the detail of an open or click begins with when SES says that it was a machine's."""


class EventKind(Explained):
    """The ten event types of SES event publishing, in our spelling."""

    SEND = "send", "SES has accepted the mail."
    DELIVERY = "delivery", "The receiving server took it."
    BOUNCE = "bounce", "The receiving server refused it."
    COMPLAINT = "complaint", "A recipient marked it as spam."
    REJECT = "reject", "SES found a virus and stopped it."
    OPEN = "open", "The mail was opened, or fetched by a machine."
    CLICK = "click", "A link was followed."
    RENDERING_FAILURE = "rendering_failure", "A template variable was missing at SES."
    DELIVERY_DELAY = "delivery_delay", "The receiving server put it off."
    SUBSCRIPTION = "subscription", "A recipient changed list preferences."


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientNews:
    """What one event says of one recipient; ``detail`` is the diagnostic or SMTP answer.

    ``spelling`` is the address as it was sent to, when that is not lower case: SES knows it so.
    """

    address: str
    detail: str = ""
    status: str = ""
    spelling: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackEvent:
    """One SES event, read from its JSON.

    ``source_id`` is the SNS MessageId (or the SQS one when delivery is raw); ``attempt_id``
    comes back in ``mail.tags`` and correlates before the send call has been recorded.
    ``subtype`` is ``bounceType/bounceSubType`` or the complaint feedback type. ``automated``: SES
    says that a machine opened the mail or followed the link.
    """

    source_id: str
    kind: EventKind
    ses_message_id: str
    attempt_id: str | None
    occurred_at: datetime
    recipients: tuple[RecipientNews, ...]
    subtype: str = ""
    feedback_id: str = ""
    detail: str = ""
    automated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line in the life of a mail, for the console."""

    at: datetime
    kind: str
    recipient: str
    detail: str

    @property
    def automated(self) -> bool:
        """Tell whether it is an open or click of a machine."""
        return self.kind in _SEEN and self.detail.startswith(AUTOMATED)


_SEEN = frozenset({EventKind.OPEN.value, EventKind.CLICK.value})
