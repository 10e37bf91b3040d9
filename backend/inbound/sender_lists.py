"""Is a sender on the blocklist or the allowlist? The entry that says the most wins. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.model.patterns import WILDCARD, candidates
from backend.model.screening import ListKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backend.model.screening import ListEntry


def decide_sender(
    from_address: str, envelope_from: str, entries: Iterable[ListEntry]
) -> ListEntry | None:
    """Give the entry that decides on a message, None when no list knows its sender.

    Address beats domain, domain beats the domains above it, a tenant's own entry beats the
    common one and block beats allow. The envelope sender can block, but not allow: who forges a
    From has the envelope for free.
    """
    shown = {pattern: i for i, pattern in enumerate(candidates(from_address))}
    hidden = {pattern: i for i, pattern in enumerate(candidates(envelope_from))}
    known = [
        (_rank(entry, shown, hidden), entry)
        for entry in entries
        if entry.pattern in shown or (entry.pattern in hidden and entry.kind is ListKind.BLOCK)
    ]
    return min(known, key=lambda pair: pair[0])[1] if known else None


def _rank(
    entry: ListEntry, shown: dict[str, int], hidden: dict[str, int]
) -> tuple[int, int, int, int]:
    """Order entries: the lowest wins."""
    is_address = "@" in entry.pattern
    return (
        0 if is_address else 1,
        -len(entry.pattern.removeprefix(WILDCARD)) if not is_address else 0,
        (0 if entry.tenant_id else 2) + (0 if entry.kind is ListKind.BLOCK else 1),
        min(shown.get(entry.pattern, 99), hidden.get(entry.pattern, 99)),
    )
