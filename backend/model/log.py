"""The log as people ask for it: queries, places in it, lines, pages and counts. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.model.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.model.outbound import Email

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLI = timedelta(milliseconds=1)

COUNTED = 10_000
"""A filtered log is counted up to here; beyond, a count says "10,000+"."""


class Direction(Explained):
    """Which way a message goes."""

    OUT = "out", "Sent by a tenant through SES."
    IN = "in", "Received for a tenant."


class LogField(Explained):
    """What a term of a query looks at; the value is its word in the query language."""

    TEXT = "text", "Part of an address, the subject, a tag or the whole id; any case."
    STATUS = "status", "Where the mail stands; several with commas."
    TO = "to", "Part of a recipient's address."
    FROM = "from", "Part of the sender."
    DOMAIN = "domain", "The domain of the sender or of a recipient."
    SUBJECT = "subject", "Part of the subject."
    TAG = "tag", "A tag by name, or name=value."
    ID = "id", "Our id, or how it begins."
    SES = "ses", "The id SES gave the mail, or the Message-ID of a received one."
    REASON = "reason", "Part of why it is where it is: a reason code or the words of an error."
    TEMPLATE = "template", "The template it was made of, by id."
    HAS = "has", "attachment, reply or error."
    IS = "is", "scheduled, reply, waiting, automatic or bad."


class LogHas(Explained):
    """The values of ``has:``."""

    ATTACHMENT = "attachment", "It carries a file."
    REPLY = "reply", "Somebody answered it."
    ERROR = "error", "An error is noted on it."


class LogIs(Explained):
    """The values of ``is:``."""

    SCHEDULED = "scheduled", "It waits for its time."
    REPLY = "reply", "It answers a mail we sent."
    WAITING = "waiting", "It waits for a person: quarantined, held, unrouted or failed."
    AUTOMATIC = "automatic", "A machine wrote it: an auto-reply, a bounce, a list."
    BAD = "bad", "Bounced, complained, rejected or failed."


class LogSort(Explained):
    """What the log is ordered by; time and status have an index at any size."""

    TIME = "time", "When it was accepted or received."
    STATUS = "status", "By the status, each newest first or oldest first."
    RECIPIENT = "recipient", "By the first recipient; for at most 10,000 mails."
    SUBJECT = "subject", "By the subject; for at most 10,000 mails."


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTerm:
    """One condition: any of ``values``, in lower case; ``negated`` turns it round."""

    field: LogField
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which mail, both ways: all terms together, since (inclusive) to until (exclusive)."""

    tenant_id: str | None = None
    direction: Direction | None = None
    since: datetime | None = None
    until: datetime | None = None
    terms: tuple[LogTerm, ...] = ()
    sort: LogSort = LogSort.TIME
    ascending: bool = False

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        narrow = (self.tenant_id, self.direction, self.since, self.until)
        return not self.terms and all(one is None for one in narrow)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCursor:
    """A place in the log: that of one line, which need not exist any more.

    ``key`` is the status when the log is ordered by status, else empty.
    """

    at: datetime
    id: str
    key: str = ""

    def __str__(self) -> str:
        """Give the form that goes over the wire: milliseconds, id and key."""
        parts = [str((self.at - _EPOCH) // _MILLI), self.id, self.key]
        return "~".join(part for part in parts if part)

    @classmethod
    def read(cls, text: str) -> LogCursor:
        """Read what ``str`` gave; raises InvalidInputError."""
        millis, _, rest = text.partition("~")
        mail_id, _, key = rest.partition("~")
        try:
            at = _EPOCH + int(millis) * _MILLI
        except (ValueError, OverflowError):
            at = None
        if at is None or not mail_id:
            raise InvalidInputError(
                "cursor: this is none; take the one a page gave", field="cursor"
            )
        return cls(at=at, id=mail_id, key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSpan:
    """Which part of the log: ``size`` lines after a place, or before it when ``backward``.

    No place means the first lines, or the last when ``backward``. ``skip`` lines next to the place
    are left out: a walk over an index, cheap to some 100,000. Lines always come in log order.
    """

    size: int
    place: LogCursor | None = None
    backward: bool = False
    skip: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One line of the log; ``status`` is an EmailStatus or an InboundStatus value."""

    id: str
    at: datetime
    direction: Direction
    tenant_id: str
    sender: str
    recipient: str
    more_recipients: int
    subject: str
    status: str
    note: str = ""

    def cursor(self, sort: LogSort = LogSort.TIME) -> LogCursor:
        """Give its place in a log of this order."""
        key = self.status if sort is LogSort.STATUS else ""
        return LogCursor(at=self.at, id=self.id, key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Lines in log order; ``more`` when there are others beyond, in the direction of the span."""

    entries: Sequence[LogEntry]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCount:
    """How much mail; when not ``exact`` there are more than ``n``."""

    n: int
    exact: bool = True

    def __str__(self) -> str:
        """Give ``1,204`` or ``10,000+``."""
        return f"{self.n:,}" if self.exact else f"{self.n:,}+"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentLine:
    """A sent mail in a list; ``seen`` are the kinds of open and click events that came."""

    email: Email
    seen: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNews:
    """What came or changed after a mark, in the order it was written; ``mark`` is the next one."""

    entries: Sequence[LogEntry]
    mark: int
