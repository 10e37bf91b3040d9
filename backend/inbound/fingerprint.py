"""What makes a mail the same mail, whichever way and however often it came. Pure.

Servers on the way add trace headers and change line ends and header folds; a mailbox file adds a
line break. None of that counts. What counts is what the author wrote: the headers below and the
body, byte for byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from backend.mime import headers
from backend.mime.tree import read_head

COUNTED = (
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "auto-submitted",
    "content-type",
    "content-transfer-encoding",
)
MAX_HEADER_BYTES = 256 * 1024
_BODY = re.compile(rb"\r?\n\r?\n")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """``message_id`` without brackets, empty when there is none; ``sha256`` of what counts."""

    message_id: str
    sha256: str

    def content_key(self, recipient: str) -> str | None:
        """Give the key under which this mail is one mail for ``recipient``.

        None without a Message-ID: two alarms of one second may truly be two.
        """
        if not self.message_id:
            return None
        whole = f"{recipient.lower()}\n{self.message_id}\n{self.sha256}"
        return sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()


def fingerprint(raw: bytes) -> Fingerprint:
    """Read the fingerprint of a raw message; never raises."""
    head = read_head(raw[:MAX_HEADER_BYTES])
    values: dict[str, list[str]] = {}
    for name, value in head.raw_items():
        values.setdefault(name.strip().lower(), []).append(str(value))
    digest = sha256()
    for name in COUNTED:
        for value in values.get(name, ()):
            flat = _SPACES.sub(" ", value).strip()
            digest.update(f"{name}:{flat}\n".encode("utf-8", "surrogateescape"))
    digest.update(b"\n" + _body(raw))
    own = headers.message_ids(values.get("message-id", [""])[0])
    return Fingerprint(message_id=own[0][:998] if own else "", sha256=digest.hexdigest())


def _body(raw: bytes) -> bytes:
    """Give the body with plain line ends and nothing at its end."""
    start = _BODY.search(raw.lstrip(b"\r\n"))
    body = raw.lstrip(b"\r\n")[start.end() :] if start else b""
    return body.replace(b"\r\n", b"\n").rstrip(b"\r\n \t")
