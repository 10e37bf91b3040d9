"""Model values as JSON, in the shapes of the two surfaces. Pure."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC
from typing import TYPE_CHECKING, Any

from backend.model.outbound import EmailStatus, RecipientKind

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from backend.facade_receiving import Conversation
    from backend.model.inbound import AttachmentInfo, InboundMessage, Step
    from backend.model.log import LogEntry
    from backend.model.outbound import Accepted, Email, Recipient
    from backend.model.views import EmailDetail, InboundDetail

_LAST_EVENT = {
    EmailStatus.UNKNOWN: "queued",
    EmailStatus.DELAYED: "delivery_delayed",
    EmailStatus.REJECTED: "failed",
}
"""Where Resend's word differs from ours."""


def moment(value: datetime) -> str:
    """Give RFC 3339 in UTC with milliseconds and Z."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def accepted_json(accepted: Accepted) -> dict[str, Any]:
    """Give the promise for one mail as The One Relay does, with who was left out and why."""
    return {
        "message_id": accepted.email_id,
        "status": accepted.status.value,
        "skipped": [
            {"address": one.address, "reason": one.reason, "since": moment(one.since)}
            for one in accepted.skipped
        ],
    }


def email_json(detail: EmailDetail) -> dict[str, Any]:
    """Give one mail as Resend does, plus what happened to each recipient and when."""
    email = detail.email
    return {
        "object": "email",
        "id": email.id,
        "message_id": email.ses_message_id,
        "from": email.sender,
        "to": _addresses(email, RecipientKind.TO),
        "cc": _addresses(email, RecipientKind.CC),
        "bcc": _addresses(email, RecipientKind.BCC),
        "subject": email.subject,
        "created_at": moment(email.created_at),
        "scheduled_at": moment(email.scheduled_at) if email.scheduled_at else None,
        "sent_at": moment(email.sent_at) if email.sent_at else None,
        "last_event": last_event(detail),
        "status": email.status.value,
        "error": email.error or None,
        "tags": [{"name": name, "value": value} for name, value in email.tags.items()],
        "thread_id": email.thread_id,
        "reply_address": email.reply_address or None,
        "possible_duplicate": email.possible_duplicate,
        "reply_token": email.reply_token or None,
        "recipients": [_recipient_json(one) for one in email.recipients],
        "timeline": [
            {
                "at": moment(entry.at),
                "event": entry.kind,
                "recipient": entry.recipient,
                "detail": entry.detail,
            }
            | ({"automated": True} if entry.automated else {})
            for entry in detail.timeline
        ],
        "replies": [inbound_json(reply) for reply in detail.replies],
    }


def last_event(detail: EmailDetail) -> str:
    """Give Resend's word for where a mail stands: queued, sent, delivered, opened, and so on."""
    seen = {entry.kind for entry in detail.timeline if not entry.automated}
    return event_of(detail.email.status, seen)


def event_of(status: EmailStatus, seen: Collection[str]) -> str:
    """Give Resend's word for a status and the kinds of events that came."""
    if status is EmailStatus.DELIVERED:
        return "clicked" if "click" in seen else "opened" if "open" in seen else "delivered"
    return _LAST_EVENT.get(status, status.value)


def inbound_json(message: InboundMessage) -> dict[str, Any]:
    """Give one received mail as a line of a list."""
    route = message.route
    return {
        "object": "inbound_email",
        "id": message.id,
        "message_id": message.message_id,
        "from": message.from_address or message.envelope_from,
        "to": [message.recipient],
        "subject": message.subject,
        "created_at": moment(message.received_at),
        "status": message.status.value,
        "reason": {"name": message.reason.value, "sentence": message.reason.sentence},
        "reply_match_status": message.reply_match_status.value,
        "reply_to_email_id": message.reply_to_email_id,
        "thread_id": message.thread_id,
        "contact_id": message.contact_id,
        "match_flags": sorted(message.match_flags),
        "target": route.target.value if route else None,
        "action": route.action.value if route else None,
        "external_id": message.external_id or None,
    }


def inbound_detail_json(detail: InboundDetail) -> dict[str, Any]:
    """Give one received mail with its text, its files' names and its explanation."""
    return inbound_json(detail.message) | {
        "text": detail.message.text,
        "size": detail.message.size,
        "attachments": [
            attachment_json(place, one) for place, one in enumerate(detail.attachments)
        ],
        "explanation": [_step_json(step) for step in detail.steps],
    }


def attachment_json(place: int, one: AttachmentInfo) -> dict[str, Any]:
    """Give one attachment of a received mail; its id is its place."""
    return {
        "id": str(place),
        "filename": one.name,
        "content_type": one.content_type,
        "size": one.size,
        "content_disposition": "inline" if one.inline else "attachment",
        "sha256": one.sha256,
        "inline": one.inline,
    }


def conversation_json(found: Conversation) -> dict[str, Any]:
    """Give a conversation, sent and received mail in one list, oldest first."""
    mails = [(one.created_at, sent_line_json(one)) for one in found.sent]
    mails += [(one.received_at, inbound_json(one) | {"direction": "in"}) for one in found.received]
    route = found.thread.route
    return {
        "object": "thread",
        "id": found.thread.id,
        "subject": found.thread.subject,
        "created_at": moment(found.thread.created_at),
        "target": route.target.value if route else None,
        "action": route.action.value if route else None,
        "ref": (route.ref or None) if route else None,
        "data": [line for _, line in sorted(mails, key=lambda mail: mail[0])],
    }


def sent_line_json(email: Email) -> dict[str, Any]:
    """Give one mail we sent as a line of a conversation."""
    return {
        "object": "email",
        "direction": "out",
        "id": email.id,
        "message_id": email.ses_message_id,
        "from": email.sender,
        "to": _addresses(email, RecipientKind.TO),
        "cc": _addresses(email, RecipientKind.CC),
        "subject": email.subject,
        "created_at": moment(email.created_at),
        "sent_at": moment(email.sent_at) if email.sent_at else None,
        "status": email.status.value,
        "thread_id": email.thread_id,
    }


def log_json(entry: LogEntry) -> dict[str, Any]:
    """Give one line of the log."""
    return {
        "id": entry.id,
        "at": moment(entry.at),
        "direction": entry.direction.value,
        "from": entry.sender,
        "to": entry.recipient,
        "more_recipients": entry.more_recipients,
        "subject": entry.subject,
        "status": entry.status,
    }


def _addresses(email: Email, kind: RecipientKind) -> list[str]:
    return [one.address for one in email.recipients if one.kind is kind]


def _recipient_json(one: Recipient) -> dict[str, Any]:
    return {
        "address": one.address,
        "kind": one.kind.value,
        "status": one.status.value,
        "updated_at": moment(one.updated_at),
        "detail": one.detail,
        "cause": asdict(one.cause) if one.cause else None,
    }


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "stage": step.stage.value,
        "finding": step.finding.value,
        "reason": step.reason.value,
        "sentence": step.reason.sentence,
        "evidence": dict(step.evidence),
    }
