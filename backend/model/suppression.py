"""The suppression list: addresses we must not send to. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from datetime import datetime


class SuppressionReason(Explained):
    """Why an address is on the list."""

    BOUNCE = "bounce", "A hard bounce: the mailbox does not exist."
    COMPLAINT = "complaint", "The recipient marked our mail as spam."
    MANUAL = "manual", "A person put it there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One entry; ``address`` is lower case, ``source_email_id`` the mail that caused it."""

    id: str
    tenant_id: str
    address: str
    reason: SuppressionReason
    created_at: datetime
    detail: str = ""
    source_email_id: str | None = None
    created_by: str = ""
