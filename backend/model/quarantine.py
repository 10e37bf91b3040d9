"""What a person can do with mail that waits, and what became of it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from datetime import timedelta

    from backend.model.inbound import InboundMessage, InboundStatus, Reason, Route, TargetName


class SenderPart(Explained):
    """Whom of a message's sender an entry on a list means."""

    ADDRESS = "address", "The address alone."
    DOMAIN = "domain", "Everybody in the domain of the address."


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Let a message go on after the stage that held it.

    ``allow`` puts its sender on the allowlist: of its tenant, or of every one with ``everywhere``;
    for the time ``lasting``, None is for good.
    """

    allow: SenderPart | None = None
    everywhere: bool = False
    lasting: timedelta | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reroute:
    """Send a message to a target a person names.

    ``ref`` is the ticket or contact, empty for a new ticket. ``tenant_id`` is used only when the
    message has none. ``again`` sends a message that reached a target to another one as well.
    """

    target: TargetName
    ref: str = ""
    tenant_id: str = ""
    again: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach:
    """Put a message into a conversation: the id of a thread or mail in it, or a ticket number."""

    to: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """Put a message away; it is kept, and can be restored until retention removes it."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """Take a discarded message back to where it was; a blocklist entry made with it goes too."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkSpam:
    """Put a message away as spam; ``block`` puts its sender on the blocklist of its tenant."""

    block: SenderPart | None = None
    everywhere: bool = False
    note: str = ""


Act = Release | Reroute | Attach | Discard | Restore | MarkSpam


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One message that was acted on, in a sentence; a repeated act has changed nothing."""

    id: str
    what: str
    changed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One message that may not be acted on, and why."""

    id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActReport:
    """What became of a selection, in its order."""

    done: tuple[Done, ...] = ()
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What an act would do to one message; nothing was written.

    ``why`` is empty when it may be done. ``status``, ``reason`` and ``route`` are where it would
    come to stand; FORWARDING means that its target would be called.
    """

    id: str
    message: InboundMessage | None
    why: str = ""
    status: InboundStatus | None = None
    reason: Reason | None = None
    route: Route | None = None
    warning: str = ""

    @property
    def sentence(self) -> str:
        """Say it in one sentence."""
        if self.why:
            return f"not done: {self.why}"
        if self.status is None or self.reason is None:
            return "nothing changes"
        if self.route is not None and self.status == "forwarding":
            ref = f" {self.route.ref}" if self.route.ref else ""
            said = f"goes to {self.route.target}: {self.route.action.replace('_', ' ')}{ref}"
        else:
            said = f"{self.status}: {self.reason.sentence}"
        return f"{said} ({self.warning})" if self.warning else said
