"""A mail our SES has taken. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.sandbox import mail_headers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A mail as SendEmail was given it; ``recipients`` are To, Cc and Bcc together."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    tags: Mapping[str, str]
    configuration_set: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A draft with the number, id and wire form SES gave it; ``headers`` are as handed in."""

    number: int
    message_id: str
    wire_id: str
    at: datetime
    draft: Draft
    headers: tuple[tuple[str, str], ...]
    raw: bytes


def stamp(at: datetime) -> str:
    """Give a moment as SES writes it: ``2026-11-20T10:00:00.000Z``."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def wire_id(message_id: str, region: str) -> str:
    """Give the Message-ID header readers see (ses.md section 3)."""
    host = "email" if region == "us-east-1" else region
    return f"<{message_id}@{host}.amazonses.com>"


def as_sent(raw: bytes, wire: str, at: datetime) -> bytes:
    """Give the message as SES sends it: its own Message-ID and Date, no Bcc."""
    date = at.strftime("%a, %d %b %Y %H:%M:%S +0000")
    return mail_headers.replace_fields(
        raw,
        frozenset({b"message-id", b"date", b"bcc"}),
        [b"Message-ID: " + wire.encode(), b"Date: " + date.encode()],
    )


def mail_object(mail: Accepted, *, region: str, account: str) -> dict[str, object]:
    """Give the ``mail`` object of an event (ses.md section 7)."""
    draft = mail.draft
    domain = draft.sender.rpartition("@")[2]
    tags = {
        "ses:operation": ["SendRawEmail"],
        "ses:configuration-set": [draft.configuration_set],
        "ses:source-ip": ["127.0.0.1"],
        "ses:from-domain": [domain],
        "ses:caller-identity": ["sandbox"],
    }
    headers = list(mail.headers)
    return {
        "timestamp": stamp(mail.at),
        "source": mail_headers.first(headers, "From") or draft.sender,
        "sourceArn": f"arn:aws:ses:{region}:{account}:identity/{domain}",
        "sendingAccountId": account,
        "messageId": mail.message_id,
        "destination": list(draft.recipients),
        **mail_headers.report(headers),
        "commonHeaders": mail_headers.common(headers, mail.message_id),
        "tags": tags | {name: [value] for name, value in draft.tags.items()},
    }
