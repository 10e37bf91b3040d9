"""Reply tokens: the signed sign on a mail of ours by which its answers are known. No I/O.

Wire form, 54 lower case characters: ``r1``, 2 of a key id, the 26 of the email's id, 24 of a MAC
(HMAC-SHA256 cut to 120 bits, base32). With ``reply+`` before it the local part has 60 characters;
RFC 5321 4.5.3.1.1 allows 64. Mail servers may fold case, so letters compare without it.

The MAC is over tenant, domain and email id, so a token is worth nothing to another tenant or at
another domain. The key id is derived from the secret: with two secrets, one may be replaced while
the mail signed with it still gets answers.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from dataclasses import dataclass, field
from hashlib import sha256

HEADER = "X-Relay-Reply-Token"
_EMAIL = "msg_"
_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")  # a ULID, see backend/clock.py
_TOKEN = re.compile(r"r1([a-z2-7]{2})([0-9a-hjkmnp-tv-z]{26})([a-z2-7]{24})")
# "reply+" is ours; the other marks are for servers that do not take a plus
_LOCAL = re.compile(r"reply([+._-])(.*)", re.DOTALL)
_MAC_BYTES = 15  # 120 bits: whole base32 letters, so no two spellings mean the same
_KEY_ID_CHARS = 2


@dataclass(frozen=True, slots=True)
class ReplyTokens:
    """Makes and checks tokens: the current secret signs, both check; empty is none."""

    current: str = field(default="", repr=False)
    previous: str = field(default="", repr=False)

    def make(self, *, tenant_id: str, domain: str, email_id: str) -> str:
        """Sign an email's id; empty without a secret, or for an id that is not one of ours."""
        ulid = email_id.removeprefix(_EMAIL).lower()
        if not self.current or not email_id.startswith(_EMAIL) or not _ID.fullmatch(ulid):
            return ""
        return f"r1{_key_id(self.current)}{ulid}{_mac(self.current, tenant_id, domain, ulid)}"

    def valid(self, token: str, *, tenant_id: str, domain: str) -> bool:
        """Tell whether one of our secrets signed it for this tenant and domain."""
        found = _TOKEN.fullmatch(token.lower())
        if found is None:
            return False
        key_id, ulid, mac = found.groups()
        # every secret is tried to the end: how long it takes tells nothing
        signed = [
            hmac.compare_digest(
                _key_id(secret) + _mac(secret, tenant_id, domain, ulid), key_id + mac
            )
            for secret in (self.current, self.previous)
            if secret
        ]
        return any(signed)


def email_id_in(token: str) -> str:
    """Give the id of the email a token names, signed or not; empty when it is no token."""
    found = _TOKEN.fullmatch(token.lower())
    return _EMAIL + found[2] if found else ""


def same(token: str, stored: str) -> bool:
    """Tell in constant time whether a token, in whatever case, is the stored one."""
    return hmac.compare_digest(token.lower().encode(), stored.encode())


def reply_address(token: str, domain: str) -> str:
    """Give the address whose mail is known by the token."""
    return f"reply+{token}@{domain}"


def token_in(local_part: str) -> str | None:
    """Give what stands for a token in a local part, in lower case; None when nothing does.

    After ``reply+`` everything is meant as a token, be it one or not; alone, or after another
    mark, only what looks like one.
    """
    local = local_part.strip().strip('"').lower()
    found = _LOCAL.fullmatch(local)
    text = found[2] if found else local
    if _TOKEN.fullmatch(text) or (found and found[1] == "+"):
        return text
    return None


def _mac(secret: str, tenant_id: str, domain: str, ulid: str) -> str:
    said = f"relay reply token 1\n{tenant_id}\n{domain.lower()}\n{ulid}"
    digest = hmac.digest(secret.encode(), said.encode(), sha256)
    return _base32(digest[:_MAC_BYTES])


def _key_id(secret: str) -> str:
    digest = hmac.digest(secret.encode(), b"relay reply token key id", sha256)
    return _base32(digest[:_MAC_BYTES])[:_KEY_ID_CHARS]


def _base32(octets: bytes) -> str:
    return b32encode(octets).decode("ascii").lower()
