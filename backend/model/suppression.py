"""The suppression list: whom we must not send to, and how such lists come and go. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from datetime import datetime

EVERY_TENANT = ""
"""The tenant of an entry that holds for all tenants."""


class SuppressionReason(Explained):
    """Why somebody is on the list."""

    BOUNCE = "bounce", "A hard bounce: the mailbox does not exist."
    COMPLAINT = "complaint", "The recipient marked our mail as spam."
    UNSUBSCRIBE = "unsubscribe", "The recipient asked for no more mail."
    MANUAL = "manual", "A person put it there."
    IMPORT = "import", "It came with an imported list that gave no reason."


class SuppressionKind(Explained):
    """What an entry names."""

    ADDRESS = "address", "One mailbox."
    DOMAIN = "domain", "Every mailbox of a domain, or with *. of its subdomains."


class SuppressionState(Explained):
    """Whether an entry counts."""

    ACTIVE = "active", "No mail is sent there."
    REVIEW = "review", "A complaint that may be meant for another; mail is sent until you accept."


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One entry; an expired one no longer counts.

    ``address`` is a lower case address, ``example.com`` or ``*.example.com`` (its subdomains, not
    itself). ``detail`` is what the event said, ``note`` what a person wrote. ``source_email_id``
    is the mail that caused it, ``source_event_id`` the notification or message that told of it.
    ``spelling`` is the address as it was given, when that is not its lower case form.
    """

    id: str
    tenant_id: str
    address: str
    reason: SuppressionReason
    created_at: datetime
    detail: str = ""
    source_email_id: str | None = None
    created_by: str = ""
    note: str = ""
    expires_at: datetime | None = None
    source_event_id: str = ""
    state: SuppressionState = SuppressionState.ACTIVE
    import_id: str | None = None
    spelling: str = ""

    @property
    def kind(self) -> SuppressionKind:
        """Tell whether it names a mailbox or a domain."""
        return SuppressionKind.ADDRESS if "@" in self.address else SuppressionKind.DOMAIN

    def counts(self, now: datetime) -> bool:
        """Tell whether it keeps mail back at a moment."""
        live = self.expires_at is None or self.expires_at > now
        return live and self.state is SuppressionState.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionWish:
    """An entry somebody asks for; without a tenant it is for all, without an end it stays."""

    address: str
    tenant_id: str = EVERY_TENANT
    reason: SuppressionReason = SuppressionReason.MANUAL
    note: str = ""
    expires_at: datetime | None = None


class ImportState(Explained):
    """How far an import has come."""

    RUNNING = "running", "Its rows are being written, or the program ended meanwhile."
    DONE = "done", "Every good line is on the list."
    UNDONE = "undone", "What it had added has been taken off again."


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionImport:
    """One imported file: ``duplicates`` were on the list or in the file before."""

    id: str
    tenant_id: str
    source: str
    actor: str
    state: ImportState
    started_at: datetime
    lines: int = 0
    added: int = 0
    duplicates: int = 0
    faults: int = 0
    finished_at: datetime | None = None
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault:
    """What is wrong with one line of an imported file, and what to do about it."""

    line: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportWish:
    """How to read a file: ``format`` is csv, jsonl, ses or "" for what it looks like.

    ``tenant_id`` is whose list the lines go on, None when each line names its own tenant; lines
    without a reason get ``reason``. ``source`` is what people know the file by.
    """

    source: str
    tenant_id: str | None = None
    format: str = ""
    reason: SuppressionReason = SuppressionReason.IMPORT
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did, or would do; ``faults`` holds the first 100 of them."""

    id: str
    lines: int
    added: int
    duplicates: int
    fault_count: int
    faults: tuple[LineFault, ...] = ()
    dry_run: bool = False


class SyncWay(Explained):
    """Which side of a sync gives way."""

    PULL = "pull", "Our list takes over what SES has added and freed."
    PUSH = "push", "SES takes over what our list has added and freed."
    BOTH = "both", "Each side takes over what the other has changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How our list and the account's list at SES differ; ``examples`` are addresses by field name.

    ``only_there`` SES holds and we never removed; ``freed_here`` we removed and SES still holds;
    ``only_here`` bounces and complaints SES does not hold; ``freed_there`` it held when last asked
    and holds no more; ``kept_here`` is what SES has no reason for: by hand, by domain, imported.
    """

    listed_at: datetime
    in_both: int
    only_there: int
    freed_here: int
    only_here: int
    freed_there: int
    kept_here: int
    examples: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What a sync found and what it changed on either side."""

    drift: Drift
    way: SyncWay
    dry_run: bool
    added_here: int = 0
    removed_here: int = 0
    added_there: int = 0
    removed_there: int = 0
