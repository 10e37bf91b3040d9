"""Is a sender on the blocklist or the allowlist? The entry that says the most wins. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.model.address import ascii_domain, parse_address
from backend.model.screening import ListKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backend.model.screening import ListEntry

WILDCARD = "*."
MAX_LABELS = 30  # a hostile domain must not cost a thousand look-ups


def read_pattern(text: str) -> str:
    """Give the stored form of an address, ``example.com``, ``@example.com`` or ``*.example.com``.

    Raises InvalidInputError for anything else.
    """
    plain = text.strip().removeprefix("*@")
    if "@" in plain.lstrip("@"):
        return parse_address(plain, field="pattern").key
    plain = plain.removeprefix("@")
    wildcard = plain.startswith(WILDCARD)
    domain = ascii_domain(plain.removeprefix(WILDCARD))
    if "." not in domain:
        raise InvalidInputError(
            f"pattern: {text[:100]!r} is no sender; write name@example.com, example.com"
            " or *.example.com",
            field="pattern",
        )
    return WILDCARD + domain if wildcard else domain


def candidates(address: str) -> tuple[str, ...]:
    """Give every pattern that would match an address, the one that says the most first."""
    local, _, host = address.strip().lower().rpartition("@")
    domain = ascii_domain(host)
    if not domain:
        return ()
    labels = domain.split(".")[-MAX_LABELS:]
    above = [WILDCARD + ".".join(labels[i:]) for i in range(1, len(labels))]
    return (*([f"{local}@{domain}"] if local else []), domain, *above)


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
