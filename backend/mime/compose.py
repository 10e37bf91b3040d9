"""A validated letter as raw MIME (RFC 5322, 2045-2047, 2231, 2387): CRLF, 7-bit. No I/O.

Structure, each layer only when it is needed: mixed(related(alternative(text, html), inline...),
files...). Blind copies are in no header. SES replaces Message-ID and Date, so none is made here
but a Date for other relays.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING

from backend.mime.encode import MAX_LINE, address_list, parameter, unstructured
from backend.reply_tokens import HEADER as REPLY_HEADER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.model.address import Address
    from backend.model.outbound import Attachment

ATTEMPT_HEADER = "X-Relay-Attempt"
_ANSWERING = frozenset({"references", "in-reply-to"})
_SEVEN_BIT = re.compile(r"[\t\n\x20-\x7e]*")
_MOSTLY_ASCII = 0.8
_BASE64_LINE = 57  # bytes that make 76 characters, RFC 2045 6.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is to be written: addresses parsed, headers allowed, texts free of NUL.

    ``reply_token`` and the domain its answers come to are empty when there is no token.
    """

    sender: Address
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    subject: str
    text: str | None
    html: str | None
    headers: tuple[tuple[str, str], ...]
    attachments: tuple[Attachment, ...]
    reply_token: str = ""
    reply_domain: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """One MIME entity: header lines, folded with CRLF, and a 7-bit body with CRLF."""

    headers: tuple[str, ...]
    body: bytes

    def wire(self) -> bytes:
        head = "\r\n".join(self.headers).encode("ascii")
        return head + b"\r\n\r\n" + self.body


def compose(letter: Letter, *, attempt_id: str, date: datetime) -> bytes:
    """Write the letter as raw MIME bytes; the same arguments give the same bytes."""
    body = _body(letter, attempt_id)
    headers = [
        address_list("From", (letter.sender,)),
        _to(letter),
        *([address_list("Cc", letter.cc)] if letter.cc else []),
        *([address_list("Reply-To", letter.reply_to)] if letter.reply_to else []),
        unstructured("Subject", letter.subject),
        f"Date: {format_datetime(date)}",
        f"{ATTEMPT_HEADER}: {attempt_id}",
        *_reply_marks(letter),
        *(unstructured(name, value) for name, value in letter.headers),
        "MIME-Version: 1.0",
    ]
    raw = _Part((*headers, *body.headers), body.body).wire()
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"


def _reply_marks(letter: Letter) -> list[str]:
    """Give the headers by which an answer is known, none without a token.

    SES replaces Message-ID, but leaves References alone, and mail programs hand them on (RFC 5322
    3.6.4): so the token comes back even when the caller's own Reply-To is used.
    """
    if not letter.reply_token:
        return []
    marks = [f"{REPLY_HEADER}: {letter.reply_token}"]
    if not any(name.lower() in _ANSWERING for name, _ in letter.headers):
        marks.append(f"References: <{letter.reply_token}@{letter.reply_domain}>")
    return marks


def _to(letter: Letter) -> str:
    # RFC 5322 3.4: an empty group stands for recipients who are not shown
    return address_list("To", letter.to) if letter.to else "To: undisclosed-recipients:;"


def _body(letter: Letter, attempt_id: str) -> _Part:
    related = letter.html is not None
    inline = [a for a in letter.attachments if related and a.content_id]
    files = [a for a in letter.attachments if not (related and a.content_id)]
    part = _texts(letter, attempt_id)
    if inline:
        part = _multipart("related", [part, *map(_file, inline)], attempt_id)
    if files:
        part = _multipart("mixed", [part, *map(_file, files)], attempt_id)
    return part


def _texts(letter: Letter, attempt_id: str) -> _Part:
    parts = []
    if letter.text is not None:
        parts.append(_text("plain", letter.text))
    if letter.html is not None:
        parts.append(_text("html", letter.html))
    return parts[0] if len(parts) == 1 else _multipart("alternative", parts, attempt_id)


def _text(subtype: str, text: str) -> _Part:
    content = text.replace("\r\n", "\n").replace("\r", "\n")
    encoding, body = _encoded(content)
    return _Part(
        (
            f"Content-Type: text/{subtype}; charset=utf-8",
            f"Content-Transfer-Encoding: {encoding}",
        ),
        body,
    )


def _encoded(content: str) -> tuple[str, bytes]:
    """Choose the plainest encoding that carries the text: 7bit, quoted-printable, base64."""
    longest = max(map(len, content.split("\n")))
    if _SEVEN_BIT.fullmatch(content) and longest <= MAX_LINE:
        return "7bit", content.replace("\n", "\r\n").encode("ascii")
    octets = content.encode("utf-8")
    if sum(octet < 128 for octet in octets) >= _MOSTLY_ASCII * len(octets):
        quoted = binascii.b2a_qp(octets, istext=True)
        return "quoted-printable", quoted.replace(b"\n", b"\r\n")
    return "base64", _base64(octets)


def _file(attachment: Attachment) -> _Part:
    shown = "inline" if attachment.content_id else "attachment"
    headers = [
        f"Content-Type: {attachment.content_type}",
        f"Content-Disposition: {shown}{parameter('filename', attachment.filename)}",
        "Content-Transfer-Encoding: base64",
    ]
    if attachment.content_id:
        headers.append(f"Content-ID: <{attachment.content_id}>")
    return _Part(tuple(headers), _base64(attachment.content))


def _base64(octets: bytes) -> bytes:
    lines = (octets[i : i + _BASE64_LINE] for i in range(0, len(octets), _BASE64_LINE))
    return b"\r\n".join(base64.b64encode(line) for line in lines)


def _multipart(subtype: str, parts: Sequence[_Part], attempt_id: str) -> _Part:
    # "=_" cannot occur in base64 or quoted-printable; the digest of an id made after the text
    # was written cannot occur in a 7bit text either
    mark = hashlib.sha256(f"{attempt_id}/{subtype}".encode()).hexdigest()[:24]
    boundary = f"=_{mark}"
    lines = [b"--" + boundary.encode() + b"\r\n" + part.wire() + b"\r\n" for part in parts]
    closing = b"--" + boundary.encode() + b"--\r\n"
    return _Part(
        (f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"',),
        b"".join(lines) + closing,
    )
