"""Mail on its way out: drafts, what was accepted, recipients, attempts and outcomes. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.causes import cause_of
from backend.model.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from backend.errors import InvalidInputError
    from backend.model.causes import Cause
    from backend.model.limits import Allowance
    from backend.model.sending import SendState
    from backend.model.template import TemplateUse


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
    CANCELED = "canceled", "Called off before its time."


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
    CANCELED = "canceled", "Called off before its time."
    SUPPRESSED = "suppressed", "Every recipient is on the suppression list."


class OnUnknown(Explained):
    """What to do with a mail whose answer was lost and whose SEND event does not come."""

    RETRY = "retry", "Send it again: better twice than never."
    HOLD = "hold", "Hold it for a person to decide: better late than twice."


_WORST_FIRST = (
    RecipientStatus.COMPLAINED,
    RecipientStatus.BOUNCED,
    RecipientStatus.REJECTED,
    RecipientStatus.FAILED,
    RecipientStatus.DELAYED,
    RecipientStatus.QUEUED,
    RecipientStatus.SENT,
    RecipientStatus.DELIVERED,
    RecipientStatus.CANCELED,
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
    """What a caller asks to be sent; addresses in header form, not yet validated.

    ``scheduled_at`` may be in words (outbound/when.py): they are read when the mail is accepted.
    """

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
    template: TemplateUse | None = None  # what is to fill it; gone once it has
    template_id: str = ""  # what has filled it
    scheduled_at: datetime | str | None = None
    on_unknown: OnUnknown = OnUnknown.RETRY


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A recipient left out because the suppression list holds it."""

    address: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The durable promise for one draft; ``replayed`` when the Idempotency-Key was known.

    ``allowance`` tells how much more may be sent; None when nothing limits the caller.
    """

    email_id: str
    status: EmailStatus
    skipped: tuple[Skipped, ...] = ()
    replayed: bool = False
    allowance: Allowance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One mail of a batch that was not accepted, and why."""

    error: InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAccepted:
    """What became of each mail of a batch, in its order."""

    results: tuple[Accepted | Refused, ...]
    replayed: bool = False
    allowance: Allowance | None = None


_REFUSED = frozenset({RecipientStatus.BOUNCED, RecipientStatus.DELAYED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One recipient of one mail; ``detail`` is the diagnostic in the other server's words."""

    address: str
    kind: RecipientKind
    status: RecipientStatus
    updated_at: datetime
    detail: str = ""

    @property
    def cause(self) -> Cause | None:
        """Give what a refusal means and what to do, None when there was none that tells."""
        return cause_of(self.detail) if self.status in _REFUSED else None


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
    # how many files it carries
    attachments: int = 0
    template: str = ""  # the id of the template it was made of
    # sent again though SES may have had it: no SEND event told in time
    possible_duplicate: bool = False


class AttemptState(Explained):
    """How one call to SES ended, if we know."""

    SENDING = "sending", "The call was begun."
    SENT = "sent", "SES answered with its message id."
    UNKNOWN = "unknown", "The answer was lost."
    FAILED = "failed", "SES refused."
    DEFERRED = "deferred", "SES asked to try later, or the call never left."
    HELD = "held", "SES took no mail of the account just then; it does not count as a try."


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
class AccountHeld:
    """SES takes no mail of this account at present: back into the queue, and nobody is to try.

    ``told`` is False when that was read from the database, not said by SES just now.
    """

    state: SendState
    reason: str
    told: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """Nobody knows whether SES has it, and its sender would rather have it late than twice."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """It will never be sent, for this reason."""

    reason: str


Outcome = Sent | Suppressed | RetryAt | Unknown | AccountHeld | HeldBack | GaveUp
