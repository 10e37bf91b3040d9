"""A draft as JSON bytes and back: what is stored, hashed and sent from. No I/O."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from backend.errors import InvalidInputError
from backend.model.outbound import Attachment, EmailDraft, OnUnknown

if TYPE_CHECKING:
    from collections.abc import Iterable


def dump_draft(draft: EmailDraft) -> bytes:
    """Write a draft as JSON, always in one order; attachments are base64, times as were given."""
    value = {
        "sender": draft.sender,
        "to": list(draft.to),
        "cc": list(draft.cc),
        "bcc": list(draft.bcc),
        "reply_to": list(draft.reply_to),
        "subject": draft.subject,
        "html": draft.html,
        "text": draft.text,
        "headers": dict(sorted((draft.headers or {}).items())),
        "tags": dict(sorted((draft.tags or {}).items())),
        "attachments": [_dump_attachment(a) for a in draft.attachments],
        "scheduled_at": _dump_moment(draft.scheduled_at),
    }
    if draft.on_unknown is not OnUnknown.RETRY:
        value["on_unknown"] = draft.on_unknown.value
    return to_json(value)


def load_draft(stored: bytes) -> EmailDraft:
    """Read back what ``dump_draft`` wrote."""
    value: dict[str, Any] = json.loads(stored)
    return EmailDraft(
        sender=value["sender"],
        to=tuple(value["to"]),
        cc=tuple(value["cc"]),
        bcc=tuple(value["bcc"]),
        reply_to=tuple(value["reply_to"]),
        subject=value["subject"],
        html=value["html"],
        text=value["text"],
        headers=value["headers"],
        tags=value["tags"],
        attachments=tuple(_load_attachment(a) for a in value["attachments"]),
        scheduled_at=value["scheduled_at"] or None,
        on_unknown=OnUnknown(value.get("on_unknown", OnUnknown.RETRY.value)),
    )


def body_hash(stored: bytes) -> str:
    """Give the SHA-256 that tells whether two drafts are the same."""
    return hashlib.sha256(stored).hexdigest()


def batch_hash(stored: Iterable[bytes]) -> str:
    """Give the same for a batch, its drafts in their order; a batch of one is no single mail."""
    digest = hashlib.sha256(b"batch")
    for one in stored:
        digest.update(hashlib.sha256(one).digest())
    return digest.hexdigest()


def asked_hash(draft: EmailDraft) -> str:
    """Give the same for a mail as it was asked for: right or wrong, its template not filled in."""
    return body_hash(dump_asked(draft))


def asked_batch_hash(wanted: Iterable[EmailDraft | InvalidInputError]) -> str:
    """Give the same for a batch as it was asked for."""
    return batch_hash(map(dump_asked, wanted))


def dump_asked(one: EmailDraft | InvalidInputError) -> bytes:
    """Write what was asked for, to be told from something else and never to be read back."""
    if isinstance(one, InvalidInputError):
        return str(one).encode(errors="replace")
    try:
        stored = dump_draft(one)
    except ValueError:  # half of a surrogate pair; nothing of it will ever be sent
        return repr(one).encode(errors="replace")
    use = one.template
    if use is None:
        return stored
    values = dict(sorted(use.values.items()))
    return stored + to_json({"id": use.template, "version": use.version, "values": values})


def _dump_moment(moment: datetime | str | None) -> str | None:
    return moment.isoformat() if isinstance(moment, datetime) else moment


def _dump_attachment(attachment: Attachment) -> dict[str, str | None]:
    return {
        "filename": attachment.filename,
        "content": base64.b64encode(attachment.content).decode("ascii"),
        "content_type": attachment.content_type,
        "content_id": attachment.content_id,
    }


def _load_attachment(value: dict[str, str]) -> Attachment:
    return Attachment(
        filename=value["filename"],
        content=base64.b64decode(value["content"]),
        content_type=value["content_type"],
        content_id=value["content_id"],
    )
