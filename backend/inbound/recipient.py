"""What an envelope recipient says: which pattern, which id, which domain. Pure.

The five patterns of "Inbound Email Routing" (The One Relay): ticket+, support+, crm+ and portal+
before the @, and support@ a client's own domain. A domain may have another word for ticket+.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.model.address import ascii_domain
from backend.model.explained import Explained

MAX_REF = 200


class Pattern(Explained):
    """The meaning of a local part."""

    TICKET = "ticket", "ticket+{ticket_id}@: a note on a ticket."
    SUPPORT = "support", "support+{tenant_id}@: a new ticket of a tenant."
    CRM = "crm", "crm+{contact_id}@: an activity on a contact."
    PORTAL = "portal", "portal+{ticket_id}@: a client's reply on a ticket."
    REPLY = "reply", "reply+{token}@: an answer to a mail of ours."
    SUPPORT_DESK = "support_desk", "support@ without more: a new ticket on a client's own domain."
    OTHER = "other", "No pattern."


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """An address taken apart; ``ref`` is the id after the plus, as it was written.

    ``word`` is the local part before the plus, lower case.
    """

    pattern: Pattern
    ref: str
    domain: str
    word: str = ""


_PLUS = {
    "ticket": Pattern.TICKET,
    "support": Pattern.SUPPORT,
    "crm": Pattern.CRM,
    "portal": Pattern.PORTAL,
    "reply": Pattern.REPLY,
}


def read_recipient(address: str, *, reply_prefix: str = "ticket") -> Recipient:
    """Take an envelope recipient apart; the part before the plus compares without case.

    ``reply_prefix`` is the domain's own word for ``ticket``, which is understood all the same: old
    mail goes on being answered.
    """
    local, _, domain = address.strip().strip("<>").rpartition("@")
    word, plus, ref = local.strip('"').partition("+")
    word, ref = word.lower(), ref.strip()
    pattern = Pattern.OTHER
    if plus and ref and len(ref) <= MAX_REF:
        own = Pattern.TICKET if word == reply_prefix else Pattern.OTHER
        pattern = _PLUS.get(word, own)
    elif not plus and word == "support":
        pattern = Pattern.SUPPORT_DESK
    return Recipient(
        pattern=pattern,
        ref=ref if pattern is not Pattern.OTHER else "",
        domain=ascii_domain(domain),
        word=word,
    )
