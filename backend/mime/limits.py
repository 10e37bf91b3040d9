"""Limits that hold while a message is read, so that a small mail cannot cost minutes. No I/O.

Beyond one the message is not taken apart: its first headers are shown and it is quarantined.
"""

from __future__ import annotations

MAX_BYTES = 40 * 1024 * 1024  # SES bounces larger mail
MAX_PARTS = 500
MAX_DEPTH = 50  # Postfix: mime_nesting_limit 100
MAX_HEADER_BYTES = 256 * 1024  # of the message and of each part
MAX_HEADERS = 1_000
MAX_ADDRESSES = 500


class LimitError(ValueError):
    """A message breaks a limit; says in one clause which. ``fields`` are those read before."""

    def __init__(self, clause: str, fields: list[tuple[str, str]] | None = None) -> None:
        super().__init__(clause)
        self.fields = fields or []


def excess(raw: bytes) -> str:
    """Say in one clause that the message is too large to be looked at; empty when it is not."""
    return f"larger than {MAX_BYTES // 1024 // 1024} MB" if len(raw) > MAX_BYTES else ""
