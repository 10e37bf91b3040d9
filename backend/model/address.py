"""Mail addresses as RFC 5321 (envelope) and RFC 5322 (header) know them, as SES takes them. No I/O.

SES has no SMTPUTF8: the local part must be ASCII; a domain is carried as punycode.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import formataddr, getaddresses
from functools import lru_cache

from backend.errors import InvalidInputError

# RFC 5322 3.2.3 dot-atom; quoted local parts are legal but SES and most targets refuse them.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]")
# name@example.com, and Some Words <name@example.com>; all else is for the parser
_PLAIN = re.compile(
    r"(?:([A-Za-z0-9]+(?: [A-Za-z0-9]+)*) ?<(?=[^>]*>$))?([A-Za-z0-9._+-]+@[A-Za-z0-9.-]+)>?"
)
# RFC 5322 wants a name with an @ in it quoted; many write jo@example.com <jo@example.com>
_NAMED = re.compile(r'([^<>"(),;:\\\[\]]+)<([^<>"(),;:\\\s]+)>')
MAX_LOCAL = 64  # RFC 5321 4.5.3.1.1, octets
MAX_DOMAIN = 255  # RFC 5321 4.5.3.1.2, octets


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One mailbox: ``local@domain`` with an optional display name; the domain is punycode."""

    local: str
    domain: str
    name: str = ""

    @property
    def bare(self) -> str:
        """``local@domain`` as the envelope carries it."""
        return f"{self.local}@{self.domain}"

    @property
    def key(self) -> str:
        """The form under which lists compare: all lower case."""
        return self.bare.lower()

    def header(self) -> str:
        """Give the RFC 5322 header form, the display name quoted or RFC 2047 encoded as needed."""
        return formataddr((self.name, self.bare)) if self.name else self.bare


def parse_address(text: str, *, field: str = "address") -> Address:
    """Read ``a@b.c`` or ``Name <a@b.c>``; raise InvalidInputError naming ``field`` otherwise."""
    if _CONTROL.search(text):
        raise InvalidInputError(f"{field}: an address may not hold control characters", field=field)
    name, bare = _split(text.strip())
    local, at, domain = bare.rpartition("@")
    domain = ascii_domain(domain)
    if not at or not domain or len(local) > MAX_LOCAL or not _LOCAL.fullmatch(local):
        several = ", each address in a text of its own" if set(text) & set(",;") else ""
        raise InvalidInputError(
            f"{field}: {text[:100]!r} is not a mail address; write name@example.com{several}",
            field=field,
        )
    return Address(local=local, domain=domain, name=name)


@lru_cache(maxsize=4096)
def _split(text: str) -> tuple[str, str]:
    """Give the display name and the address; the plain forms need no full parser.

    A text that names several addresses has none: nobody would know which of them was meant.
    """
    plain = _PLAIN.fullmatch(text)
    if plain:
        return plain[1] or "", plain[2]
    named = _NAMED.fullmatch(text)
    if named:
        return " ".join(named[1].split()), named[2]
    found = [one for one in getaddresses([text]) if any(one)]
    return found[0] if len(found) == 1 else ("", "")


@lru_cache(maxsize=32_768)  # a list of a million addresses has about that many domains
def ascii_domain(domain: str) -> str:
    """Give the lower case punycode form of a domain, or an empty string when it is not one."""
    wire = domain.strip().rstrip(".").lower()
    if not wire.isascii():
        try:
            wire = wire.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    labels = wire.split(".")
    if len(wire) > MAX_DOMAIN or not all(_LABEL.fullmatch(label) for label in labels):
        return ""
    return wire


def domain_of(address: str) -> str:
    """Give the lower case domain of a bare address, empty when there is none."""
    return ascii_domain(address.rpartition("@")[2]) if "@" in address else ""


def address_key(address: str) -> str:
    """Give the form under which lists compare a bare address: trimmed and lower case."""
    return address.strip().lower()
