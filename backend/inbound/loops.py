"""Does a message go in circles, or is it our own mail come back? Pure.

Never waived: a person may release spam, but not feed a loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.inbound.recipient import Pattern, read_recipient
from backend.model.address import domain_of
from backend.model.inbound import Reason

if TYPE_CHECKING:
    from backend.model.inbound import InboundMessage, ParsedMail

MAX_HOPS = 50  # Postfix: hopcount_limit 50; RFC 5321 6.3 asks for at least 100 on a relay


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMail:
    """What the database knows of a message's marks: whose mail they name, None when nobody's.

    ``attempt_tenant`` is by X-Relay-Attempt, ``sent_tenant`` by the Message-ID;
    ``domain_tenant`` has the domain of the From, and ``domain_receives`` whether we get its mail.
    """

    attempt_tenant: str | None = None
    sent_tenant: str | None = None
    domain_tenant: str | None = None
    domain_receives: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """Why a message must not go on."""

    reason: Reason
    evidence: dict[str, str]


def find_loop(
    message: InboundMessage, mail: ParsedMail, own: OwnMail, inbound_domain: str
) -> Loop | None:
    """Look for a loop, the plainest sign first; None when there is none."""
    facts = mail.facts
    if facts.hops > MAX_HOPS:
        return Loop(reason=Reason.MAIL_LOOP, evidence={"hops": str(facts.hops)})
    if facts.loop_mark:
        return Loop(reason=Reason.MAIL_LOOP, evidence={"X-Relay-Loop": facts.loop_mark[:200]})
    sign = _own_address(message, mail, own, inbound_domain) or _own_mark(message, mail, own)
    return Loop(reason=Reason.OWN_MAIL, evidence={"sign": sign}) if sign else None


def _own_address(
    message: InboundMessage, mail: ParsedMail, own: OwnMail, inbound_domain: str
) -> str:
    """Say which address of ours claims to be the sender; nobody but we could write from them."""
    sender = mail.from_address.strip().lower()
    if not sender:
        return ""
    if sender == message.recipient.lower():
        return "the sender is the recipient"
    if domain_of(sender) == inbound_domain.lower():
        return "the sender is in the shared inbound domain"
    if own.domain_receives and read_recipient(sender).pattern is not Pattern.OTHER:
        return "the sender is an address we receive for"
    return ""


def _own_mark(message: InboundMessage, mail: ParsedMail, own: OwnMail) -> str:
    """Say which mark shows that we sent the message.

    Only for the tenant that sent it: what one client's system writes to another's desk is mail
    like any other.
    """
    facts = mail.facts
    if _same(own.attempt_tenant, message):
        return f"X-Relay-Attempt {facts.attempt_id[:60]} is ours"
    if _same(own.sent_tenant, message):
        return "the Message-ID is of a mail we sent"
    # the rows may be gone by now; the marks of a foreign system are no business of ours
    if (facts.attempt_id or facts.reply_token) and _same(own.domain_tenant, message):
        return "our marks on a mail from our own domain"
    return ""


def _same(tenant_id: str | None, message: InboundMessage) -> bool:
    return tenant_id is not None and message.tenant_id in ("", tenant_id)
