"""Mail on its way out: drafts, what was accepted, recipients, attempts and outcomes. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


class RecipientKind(Explained):
    """Which header, if any, names the recipient."""

    TO = "to", "A primary recipient."
    CC = "cc", "A copy, seen by all."
    BCC = "bcc", "A blind copy, in no header."


class RecipientStatus(Explained):
    """Where one recipient of one mail stands; feedback/transitions.py moves it."""

    QUEUED = "queued", "On disk, not yet handed to SES."
    SUPPRESSED = "suppressed", "Skipped: the address is on the suppression list."
    SENT = "sent", "SES has accepted the mail."
    DELAYED = "delayed", "The receiving server put it off; SES goes on trying."
    DELIVERED = "delivered", "The receiving server took it."
    BOUNCED = "bounced", "The receiving server refused it for good."
    COMPLAINED = "complained", "The recipient marked it as spam."
    REJECTED = "rejected", "SES took it but would not send it: a virus, mostly."
    FAILED = "failed", "It could not be sent; the reason is on the row."


class EmailStatus(Explained):
    """The one word for a whole mail: the worst news among its recipients, else its stage."""

    SCHEDULED = "scheduled", "Waits for its time."
    QUEUED = "queued", "On disk, waits for a worker."
    UNKNOWN = "unknown", "SES may have it: the answer was lost, its SEND event is awaited."
    SENT = "sent", "SES has accepted it."
    DELAYED = "delayed", "A receiving server put it off."
    DELIVERED = "delivered", "Every recipient's server took it."
    BOUNCED = "bounced", "A receiving server refused it for good."
    COMPLAINED = "complained", "A recipient marked it as spam."
    REJECTED = "rejected", "SES found a virus."
    FAILED = "failed", "It could not be sent."
    SUPPRESSED = "suppressed", "Every recipient is on the suppression list."


_WORST_FIRST = (
    RecipientStatus.COMPLAINED,
    RecipientStatus.BOUNCED,
    RecipientStatus.REJECTED,
    RecipientStatus.FAILED,
    RecipientStatus.DELAYED,
    RecipientStatus.QUEUED,
    RecipientStatus.SENT,
    RecipientStatus.DELIVERED,
    RecipientStatus.SUPPRESSED,
)


def summarise(statuses: Iterable[RecipientStatus]) -> EmailStatus:
    """Give the one word for a mail: the worst news first, suppressed only when all are."""
    present = set(statuses)
    for status in _WORST_FIRST:
        if status in present:
            return EmailStatus(status.value)
    return EmailStatus.QUEUED


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file on a mail; ``content_id`` makes it inline (RFC 2392)."""

    filename: str
    content: bytes
    content_type: str = "application/octet-stream"
    content_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailDraft:
    """What a caller asks to be sent; addresses in header form, not yet validated."""

    sender: str
    to: tuple[str, ...]
    subject: str
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    html: str | None = None
    text: str | None = None
    headers: Mapping[str, str] | None = None
    tags: Mapping[str, str] | None = None
    attachments: tuple[Attachment, ...] = ()
    scheduled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A recipient left out because the suppression list holds it."""

    address: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The durable promise for one draft; ``replayed`` when the Idempotency-Key was known."""

    email_id: str
    status: EmailStatus
    skipped: tuple[Skipped, ...] = ()
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One recipient of one mail; ``detail`` is the diagnostic in the other server's words."""

    address: str
    kind: RecipientKind
    status: RecipientStatus
    updated_at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """One outbound mail as the log shows it."""

    id: str
    tenant_id: str
    sender: str
    subject: str
    status: EmailStatus
    created_at: datetime
    recipients: tuple[Recipient, ...]
    thread_id: str
    tags: Mapping[str, str]
    scheduled_at: datetime | None = None
    sent_at: datetime | None = None
    ses_message_id: str | None = None
    error: str = ""
    # where replies come back to; empty when the domain does not receive or no secret is set
    reply_token: str = ""
    reply_address: str = ""


class AttemptState(Explained):
    """How one call to SES ended, if we know."""

    SENDING = "sending", "The call was begun."
    SENT = "sent", "SES answered with its message id."
    UNKNOWN = "unknown", "The answer was lost."
    FAILED = "failed", "SES refused."
    DEFERRED = "deferred", "SES asked to try later, or the call never left."


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call to SES; its id travels in the tag and header of the mail."""

    id: str
    email_id: str
    number: int
    state: AttemptState
    started_at: datetime
    ses_message_id: str | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """SES has the mail."""

    ses_message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """No recipient is left: all came onto the suppression list meanwhile."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAt:
    """Try again then."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The answer was lost; look again then for the SEND event."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """It will never be sent, for this reason."""

    reason: str


Outcome = Sent | Suppressed | RetryAt | Unknown | GaveUp
