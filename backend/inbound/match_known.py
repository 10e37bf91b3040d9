"""What the database knows of the claims of a message: the values ``match`` weighs. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.inbound.recipient import Pattern
from backend.model.inbound import TargetName

if TYPE_CHECKING:
    from collections.abc import Set

    from backend.model.matching import MatchBy
    from backend.model.outbound import Email
    from backend.store.threads import Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A thread with who takes part in it; ``merged`` when another one led to it."""

    thread: Thread
    participants: Set[str]
    merged: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What two conversations on one ticket have in common."""
        route = self.thread.route
        if route is not None and route.target is not TargetName.CRM and route.ref:
            return "ticket", route.ref.lower()
        return "thread", self.thread.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A conversation that a claim leads to; ``email`` is None when it led to mail received.

    ``claim`` is the token, Message-ID or number, for the explanation.
    """

    by: MatchBy
    claim: str
    conversation: Conversation
    email: Email | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMail:
    """What the database knows; ``hits`` keep the order of the claims, several to a claim at times.

    ``bad_tokens`` are claims to a token that proved to be none of this tenant and domain;
    ``collision`` is another mail with the same Message-ID. ``addressed`` are the conversations on
    the thing the address names; of whichever tenant, when the address names none.
    """

    pattern: Pattern = Pattern.OTHER
    hits: tuple[Hit, ...] = ()
    bad_tokens: tuple[str, ...] = ()
    addressed: tuple[Conversation, ...] = ()
    collision: bool = False
    contact_id: str | None = None
