"""Take a domain from its tenant; the identity at SES stays, as others may send by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.errors import NotFoundError
from backend.model.address import ascii_domain
from backend.store import audit, domains
from backend.store.audit import AuditEntry

if TYPE_CHECKING:
    from backend.domains.register import DomainTools
    from backend.model.tenant import Domain
    from backend.store.types import Tx


async def remove_domain(
    tools: DomainTools, given: str, *, actor: str, tenant_id: str | None = None
) -> Domain:
    """Remove a domain, named by id or name, and give what it was; raises NotFoundError.

    Mail accepted before is still sent. Mail that arrives for it has no domain any more.
    """
    entry = AuditEntry(
        id=tools.ids.new("aud"),
        at=tools.clock.now(),
        actor=actor,
        action="domain.removed",
        subject=given,
    )
    return await tools.db.write(_remove, entry, tenant_id)


def _remove(tx: Tx, entry: AuditEntry, tenant_id: str | None) -> Domain:
    given = entry.subject
    domain = domains.by_name(tx, ascii_domain(given) or given) or domains.get(tx, given)
    if domain is None or tenant_id not in (None, domain.tenant_id):
        raise NotFoundError(f"there is no domain {given[:100]}")
    domains.remove(tx, domain.id)
    audit.add(
        tx,
        AuditEntry(
            id=entry.id,
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            subject=domain.id,
            tenant_id=domain.tenant_id,
            detail={"domain": domain.name, "status": domain.status.value},
        ),
    )
    return domain
