"""Add a domain to a tenant: ask SES for its identity, then write it down with its audit entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.domains.changes import event_of
from backend.domains.records import records_for
from backend.errors import ForbiddenError, InvalidInputError, NotFoundError
from backend.model.address import ascii_domain
from backend.model.tenant import Domain, DomainStatus
from backend.model.views import DomainDetail
from backend.queue.announce import announce
from backend.store import audit, domains, tenants
from backend.store.audit import AuditEntry

if TYPE_CHECKING:
    from backend.model.bus import BusEvent
    from backend.ports import Clock, Identities, Identity, Ids
    from backend.store.engine import Database
    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainTools:
    """What work on domains needs from outside; ``region`` is the AWS region of SES."""

    db: Database
    identities: Identities
    clock: Clock
    ids: Ids
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainWish:
    """What is asked of a new domain; the name may be in Unicode.

    ``unproven``: it is refused when SES may send from it already. Whoever published its DNS records
    did so before, and need not be the tenant that asks.
    """

    tenant_id: str
    name: str
    inbound_enabled: bool = False
    unproven: bool = False


async def register_domain(tools: DomainTools, wish: DomainWish, *, actor: str) -> DomainDetail:
    """Add a domain; one that SES knows already keeps its state there.

    Raises InvalidInputError for a name that is none or is taken, NotFoundError for an unknown
    tenant, ForbiddenError for one that must be unproven, and what Identities.create raises.
    """
    name = _domain_name(wish.name)
    await tools.db.read(_must_be_free, wish.tenant_id, name)
    identity = await tools.identities.create(name)
    if wish.unproven and identity.status is DomainStatus.VERIFIED:
        raise ForbiddenError(
            f"name: {name} is verified at SES already, so its records prove nothing about this"
            " tenant; ask who runs the server to add it"
        )
    domain = _domain(tools, wish, name, identity)
    entry = AuditEntry(
        id=tools.ids.new("aud"),
        at=domain.created_at,
        actor=actor,
        action="domain.added",
        subject=domain.id,
        tenant_id=domain.tenant_id,
        detail={"domain": name, "status": domain.status.value},
    )
    event = event_of(None, domain, event_id=tools.ids.new("evt"), at=domain.created_at)
    tenant_name = await tools.db.write(_save, domain, entry, event)
    return DomainDetail(
        domain=domain,
        tenant_name=tenant_name,
        records=records_for(domain, tools.region),
        region=tools.region,
    )


def _domain_name(text: str) -> str:
    name = ascii_domain(text)
    if "." not in name:
        raise InvalidInputError(
            f"name: {text[:100]!r} is not a domain name; write one such as mail.example.com",
            field="name",
        )
    return name


def _domain(tools: DomainTools, wish: DomainWish, name: str, identity: Identity) -> Domain:
    now = tools.clock.now()
    return Domain(
        id=tools.ids.new("dom"),
        tenant_id=wish.tenant_id,
        name=name,
        status=identity.status,
        inbound_enabled=wish.inbound_enabled,
        dkim_tokens=identity.dkim_tokens,
        mail_from=identity.mail_from_domain,
        created_at=now,
        checked_at=now,
        signing_zone=identity.signing_hosted_zone,
    )


def _must_be_free(tx: Tx, tenant_id: str, name: str) -> str:
    """Give the tenant's name; raise when there is no such tenant or the domain is taken."""
    tenant = tenants.get(tx, tenant_id)
    if tenant is None:
        raise NotFoundError(f"there is no tenant {tenant_id}")
    if domains.by_name(tx, name) is not None:
        raise InvalidInputError(f"name: the domain {name} is registered already", field="name")
    return tenant.name


def _save(tx: Tx, domain: Domain, entry: AuditEntry, event: BusEvent | None) -> str:
    tenant_name = _must_be_free(tx, domain.tenant_id, domain.name)
    domains.add(tx, domain)
    audit.add(tx, entry)
    if event is not None:
        announce(tx, event)
    return tenant_name
