"""Ask SES how a domain stands, and list domains with the records they need."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.domains.changes import event_of
from backend.domains.records import records_for
from backend.errors import NotFoundError
from backend.model.views import DomainDetail
from backend.queue.announce import announce
from backend.store import audit, domains, tenants
from backend.store.audit import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.domains.register import DomainTools
    from backend.model.tenant import Domain
    from backend.ports import Identity
    from backend.store.types import Tx


async def refresh_domain(tools: DomainTools, domain_id: str, *, actor: str) -> DomainDetail:
    """Read a domain at SES and record what it says.

    Raises NotFoundError when we or SES do not know it, TransientError when SES did not answer.
    """
    known = await tools.db.read(_known, domain_id)
    identity = await tools.identities.get(known.name)
    return await tools.db.write(_record, tools, domain_id, identity, actor)


def detail_of(tx: Tx, domain: Domain, region: str) -> DomainDetail:
    """Give a domain with the records its owner publishes and its tenant's name."""
    tenant = tenants.get(tx, domain.tenant_id)
    return DomainDetail(
        domain=domain,
        tenant_name=tenant.name if tenant else "",
        records=records_for(domain, region),
        region=region,
    )


def all_details(tx: Tx, region: str) -> Sequence[DomainDetail]:
    """Give every domain with its records, by name."""
    names = {tenant.id: tenant.name for tenant in tenants.all_by_name(tx)}
    return [
        DomainDetail(
            domain=domain,
            tenant_name=names.get(domain.tenant_id, ""),
            records=records_for(domain, region),
            region=region,
        )
        for domain in domains.all_by_name(tx)
    ]


def _known(tx: Tx, domain_id: str) -> Domain:
    domain = domains.get(tx, domain_id)
    if domain is None:
        raise NotFoundError(f"there is no domain {domain_id}")
    return domain


def _record(
    tx: Tx, tools: DomainTools, domain_id: str, identity: Identity, actor: str
) -> DomainDetail:
    """Write the new state, the audit entry and, on a change, the bus event."""
    # read again: another process may have refreshed it since, and told the bus
    before = _known(tx, domain_id)
    now = tools.clock.now()
    after = _merged(before, identity, now)
    domains.save_state(
        tx,
        domain_id,
        after.status,
        after.dkim_tokens,
        after.mail_from,
        now,
        signing_zone=after.signing_zone,
    )
    audit.add(tx, _entry(before, after, tools.ids.new("aud"), actor))
    event = event_of(before.status, after, event_id=tools.ids.new("evt"), at=now)
    if event is not None:
        announce(tx, event)
    return detail_of(tx, after, tools.region)


def _merged(before: Domain, identity: Identity, now: datetime) -> Domain:
    # SES may leave out tokens, zone or MAIL FROM in an answer; what we know stays valid then
    return replace(
        before,
        status=identity.status,
        dkim_tokens=identity.dkim_tokens or before.dkim_tokens,
        signing_zone=identity.signing_hosted_zone or before.signing_zone,
        mail_from=identity.mail_from_domain or before.mail_from,
        checked_at=now,
    )


def _entry(before: Domain, after: Domain, entry_id: str, actor: str) -> AuditEntry:
    return AuditEntry(
        id=entry_id,
        at=after.checked_at or after.created_at,
        actor=actor,
        action="domain.refreshed",
        subject=after.id,
        tenant_id=after.tenant_id,
        detail={"domain": after.name, "from": before.status.value, "to": after.status.value},
    )
