"""The end of a run: let everything settle, compare with the ledger, and sum up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.demo.witness import mail_at_ses, markers_at_desk
from backend.model.inbound import InboundStatus
from backend.model.outbound import RecipientStatus
from backend.model.stats import Counter
from backend.model.views import InboundQuery

if TYPE_CHECKING:
    import httpx

    from backend.app import Backend
    from backend.demo.ledger import Audit
    from backend.demo.world import World
    from backend.ports import Clock

SETTLE_SECONDS = 60  # a target that was down rests before it is tried again
PAGE = 500
AWAITED = frozenset({RecipientStatus.SENT, RecipientStatus.DELAYED})
PENDING = AWAITED | {RecipientStatus.QUEUED}
UNSETTLED = frozenset({InboundStatus.RECEIVED, InboundStatus.FORWARDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSummary:
    """What became of everything; loss and duplication by the world's own book."""

    totals: dict[Counter, int]
    held: int
    quarantined: int
    pending: int
    audit: Audit

    @property
    def ok(self) -> bool:
        """Tell whether nothing was lost and nothing came twice."""
        return self.audit.clean

    def as_json(self) -> dict[str, object]:
        """Give the documented last line of ``demo --headless --json``."""
        count = self.totals.get
        return {
            "sent": count(Counter.SENT, 0),
            "delivered": count(Counter.DELIVERED, 0),
            "bounced": count(Counter.BOUNCED, 0),
            "complained": count(Counter.COMPLAINED, 0),
            "suppressed": count(Counter.SUPPRESSED, 0),
            "received": count(Counter.RECEIVED, 0),
            "threaded": count(Counter.THREADED, 0),
            "forwarded": {
                "psa": count(Counter.FORWARDED_PSA, 0),
                "crm": count(Counter.FORWARDED_CRM, 0),
                "portal": count(Counter.FORWARDED_PORTAL, 0),
            },
            "held": self.held,
            "quarantined": self.quarantined,
            "pending": self.pending,
            "lost": len(self.audit.lost),
            "duplicates": len(self.audit.duplicates),
        }


async def settle(
    world: World, backend: Backend, http: httpx.AsyncClient, clock: Clock
) -> DemoSummary:
    """Wait until the audit is clean and nothing is under way, or SETTLE_SECONDS have passed."""
    end = clock.monotonic() + SETTLE_SECONDS
    while True:
        audit = await _audit(world, backend, http)
        unsettled = await backend.count_inbound(InboundQuery(statuses=UNSETTLED))
        awaited = await backend.count_recipients(AWAITED)
        late = clock.monotonic() > end
        if late or (audit.clean and not unsettled and not awaited):
            return await _summary(backend, audit)
        await asyncio.sleep(0.25)


async def _summary(backend: Backend, audit: Audit) -> DemoSummary:
    async def count(*statuses: InboundStatus) -> int:
        return await backend.count_inbound(InboundQuery(statuses=frozenset(statuses)))

    return DemoSummary(
        totals=await backend.totals(),
        held=await count(InboundStatus.HELD),
        quarantined=await count(InboundStatus.QUARANTINED),
        pending=await count(*UNSETTLED) + await backend.count_recipients(PENDING),
        audit=audit,
    )


async def _audit(world: World, backend: Backend, http: httpx.AsyncClient) -> Audit:
    at_ses = [mail.marker for mail in await mail_at_ses(http, world.doors.aws_endpoint, 0)]
    at_desk = await markers_at_desk(http, world.doors.desk_url)
    return world.ledger.audit(at_ses=at_ses, at_desk=at_desk, stored=await _stored(backend))


async def _stored(backend: Backend) -> dict[str, bool]:
    """Give, per Message-ID, whether the program shows the message and has settled it."""
    found: dict[str, bool] = {}
    start = 0
    while page := await backend.inbound(InboundQuery(), start, PAGE):
        for message in page:
            found[message.message_id.strip("<>")] = message.status not in UNSETTLED
        start += PAGE
    return found
