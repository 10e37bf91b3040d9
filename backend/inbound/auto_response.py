"""Who gets an automatic answer when his mail opened a ticket, and what it says. Pure.

RFC 3834 section 2 says when not to answer; the rest is against loops and against being used to
mail strangers: only a person whose address is proven is answered, once an hour and conversation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.model.address import domain_of
from backend.model.auto_response import NAME, DueAnswer
from backend.model.automated import Kind
from backend.model.inbound import ScanVerdict, TargetAction

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backend.model.auto_response import AutoResponse
    from backend.model.inbound import InboundMessage, ParsedMail
    from backend.ports import TargetReceipt

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MOST_A_DAY = 10  # to one sender
LONGEST = 300  # characters of one value
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_ROBOT = re.compile(
    r"(?:mailer-?daemon|postmaster|nobody|root|abuse|(?:no|do-?not)[-_.]?reply|bounces?|listserv"
    r"|majordomo|owner-.*|.*-(?:request|bounces?|owner))(?:[+=-].*)?@"
)
_LINK = re.compile(r"https?://[^\s<>\"']{1,1000}")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How often a sender was answered in the last hour and day, and whether this thread was."""

    last_hour: int = 0
    last_day: int = 0
    thread: bool = False


def why_not(message: InboundMessage, mail: ParsedMail, answered: Answered, now: datetime) -> str:
    """Say in one clause why the sender of a mail gets no answer; empty when he does."""
    return (
        _by_nature(message, mail)
        or _by_sender(message, mail)
        or _by_count(answered)
        or ("the mail came more than a day ago" if now - message.received_at > DAY else "")
    )


def _by_nature(message: InboundMessage, mail: ParsedMail) -> str:
    if message.kind is not Kind.HUMAN:
        return f"a machine wrote the mail: {message.kind.value}"
    values = {name.strip().lower(): value.strip().lower() for name, value in mail.header_fields}
    if values.get("auto-submitted", "no") not in ("", "no"):
        return "the mail says Auto-Submitted"
    if values.get("precedence", "") in ("bulk", "junk", "list"):
        return "the mail says Precedence"
    if any(name.startswith("list-") for name in values):
        return "the mail came by a list"
    # MS-OXCMAIL: the sender asks for no automatic answers; it does not mean that a machine wrote
    if re.search(r"\b(?:all|autoreply)\b", values.get("x-auto-response-suppress", "")):
        return "the sender's program asks for no automatic answers"
    return "the mail carries our own mark" if mail.facts.attempt_id or mail.facts.loop_mark else ""


def _by_sender(message: InboundMessage, mail: ParsedMail) -> str:
    sender, path = mail.from_address.strip().lower(), message.envelope_from.strip().lower()
    if not sender or "@" not in sender:
        return "there is no sender address"
    if path in ("", "<>"):
        return "the return path is empty or not known"
    if _ROBOT.match(sender) or _ROBOT.match(path):
        return "nobody reads mail at the sender's address"
    if domain_of(sender) == domain_of(message.recipient):
        return "the sender has an address of the same domain"
    verdicts = message.verdicts
    both = verdicts.spf is ScanVerdict.PASS and verdicts.dkim is ScanVerdict.PASS
    if verdicts.dmarc is not ScanVerdict.PASS and not (
        both and domain_of(path) == domain_of(sender)
    ):
        return "the sender's address is not proven"
    return ""


def _by_count(answered: Answered) -> str:
    if answered.thread:
        return "this conversation was answered"
    if answered.last_hour:
        return "the sender was answered within the hour"
    return f"the sender was answered {MOST_A_DAY} times today" if _full(answered) else ""


def _full(answered: Answered) -> bool:
    return answered.last_day >= MOST_A_DAY


def opens_ticket(message: InboundMessage, receipt: TargetReceipt) -> bool:
    """Whether the answer of the target means that this mail has opened a ticket just now."""
    route = message.route
    return route is not None and route.action is TargetAction.NEW_TICKET and not receipt.duplicate


def write_answer(
    setting: AutoResponse,
    message: InboundMessage,
    mail: ParsedMail,
    receipt: TargetReceipt,
    now: datetime,
) -> DueAnswer:
    """Write the answer; what strangers and targets wrote stays within its line."""
    values = _values(message, mail, receipt)
    return DueAnswer(
        inbound_id=message.id,
        tenant_id=message.tenant_id,
        recipient=mail.from_address.strip(),
        created_at=now,
        sender=message.recipient,
        subject=fill(setting.subject, values)[:LONGEST].strip() or "Your message",
        text=fill_lines(setting.text, values),
        thread_id=message.thread_id or "",
        headers=_headers(mail),
        tags=_tags(message, receipt),
    )


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in place of their names, once: a value that holds braces is not read again."""
    return NAME.sub(lambda found: values.get(found[1], ""), text)


def fill_lines(text: str, values: Mapping[str, str]) -> str:
    """Fill a text; a line with a name that has no value is left out, but for the greeting."""
    kept = []
    for line in text.split("\n"):
        named = NAME.findall(line)
        empty = [name for name in named if not values.get(name)]
        if not empty or empty == ["sender_name"]:
            kept.append(re.sub(r" +(?=[,.;:!])", "", fill(line, values)))
    return "\n".join(kept)


def _values(message: InboundMessage, mail: ParsedMail, receipt: TargetReceipt) -> dict[str, str]:
    told = {name: _plain(str(value)) for name, value in receipt.body.items() if value is not None}
    link = _LINK.fullmatch(str(receipt.body.get("url") or ""))
    return {
        "ticket_number": told.get("number") or _plain(receipt.external_id),
        "ticket_url": link[0] if link else "",
        "priority": told.get("priority", ""),
        "sla_due_at": told.get("sla_due_at", ""),
        "subject": _plain(message.subject),
        # a name is free text of a stranger: no link of his may go out in our mail
        "sender_name": "" if re.search(r"[/@:]|www\.", mail.from_name) else _plain(mail.from_name),
        "recipient": message.recipient,
    }


def _plain(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())[:LONGEST]


def _headers(mail: ParsedMail) -> dict[str, str]:
    """Mark the answer as one (RFC 3834 5), and tie it to the mail."""
    headers = {
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
        "Precedence": "bulk",
    }
    own = mail.message_id
    if own and len(own) < LONGEST and own.isascii() and not re.search(r"[\s<>]", own):
        headers["In-Reply-To"] = headers["References"] = f"<{own}>"
    return headers


def _tags(message: InboundMessage, receipt: TargetReceipt) -> dict[str, str]:
    """Tie the answer to the conversation of the ticket, so that a reply becomes a note on it."""
    ticket = str(receipt.body.get("ticket_id") or receipt.external_id)
    if message.route is None or not _TAG.fullmatch(ticket):
        return {}
    return {"product": message.route.target.value, "ticket_id": ticket}
