"""The end of a run: let everything settle, compare with the ledger, and sum up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from backend.demo.astray import astray
from backend.demo.ledger import Fate
from backend.demo.witness import mail_at_ses, markers_at_desk
from backend.errors import ServiceUnavailableError
from backend.model.inbound import InboundStatus
from backend.model.outbound import EmailStatus, RecipientStatus
from backend.model.stats import Counter
from backend.model.views import InboundQuery

if TYPE_CHECKING:
    from backend.app import Backend
    from backend.demo.astray import Astray
    from backend.demo.ledger import Audit, Ledger
    from backend.demo.world import World
    from backend.model.inbound import InboundMessage
    from backend.ports import Clock

SETTLE_SECONDS = 60  # a target that was down rests before it is tried again
PAGE = 500
AWAITED = frozenset({RecipientStatus.SENT, RecipientStatus.DELAYED})
PENDING = AWAITED | {RecipientStatus.QUEUED}
UNSETTLED = frozenset({InboundStatus.RECEIVED, InboundStatus.FORWARDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSummary:
    """What became of everything; loss and duplication by the world's own book.

    ``astray`` tells of each mail that was lost or came twice where it stood last.
    """

    totals: dict[Counter, int]
    held: int
    quarantined: int
    pending: int
    audit: Audit
    astray: tuple[Astray, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether nothing was lost and nothing came twice."""
        return self.audit.clean

    def as_json(self) -> dict[str, object]:
        """Give the documented last line of ``demo --headless --json``, and who went astray."""
        count = self.totals.get
        named = {"astray": [one.as_json() for one in self.astray]} if self.astray else {}
        return named | {
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
    """Wait until the audit is clean and nothing is under way, or SETTLE_SECONDS have passed.

    Raises ServiceUnavailableError when the stand-ins for SES and the desk cannot be asked.
    """
    end = clock.monotonic() + SETTLE_SECONDS
    while True:
        late, before = clock.monotonic() > end, world.ledger.copy()
        try:
            seen = await _look(world, backend, http)
        except httpx.HTTPError as error:
            if late:
                raise ServiceUnavailableError(
                    f"the local AWS and the desk do not say what they have: {error!r}"
                ) from error
        else:
            audit = world.ledger.audit(
                at_ses=seen.at_ses,
                at_desk=seen.at_desk,
                stored={name: one.status not in UNSETTLED for name, one in seen.stored.items()},
                left_out=seen.left_out,
            )
            # what was handed over during the look is not missed by it
            judged = late and world.ledger == before
            if judged or (audit.clean and not await _under_way(backend)):
                return await _summary(world, backend, audit, seen)
        await asyncio.sleep(0.25)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What is at SES and at the desk, what came in by Message-ID, what was left out."""

    at_ses: list[str]
    at_desk: list[str]
    stored: dict[str, InboundMessage]
    left_out: set[str]


async def _look(world: World, backend: Backend, http: httpx.AsyncClient) -> _Seen:
    at_ses = [mail.marker for mail in await mail_at_ses(http, world.doors.aws_endpoint, 0)]
    return _Seen(
        at_ses=at_ses,
        at_desk=await markers_at_desk(http, world.doors.desk_url),
        stored=await _stored(backend),
        left_out=await _left_out(world.ledger, backend, set(at_ses)),
    )


async def _under_way(backend: Backend) -> int:
    unsettled = await backend.count_inbound(InboundQuery(statuses=UNSETTLED))
    return unsettled + await backend.count_recipients(AWAITED)


async def _stored(backend: Backend) -> dict[str, InboundMessage]:
    """Give, per Message-ID, the message the program shows."""
    found: dict[str, InboundMessage] = {}
    start = 0
    while page := await backend.inbound(InboundQuery(), start, PAGE):
        for message in page:
            found[message.message_id.strip("<>")] = message
        start += PAGE
    return found


async def _left_out(ledger: Ledger, backend: Backend, at_ses: set[str]) -> set[str]:
    """Give the mail that the program shows as kept from SES by the suppression list."""
    found = set()
    for marker, fate in list(ledger.outbound.items()):
        if fate is Fate.SPARED and marker not in at_ses:
            detail = await backend.email(ledger.ids[marker])
            if detail.email.status is EmailStatus.SUPPRESSED:
                found.add(marker)
    return found


async def _summary(world: World, backend: Backend, audit: Audit, seen: _Seen) -> DemoSummary:
    async def count(*statuses: InboundStatus) -> int:
        return await backend.count_inbound(InboundQuery(statuses=frozenset(statuses)))

    return DemoSummary(
        totals=await backend.totals(),
        held=await count(InboundStatus.HELD),
        quarantined=await count(InboundStatus.QUARANTINED),
        pending=await count(*UNSETTLED) + await backend.count_recipients(PENDING),
        audit=audit,
        astray=await astray(backend, world.ledger, audit, seen.stored),
    )
