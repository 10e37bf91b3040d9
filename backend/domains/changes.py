"""What a change of a domain's state means for the world: the bus event it causes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.model.bus import BusEvent
from backend.model.tenant import DomainStatus

if TYPE_CHECKING:
    from datetime import datetime

    from backend.model.tenant import Domain

DOMAIN_VERIFIED = "relay.domain.verified"
DOMAIN_FAILED = "relay.domain.failed"
_TYPES = {DomainStatus.VERIFIED: DOMAIN_VERIFIED, DomainStatus.FAILED: DOMAIN_FAILED}


def event_of(
    before: DomainStatus | None, domain: Domain, *, event_id: str, at: datetime
) -> BusEvent | None:
    """Give the event to publish, None when the status is as it was or merely pending.

    ``before`` is None for a domain that is new to us.
    """
    kind = _TYPES.get(domain.status)
    if kind is None or before is domain.status:
        return None
    return BusEvent(
        id=event_id,
        type=kind,
        created_at=at,
        tenant_id=domain.tenant_id,
        data={
            "domain_id": domain.id,
            "domain": domain.name,
            "status": domain.status.value,
            "previous_status": before.value if before else None,
        },
    )
