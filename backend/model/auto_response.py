"""The automatic answer to a new ticket: what a domain says, and what is kept of it. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SUBJECT = "[Ticket #{{ticket_number}}] {{subject}}"
TEXT = """Hello {{sender_name}},

thank you for your message. We have opened ticket {{ticket_number}} for it.

You can follow it here: {{ticket_url}}
We aim to answer by {{sla_due_at}}.

To add something, just reply to this mail.
"""
NAMES = (
    "ticket_number",
    "ticket_url",
    "priority",
    "sla_due_at",
    "subject",
    "sender_name",
    "recipient",
)
NAME = re.compile(r"\{\{\s*([A-Za-z0-9_]{1,40})\s*\}\}")


def unknown_names(text: str) -> list[str]:
    """Give the names in double braces that nothing fills."""
    return sorted({name for name in NAME.findall(text) if name not in NAMES})


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoResponse:
    """What a domain answers to the sender of a mail that opened a ticket; off until switched on.

    ``subject`` and ``text`` hold names in double braces (docs/routing.md, "Automatic answer").
    """

    enabled: bool = False
    subject: str = SUBJECT
    text: str = TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAnswer:
    """An automatic answer that was decided on, until it is handed to the sending half and after.

    ``email_id`` is the mail it became, ``error`` why it became none; both empty while it waits.
    """

    inbound_id: str
    tenant_id: str
    recipient: str
    created_at: datetime
    sender: str = ""
    subject: str = ""
    text: str = ""
    thread_id: str = ""
    headers: Mapping[str, str]
    tags: Mapping[str, str]
    email_id: str = ""
    error: str = ""
