"""Lists name an address, a domain, or ``*.domain`` for all below it: reading and finding. Pure."""

from __future__ import annotations

from backend.errors import InvalidInputError
from backend.model.address import ascii_domain, parse_address

WILDCARD = "*."
MAX_LABELS = 30  # a hostile domain must not cost a thousand look-ups


def read_pattern(text: str, *, field: str = "pattern", what: str = "sender") -> str:
    """Give the stored form of an address, ``example.com``, ``@example.com`` or ``*.example.com``.

    Raises InvalidInputError for anything else, naming ``field`` and ``what`` was looked for.
    """
    plain = text.strip().removeprefix("*@")
    if "@" in plain.lstrip("@"):
        return parse_address(plain, field=field).key
    plain = plain.removeprefix("@")
    wildcard = plain.startswith(WILDCARD)
    domain = ascii_domain(plain.removeprefix(WILDCARD))
    if "." not in domain:
        raise InvalidInputError(
            f"{field}: {text[:100]!r} is no {what}; write name@example.com, example.com"
            " or *.example.com",
            field=field,
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
