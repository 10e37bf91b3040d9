"""Our events in Resend's words: ``email.delivered`` and its like, with the data they carry. Pure.

The shapes are those of the official SDK's ``WebhookEventPayload``. What Resend has no word for
(accepted at once, cancelled, alerts) is not told to an endpoint made over the Resend surface.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from backend.model.bus import EventType
from backend.model.outbound import RecipientKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from backend.model.bus import BusEvent
    from backend.model.inbound import AttachmentInfo, InboundMessage
    from backend.model.outbound import Email
    from backend.model.tenant import Domain

    Said = tuple[str, dict[str, object]]

_EMAIL = {
    EventType.ACCEPTED: "email.scheduled",
    EventType.SENT: "email.sent",
    EventType.DELIVERED: "email.delivered",
    EventType.DELAYED: "email.delivery_delayed",
    EventType.BOUNCED: "email.bounced",
    EventType.COMPLAINED: "email.complained",
    EventType.REJECTED: "email.failed",
    EventType.FAILED: "email.failed",
    EventType.OPENED: "email.opened",
    EventType.CLICKED: "email.clicked",
    EventType.SUPPRESSED: "email.suppressed",
}
_DOMAIN = {EventType.DOMAIN_VERIFIED: "verified", EventType.DOMAIN_FAILED: "failed"}

TOLD = (*dict.fromkeys(_EMAIL.values()), "email.received", "domain.updated")
"""What an endpoint over the Resend surface can be told."""

KNOWN = frozenset(
    {
        *TOLD,
        *(f"contact.{what}" for what in ("created", "updated", "deleted", "topics.updated")),
        *(f"domain.{what}" for what in ("created", "deleted")),
        *(f"suppression.{what}" for what in ("added", "removed")),
        *(f"topic.{what}" for what in ("created", "updated", "deleted")),
        *(f"inbox.{what}" for what in ("created", "updated", "deleted")),
        *(f"inbox.{what}" for what in ("thread.created", "email.received", "email.sent")),
        *(f"inbox.thread.{what}" for what in ("folder.updated", "assigned", "unassigned")),
        "inbox.thread.labels.updated",
        *(f"inbox.draft.{what}" for what in ("created", "updated", "sent", "deleted")),
    }
)
"""What Resend lets one subscribe to; the rest of it never happens here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The row an event is about, as far as it is still there."""

    email: Email | None = None
    inbound: InboundMessage | None = None
    attachments: tuple[AttachmentInfo, ...] = ()
    domain: Domain | None = None


def resend_event(event: BusEvent, facts: Facts) -> Said | None:
    """Give the name and the data, None for what Resend does not tell of."""
    kind = _kind(event.type)
    if kind is EventType.INBOUND:
        return "email.received", _received(event, facts)
    if kind in _DOMAIN:
        return "domain.updated", _domain(event, facts, _DOMAIN[kind])
    if kind is EventType.ACCEPTED and (facts.email is None or facts.email.scheduled_at is None):
        return None
    if kind not in _EMAIL:
        return None
    data = _mail(event, facts.email)
    if kind in _MORE:
        name, more = _MORE[kind]
        data[name] = more(event, facts.email)
    return _EMAIL[kind], data


def _kind(name: str) -> EventType | None:
    return EventType(name) if name in set(EventType) else None


def _mail(event: BusEvent, email: Email | None) -> dict[str, object]:
    """Give what every email event carries; ``to`` is whom it is about."""
    about = _addresses(event)
    if email is None:
        to, sender, subject, created = about, "", "", event.created_at
    else:
        first = [r.address for r in email.recipients if r.kind is RecipientKind.TO]
        to = about or first
        sender, subject, created = email.sender, email.subject, email.created_at
    ses_id = event.data.get("ses_message_id") or (email.ses_message_id if email else "")
    data: dict[str, object] = {
        "email_id": event.data.get("email_id", ""),
        "message_id": str(ses_id or ""),
        "created_at": utc(created),
        "from": sender,
        "to": to,
        "subject": subject,
    }
    tags = event.data.get("tags")
    if tags:
        data["tags"] = tags
    return data


def _bounce(event: BusEvent, email: Email | None) -> dict[str, object]:
    kind, _, sub = _text(event, "subtype").partition("/")
    about = set(_addresses(event))
    said = [r.detail for r in email.recipients if r.address in about and r.detail] if email else []
    message = _text(event, "detail")
    return {
        "type": kind or "Undetermined",
        "subType": sub or "Undetermined",
        "message": message,
        "diagnosticCode": said or ([message] if message else []),
    }


def _click(event: BusEvent, _email: Email | None) -> dict[str, object]:
    return {
        "link": _text(event, "link") or _text(event, "detail"),
        "timestamp": _text(event, "occurred_at"),
        "ipAddress": _text(event, "ip_address"),
        "userAgent": _text(event, "user_agent"),
    }


def _failure(event: BusEvent, _email: Email | None) -> dict[str, object]:
    return {"reason": _text(event, "reason") or _text(event, "detail") or "rejected by SES"}


def _suppressed(event: BusEvent, email: Email | None) -> dict[str, object]:
    about = set(_addresses(event))
    said = [r.detail for r in email.recipients if r.address in about and r.detail] if email else []
    return {"type": "Suppressed", "message": "; ".join(said) or "on the suppression list"}


_MORE: Mapping[EventType, tuple[str, Callable[[BusEvent, Email | None], dict[str, object]]]] = {
    EventType.BOUNCED: ("bounce", _bounce),
    EventType.CLICKED: ("click", _click),
    EventType.FAILED: ("failed", _failure),
    EventType.REJECTED: ("failed", _failure),
    EventType.SUPPRESSED: ("suppressed", _suppressed),
}


def _received(event: BusEvent, facts: Facts) -> dict[str, object]:
    message = facts.inbound
    recipient = _text(event, "recipient")
    return {
        "email_id": event.data.get("inbound_id", ""),
        "message_id": message.message_id if message else "",
        "created_at": utc(message.received_at if message else event.created_at),
        "from": _text(event, "sender"),
        "to": [recipient],
        "cc": [],
        "bcc": [],
        "received_for": [recipient],
        "subject": _text(event, "subject"),
        "attachments": [
            {
                "id": str(position),
                "filename": file.name or None,
                "content_type": file.content_type,
                "content_disposition": "inline" if file.inline else "attachment",
                "content_id": None,
            }
            for position, file in enumerate(facts.attachments)
        ],
    }


def _domain(event: BusEvent, facts: Facts, status: str) -> dict[str, object]:
    created = facts.domain.created_at if facts.domain else event.created_at
    return {
        "id": event.data.get("domain_id", ""),
        "name": event.data.get("domain", ""),
        "status": status,
        "created_at": utc(created),
        "records": [],
    }


def _addresses(event: BusEvent) -> list[str]:
    found = event.data.get("recipients")
    return [str(one) for one in found] if isinstance(found, list) else []


def _text(event: BusEvent, name: str) -> str:
    return str(event.data.get(name) or "")


def utc(at: datetime) -> str:
    """Give RFC 3339 in UTC with milliseconds and Z, as Resend writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
