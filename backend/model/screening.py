"""What screening weighs: sender lists, the policy of a tenant, facts of a raw message. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.model.automated import Classification, Kind
from backend.model.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

EVERY_TARGET = "*"
"""Stands in a class policy for every target, and for mail that has none."""


class ListKind(Explained):
    """The two lists of senders."""

    BLOCK = "block", "Mail of these senders is quarantined."
    ALLOW = "allow", "Mail of these senders passes spam and authentication checks."


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntry:
    """One sender or group of senders on a list.

    ``pattern`` is ``name@example.com``, ``example.com`` or ``*.example.com`` (its subdomains, not
    itself), lower case with a punycode domain. Tenant "" stands for every tenant.
    """

    id: str
    tenant_id: str
    kind: ListKind
    pattern: str
    created_at: datetime
    created_by: str = ""
    note: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWish:
    """An entry somebody asks for; tenant "" is every tenant, without ``expires_at`` it stays."""

    kind: ListKind
    pattern: str
    tenant_id: str = ""
    note: str = ""
    expires_at: datetime | None = None


class Weight(Explained):
    """What a failed or doubtful check leads to."""

    NOTE = "note", "It is written into the explanation, the message goes on."
    QUARANTINE = "quarantine", "The message is kept back."


class DmarcWeight(Explained):
    """What a failed DMARC check leads to."""

    NOTE = "note", "It is written into the explanation, the message goes on."
    POLICY = "policy", "Kept back when the domain's own policy is reject or quarantine."
    QUARANTINE = "quarantine", "The message is kept back whatever the domain's policy is."


class ClassAct(Explained):
    """What becomes of a class of mail on its way to a target."""

    FORWARD = "forward", "It goes on; a machine's mail is flagged to get no automatic answer."
    SUPPRESS = "suppress", "It is stored and shown, and goes to no target."
    QUARANTINE = "quarantine", "It is kept back until a person looks."


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenPolicy:
    """The thresholds of one tenant.

    ``blocked_extensions`` come on top of the built-in ones and ``allowed_extensions`` are taken
    off them, both without a dot; ``blocked_types`` are MIME types. A limit of None is none.
    ``classes`` holds what differs from the default: kind -> target name or "*" -> act.
    """

    spam_failed: Weight = Weight.QUARANTINE
    spam_undecided: Weight = Weight.NOTE
    dmarc_failed: DmarcWeight = DmarcWeight.POLICY
    spf_and_dkim_failed: Weight = Weight.QUARANTINE
    encrypted_archive: Weight = Weight.NOTE
    blocked_extensions: frozenset[str] = frozenset()
    allowed_extensions: frozenset[str] = frozenset()
    blocked_types: frozenset[str] = frozenset()
    max_attachment_bytes: int | None = None
    max_attachments_bytes: int | None = None
    classes: Mapping[Kind, Mapping[str, ClassAct]] = field(default_factory=dict)


class FileDanger(Explained):
    """What the bytes of an attachment show, whatever its name says."""

    PROGRAM = "program", "The bytes are those of a program."
    SCRIPT = "script", "The bytes begin like a script."
    SHORTCUT = "shortcut", "The bytes are those of a Windows shortcut."
    IMAGE = "disk_image", "The bytes are those of a disk image or an installer archive."
    MACRO = "macro", "The document holds macros."
    NOTEBOOK = "notebook", "The bytes are those of a OneNote notebook."
    OVERFULL = "overfull", "The archive holds more than can be listed."
    SWELLS = "swells", "Unpacked, the archive would be a hundred times as large and over 100 MB."


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMarks:
    """What was seen in a file without unpacking it.

    ``members`` are the names inside an archive or an attached message, at most 10,000 of them.
    """

    dangers: tuple[FileDanger, ...] = ()
    members: tuple[str, ...] = ()
    encrypted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFacts:
    """What the raw message says beside its content; none of it is trusted as it stands.

    ``authentication_results`` are the values of all headers of that name, topmost first;
    ``returned_attempts`` are the ids of our attempts inside what a bounce returns.
    """

    hops: int = 0
    loop_mark: str = ""
    attempt_id: str = ""
    reply_token: str = ""
    authentication_results: tuple[str, ...] = ()
    ses_spam: str = ""
    ses_virus: str = ""
    returned_attempts: tuple[str, ...] = ()
    classification: Classification = field(default_factory=Classification)


class RateScope(Explained):
    """What a rate breaker counts by."""

    SENDER = "sender", "Mail of one sender."
    THREAD = "thread", "Mail of one conversation."


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBreaker:
    """A sender or conversation whose mail is kept back at present, with its count."""

    tenant_id: str
    scope: RateScope
    key: str
    count: int
    last_at: datetime
