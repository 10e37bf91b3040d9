"""Stage 6: the call that hands a message to its target, and when to try again. Pure."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, timedelta
from itertools import repeat
from typing import TYPE_CHECKING
from urllib.parse import quote

from backend.model.automated import Kind
from backend.model.inbound import TargetAction
from backend.model.matching import MatchFlag
from backend.ports import TargetRequest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.model.inbound import AttachmentInfo, InboundMessage, ParsedMail, Route

MAX_TEXT = 1_000_000  # characters; docs/targets.md
MAX_HTML = 2_000_000
FIRST_PAUSE = 2.0  # seconds
LONGEST_PAUSE = 300.0
UNSAFE = "unsafe"
"""Why an attachment that can do harm does not go (docs/targets.md)."""
_NAMED = 10  # attachments left out that are named in the text

_PATHS = {
    TargetAction.NEW_TICKET: "/tickets",
    TargetAction.ADD_NOTE: "/tickets/{ref}/notes",
    TargetAction.LOG_ACTIVITY: "/contacts/{ref}/activities",
    TargetAction.ADD_REPLY: "/tickets/{ref}/replies",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedFile:
    """How one attachment goes to a target: as content, as a link, or not at all and why."""

    content: bytes | None = None
    url: str = ""
    omitted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """The attachments by position, and a link to the raw message when some of them need it."""

    files: tuple[CarriedFile, ...] = ()
    raw_url: str = ""


NOT_CARRIED = CarriedFile(omitted="not_read")
_NOTHING = Carried()


def idempotency_key(inbound_id: str, route: Route) -> str:
    """Give the key under which a target knows a message, the same for every try."""
    return f"{inbound_id}/{route.target.value}"


def request_for(
    message: InboundMessage, mail: ParsedMail, route: Route, carried: Carried = _NOTHING
) -> TargetRequest:
    """Write the call of docs/targets.md."""
    body: dict[str, object] = {
        "inbound_id": message.id,
        "tenant_id": route.tenant_id,
        "subject": mail.subject,
        **_texts(mail, route, _left_out(mail.attachments, carried)),
        "html": mail.safe_html if 0 < len(mail.safe_html) <= MAX_HTML else None,
        "from": {"address": mail.from_address, "name": mail.from_name},
        "recipient": message.recipient,
        "message_id": mail.message_id,
        "received_at": _moment(message.received_at),
        "attachments": _attachments(mail.attachments, carried),
        "raw_url": carried.raw_url or None,
        "queue": message.fields.get("queue"),
        "priority": message.fields.get("priority"),
        "fields": dict(message.fields),
        "tags": list(message.tags),
        # RFC 3834 2: whoever answers a machine automatically builds a loop
        "no_auto_response": message.kind is not Kind.HUMAN,
        "thread": {"id": message.thread_id, "reply_to_email_id": message.reply_to_email_id},
    }
    if message.match_flags:
        body["match_flags"] = sorted(message.match_flags)
    if MatchFlag.TICKET_CLOSED in message.match_flags:
        body["reopen"] = True
    # the id came from an address: it must not add a path or a query
    path = _PATHS[route.action].format(ref=_segment(route.ref))
    return TargetRequest(path=path, body=body, idempotency_key=idempotency_key(message.id, route))


def _texts(mail: ParsedMail, route: Route, note: str) -> dict[str, object]:
    """Give a new ticket all of a mail; in a conversation the quotation is known already.

    ``note`` is our own word on what was left out: who reads the ticket must not look for it.
    """
    room = MAX_TEXT - len(note)
    whole = mail.text[:room] + note
    if route.action is TargetAction.NEW_TICKET:
        return {"description": whole}
    new = mail.reply_text[:room]
    return {"text": new + note if new else whole, "full_text": whole}


def _left_out(files: Sequence[AttachmentInfo], carried: Carried) -> str:
    """Say which attachments were left out because they can do harm; empty when none was."""
    names = [
        "".join(char if char.isprintable() else "?" for char in file.name[:100]) or "(no name)"
        for file, way in zip(files, carried.files, strict=False)
        if way.omitted == UNSAFE
    ]
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    told = ", ".join(names[:_NAMED]) + more
    return f"\n\n[Relay left out what can do harm: {told}]"


def pause(attempts: int, asked: float | None) -> timedelta:
    """Give how long to wait after so many tries: doubling, at least what the target asked."""
    growing = FIRST_PAUSE * 2.0 ** min(max(attempts, 1) - 1, 20)
    return timedelta(seconds=max(min(growing, LONGEST_PAUSE), asked or 0.0))


def _segment(ref: str) -> str:
    # "." and ".." are not escaped by quote, and a client would take them for path steps
    return quote(ref, safe="").replace(".", "%2E") if ref.strip(".") == "" else quote(ref, safe="")


def _attachments(files: Sequence[AttachmentInfo], carried: Carried) -> list[dict[str, object]]:
    ways = (*carried.files, *repeat(NOT_CARRIED, len(files) - len(carried.files)))
    return [_attachment(file, way) for file, way in zip(files, ways, strict=True)]


def _attachment(file: AttachmentInfo, way: CarriedFile) -> dict[str, object]:
    return {
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "sha256": file.sha256,
        "inline": file.inline,
        "content": None if way.content is None else b64encode(way.content).decode(),
        "url": way.url or None,
        "omitted": way.omitted or None,
    }


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
