"""The place a message was sent to: whose domain it is, which tenant its address names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.inbound.recipient import Pattern, read_recipient
from backend.store import domains, tenants

if TYPE_CHECKING:
    from backend.inbound.recipient import Recipient
    from backend.model.tenant import Domain, Tenant
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


def look_up_place(tx: Tx, address: str, inbound_domain: str) -> Place:
    """Find whose domain an envelope recipient is in and which tenant it names."""
    recipient = read_recipient(address)
    named = tenants.find(tx, recipient.ref) if recipient.pattern is Pattern.SUPPORT else None
    if recipient.domain == inbound_domain.lower():
        return Place(recipient=recipient, shared=True, named=named)
    domain = domains.by_name(tx, recipient.domain) if recipient.domain else None
    if domain is not None:
        recipient = read_recipient(address, reply_prefix=domain.reply_prefix)
    return Place(recipient=recipient, domain=domain, named=named)
