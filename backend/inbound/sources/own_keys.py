"""The keys of blobs we write ourselves. Pure.

Their announcement is still in somebody's hands when they are written: a notice not yet
acknowledged, a caller not yet answered. Should we die before the row is made, it comes again; so
the sweeper leaves these keys alone.
"""

from __future__ import annotations

from hashlib import sha256

INLINE = "inline/"  # content that came within a notice
HTTP = "http/"  # POST /events/inbound
FILE = "file/"  # relay-console inbound ingest
_OWN = (INLINE, HTTP, FILE, "attachments/")


def is_own(key: str) -> bool:
    """Tell whether a key is one we made, wherever below a prefix."""
    return key.startswith(_OWN)


def http_key(provider: str, event_id: str, raw: bytes) -> str:
    """Give the key for the mail of one event: the same event and mail write the same blob."""
    return HTTP + sha256(f"{provider}\n{event_id}\n".encode() + raw).hexdigest()


def file_key(raw: bytes) -> str:
    """Give the key for a mail from a file: the same bytes are the same blob."""
    return FILE + sha256(raw).hexdigest()
