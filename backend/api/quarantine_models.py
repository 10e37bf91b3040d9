"""The bodies of the calls on mail that waits, as they come from outside."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from backend.model.inbound import TargetName
from backend.model.quarantine import (
    Attach,
    Discard,
    MarkSpam,
    Release,
    Reroute,
    Restore,
    SenderPart,
)


class ActIn(BaseModel):
    """What every act takes."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(default="", max_length=500)
    dry_run: bool = False


class ReleaseIn(ActIn):
    """Let a message go on; ``allow`` trusts its sender for ``days``, for good without."""

    allow: SenderPart | None = None
    days: int | None = Field(default=None, ge=1, le=3650)

    def to_act(self) -> Release:
        """Give the act."""
        lasting = timedelta(days=self.days) if self.days else None
        return Release(allow=self.allow, lasting=lasting, note=self.note)


class RerouteIn(ActIn):
    """Send a message to a target; ``ref`` is a ticket or contact, empty for a new ticket."""

    target: TargetName
    ref: str = Field(default="", max_length=200)
    again: bool = False

    def to_act(self) -> Reroute:
        """Give the act."""
        return Reroute(target=self.target, ref=self.ref, again=self.again, note=self.note)


class AttachIn(ActIn):
    """Put a message into a conversation: the id of a thread or mail in it, or a ticket number."""

    to: str = Field(min_length=1, max_length=200)

    def to_act(self) -> Attach:
        """Give the act."""
        return Attach(to=self.to, note=self.note)


class SpamIn(ActIn):
    """Put a message away as spam; ``block`` blocks its sender for the tenant."""

    block: SenderPart | None = None

    def to_act(self) -> MarkSpam:
        """Give the act."""
        return MarkSpam(block=self.block, note=self.note)


class DiscardIn(ActIn):
    """Put a message away."""

    def to_act(self) -> Discard:
        """Give the act."""
        return Discard(note=self.note)


class RestoreIn(ActIn):
    """Take a message back that was put away."""

    def to_act(self) -> Restore:
        """Give the act."""
        return Restore(note=self.note)
