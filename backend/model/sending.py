"""Whether SES takes mail of our account at present, and why not. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from datetime import datetime


class SendState(Explained):
    """Whether mail goes out; every state but the first ends by itself once SES takes mail again."""

    OPEN = "open", "Mail goes out as fast as the account allows."
    THROTTLED = "throttled", "SES asked to slow down; one mail at a time tries again."
    QUOTA_SPENT = "quota_spent", "The 24-hour quota of the account is spent; mail waits for room."
    PAUSED = "paused", "SES has paused sending for this account; mail stays queued."
    DENIED = "denied", "AWS does not take our credentials or settings; mail stays queued."


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why no mail goes out, since when, and when the next one tries.

    ``probes`` counts the tries so far; ``probe_item`` is the work item that may try, if any.
    """

    state: SendState
    reason: str
    since: datetime
    probe_at: datetime
    probes: int = 0
    probe_item: str = ""
