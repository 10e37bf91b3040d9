"""Small reads between the pure stages: domain, tenant, matched mail and its conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.inbound.recipient import Pattern, read_recipient
from backend.store import domains, emails, tenants, threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.inbound.recipient import Recipient
    from backend.model.outbound import Email
    from backend.model.tenant import Domain, Tenant
    from backend.store.threads import Thread
    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message was sent to: the address, whose domain it is, which tenant it names.

    ``shared`` tells the shared inbound domain from a client's own (``domain``); with neither the
    domain is none of ours. ``named`` is the tenant that support+{tenant}@ names, if we know it.
    """

    recipient: Recipient
    shared: bool = False
    domain: Domain | None = None
    named: Tenant | None = None

    @property
    def ours(self) -> bool:
        """Whether mail to this domain is for us."""
        return self.shared or (self.domain is not None and self.domain.inbound_enabled)

    @property
    def tenant_id(self) -> str:
        """The tenant the address alone tells; empty on the shared domain without a name."""
        if self.shared:
            return self.named.id if self.named else ""
        return self.domain.tenant_id if self.domain else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A mail of ours that a message answers, and its conversation."""

    email: Email
    thread: Thread | None


def look_up_place(tx: Tx, address: str, inbound_domain: str) -> Place:
    """Find whose domain an envelope recipient is in and which tenant it names."""
    recipient = read_recipient(address)
    named = tenants.find(tx, recipient.ref) if recipient.pattern is Pattern.SUPPORT else None
    if recipient.domain == inbound_domain.lower():
        return Place(recipient=recipient, shared=True, named=named)
    domain = domains.by_name(tx, recipient.domain) if recipient.domain else None
    return Place(recipient=recipient, domain=domain, named=named)


def look_up(
    tx: Tx, address: str, answered_ids: Sequence[str], inbound_domain: str
) -> tuple[Place, Answered | None]:
    """Find the place of an envelope recipient and the mail of ours that is answered."""
    place = look_up_place(tx, address, inbound_domain)
    # a domain that is not ours must not draw on a conversation of any tenant
    return place, _answered(tx, answered_ids, place.tenant_id) if place.ours else None


def _answered(tx: Tx, local_parts: Sequence[str], tenant_id: str) -> Answered | None:
    """Find the first mail of ours among the ids; an empty tenant stands for the shared domain."""
    for local_part in local_parts:
        email = emails.by_ses_message_id(tx, local_part, tenant_id or None)
        if email is not None:
            return Answered(email=email, thread=threads.get(tx, email.thread_id))
    return None
