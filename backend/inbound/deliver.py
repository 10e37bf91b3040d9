"""Stage 6: the call that hands a message to its target, and when to try again. Pure."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from backend.model.inbound import TargetAction
from backend.ports import TargetRequest

if TYPE_CHECKING:
    from datetime import datetime

    from backend.model.inbound import AttachmentInfo, InboundMessage, ParsedMail, Route

MAX_TEXT = 1_000_000  # characters; docs/targets.md
MAX_HTML = 2_000_000
FIRST_PAUSE = 2.0  # seconds
LONGEST_PAUSE = 300.0

_PATHS = {
    TargetAction.NEW_TICKET: "/tickets",
    TargetAction.ADD_NOTE: "/tickets/{ref}/notes",
    TargetAction.LOG_ACTIVITY: "/contacts/{ref}/activities",
    TargetAction.ADD_REPLY: "/tickets/{ref}/replies",
}


def idempotency_key(inbound_id: str, route: Route) -> str:
    """Give the key under which a target knows a message, the same for every try."""
    return f"{inbound_id}/{route.target.value}"


def request_for(message: InboundMessage, mail: ParsedMail, route: Route) -> TargetRequest:
    """Write the call of docs/targets.md."""
    text_field = "description" if route.action is TargetAction.NEW_TICKET else "text"
    body: dict[str, object] = {
        "inbound_id": message.id,
        "tenant_id": route.tenant_id,
        "subject": mail.subject,
        text_field: mail.text[:MAX_TEXT],
        "html": mail.html if 0 < len(mail.html) <= MAX_HTML else None,
        "from": {"address": mail.from_address, "name": mail.from_name},
        "recipient": message.recipient,
        "message_id": mail.message_id,
        "received_at": _moment(message.received_at),
        "attachments": [_attachment(file) for file in mail.attachments],
        "thread": {"id": message.thread_id, "reply_to_email_id": message.reply_to_email_id},
    }
    # the id came from an address: it must not add a path or a query
    path = _PATHS[route.action].format(ref=_segment(route.ref))
    return TargetRequest(path=path, body=body, idempotency_key=idempotency_key(message.id, route))


def pause(attempts: int, asked: float | None) -> timedelta:
    """Give how long to wait after so many tries: doubling, at least what the target asked."""
    growing = FIRST_PAUSE * 2.0 ** min(max(attempts, 1) - 1, 20)
    return timedelta(seconds=max(min(growing, LONGEST_PAUSE), asked or 0.0))


def _segment(ref: str) -> str:
    # "." and ".." are not escaped by quote, and a client would take them for path steps
    return quote(ref, safe="").replace(".", "%2E") if ref.strip(".") == "" else quote(ref, safe="")


def _attachment(file: AttachmentInfo) -> dict[str, object]:
    return {
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "sha256": file.sha256,
        "inline": file.inline,
    }


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
