"""What is outside us, as protocols: time, ids, SES, blobs, queues of notices, targets. No I/O.

The store is concrete on purpose: tests use a real SQLite file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from backend.model.inbound import TargetName
    from backend.model.suppression import SuppressionReason
    from backend.model.tenant import DomainStatus
    from backend.model.views import AccountState


class Clock(Protocol):
    """The time, the only source of it."""

    def now(self) -> datetime:
        """Give the present moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Give seconds that never go back, for measuring durations."""
        ...


class Ids(Protocol):
    """The only source of randomness that reaches a row."""

    def new(self, prefix: str) -> str:
        """Make ``prefix_`` plus 26 characters that sort by time (a ULID)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMail:
    """One mail for SES: raw MIME, its envelope, and the tags that come back in its events."""

    raw: bytes
    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    tags: Mapping[str, str]
    configuration_set: str


class MailTransport(Protocol):
    """SES, for sending."""

    async def send(self, mail: OutgoingMail) -> str:
        """Send once, never retrying, and give the SES MessageId.

        Raises ThrottledError, ServiceUnavailableError, SendingPausedError (not sent),
        UnknownOutcomeError (perhaps sent), RefusedError (never will be).
        """
        ...

    async def account(self) -> AccountState:
        """Ask GetAccount; callers cache it, SES allows one call a second."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What SES knows of a sending domain."""

    domain: str
    status: DomainStatus
    dkim_tokens: tuple[str, ...]
    signing_hosted_zone: str
    mail_from_domain: str


class Identities(Protocol):
    """SES, for sending domains."""

    async def create(self, domain: str) -> Identity:
        """Register a domain; one that exists already is simply read."""
        ...

    async def get(self, domain: str) -> Identity:
        """Read a domain; raises NotFoundError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAddress:
    """One address as SES holds it back: ``spelling`` is the only form it answers to."""

    spelling: str
    reason: SuppressionReason
    updated_at: datetime


class AccountSuppressions(Protocol):
    """The account's own suppression list at SES; every call may raise TransientError."""

    def pages(self) -> AsyncIterator[Sequence[HeldAddress]]:
        """Give the whole list, some at a time."""
        ...

    async def put(self, address: str, reason: SuppressionReason) -> None:
        """Put an address on the list, for a bounce or a complaint; raises RefusedError."""
        ...

    async def delete(self, spelling: str) -> bool:
        """Take an address, spelt exactly so, off the list; False when it was not on it."""
        ...


class BlobStore(Protocol):
    """Where raw messages lie: S3, or a local folder."""

    async def get(self, key: str) -> bytes:
        """Read a whole object; raises NotFoundError or ServiceUnavailableError."""
        ...

    async def put(self, key: str, data: bytes) -> None:
        """Write a whole object, at once or not at all."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message of an SQS queue: its id, its body as text, and the handle to acknowledge it."""

    id: str
    body: str
    handle: str
    receive_count: int


class BlobLinks(Protocol):
    """A store that can give a link to an object to whoever holds no key of ours: S3."""

    async def presign(self, key: str, seconds: int, *, name: str = "") -> str:
        """Give a URL that reads the object for so many seconds (at most 7 days).

        With a ``name`` it is downloaded under that name, and never shown by a browser.
        """
        ...

    async def stored_at(self, key: str) -> datetime | None:
        """Tell when an object was written, None when there is none."""
        ...

    async def put(self, key: str, data: bytes) -> None:
        """Write a whole object, at once or not at all."""
        ...


class NoticeQueue(Protocol):
    """An SQS queue that SNS or S3 fills."""

    async def receive(self, limit: int, wait_seconds: int) -> Sequence[Notice]:
        """Long-poll for up to ``limit`` (1-10) notices; raises ServiceUnavailableError."""
        ...

    async def acknowledge(self, notices: Sequence[Notice]) -> None:
        """Delete notices whose work is durable."""
        ...


class PatientQueue(NoticeQueue, Protocol):
    """A queue whose notices can be kept hidden for longer while they are worked on."""

    async def hold(self, notices: Sequence[Notice], seconds: int) -> None:
        """Keep notices hidden for so many seconds from now; one that is gone is passed over."""
        ...

    async def backlog(self) -> int:
        """Tell about how many notices wait or are under way."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object of a blob store as a listing tells it."""

    key: str
    size: int
    stored_at: datetime


class BlobDisposal(Protocol):
    """A store that objects can be deleted from."""

    async def delete(self, key: str) -> None:
        """Delete an object; one that is not there is no error. Raises ServiceUnavailableError."""
        ...


class BlobListing(Protocol):
    """A blob store that can tell what it holds."""

    def pages(self, prefix: str = "") -> AsyncIterator[Sequence[Stored]]:
        """Give the objects whose keys begin so, some at a time; raises TransientError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRequest:
    """One call to a target: path below its base URL, JSON body, idempotency key."""

    path: str
    body: Mapping[str, object]
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReceipt:
    """The target's answer: ``external_id`` is the ticket, note, activity or reply it made."""

    external_id: str
    body: Mapping[str, object]
    duplicate: bool = False


class Targets(Protocol):
    """PSA, CRM and Portal over HTTP (docs/targets.md)."""

    def configured(self, target: TargetName) -> bool:
        """Tell whether a URL is set for it."""
        ...

    async def call(self, target: TargetName, request: TargetRequest) -> TargetReceipt:
        """Post once; raises ThrottledError, ServiceUnavailableError or RefusedError."""
        ...
