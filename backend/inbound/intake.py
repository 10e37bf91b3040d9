"""Stage 1: make a row and a work item for each envelope recipient of an arrival.

The raw bytes lie in the blob store already; only when ``take_in`` has committed may the source be
acknowledged. A repeated announcement of the same object and recipient adds nothing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backend.inbound.addressees import addressees
from backend.inbound.facts import look_up_place
from backend.model.address import domain_of
from backend.model.inbound import Finding, InboundMessage, InboundStatus, Reason, Stage, Step
from backend.model.stats import Counter
from backend.model.work import WorkKind
from backend.queue import items
from backend.store import counters, domains, explanations
from backend.store import inbound as store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.model.inbound import Arrival
    from backend.ports import BlobStore, Clock, Ids
    from backend.store.engine import Database
    from backend.store.types import Tx


class Intake:
    """Takes arrivals from any source."""

    def __init__(
        self, db: Database, blobs: BlobStore, clock: Clock, ids: Ids, *, inbound_domain: str
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._clock = clock
        self._ids = ids
        self._inbound_domain = inbound_domain.lower()

    async def take_in(self, arrival: Arrival) -> list[str]:
        """Make the missing rows and give their ids; an empty list when all were known.

        Raises TransientError when the store or the database is away, NotFoundError when the
        recipients must be read from a raw message that is not there.
        """
        recipients: Sequence[str] = arrival.recipients
        if not recipients:
            if await self._db.read(store.knows_blob, arrival.blob_key):
                return []
            raw = await self._blobs.get(arrival.blob_key)
            named = await asyncio.to_thread(addressees, raw)
            recipients = named.envelope or await self._db.read(self._known, named.header)
        return await self._db.write(self._insert, arrival, recipients or ("",))

    def _known(self, tx: Tx, addresses: Sequence[str]) -> list[str]:
        """Keep the addresses in domains of ours: a To header names strangers as well."""
        return [address for address in addresses if self._is_ours(tx, domain_of(address))]

    def _is_ours(self, tx: Tx, domain: str) -> bool:
        return domain == self._inbound_domain or (
            bool(domain) and domains.by_name(tx, domain) is not None
        )

    def _insert(self, tx: Tx, arrival: Arrival, recipients: Sequence[str]) -> list[str]:
        """Insert rows, items, counters and first steps, all in one transaction."""
        # asked again inside the transaction: the other announcement may have come meanwhile
        if not arrival.recipients and store.knows_blob(tx, arrival.blob_key):
            return []
        now, taken = self._clock.now(), []
        for recipient in dict.fromkeys(recipients):
            message = self._message(tx, arrival, recipient)
            if not store.add(tx, message):
                continue
            items.enqueue(tx, WorkKind.INBOUND, message.id, run_at=now, now=now)
            counters.bump(tx, message.tenant_id, Counter.RECEIVED, now)
            explanations.add_run(tx, message.id, [_stored(arrival)], now)
            taken.append(message.id)
        return taken

    def _message(self, tx: Tx, arrival: Arrival, recipient: str) -> InboundMessage:
        local, at, domain = recipient.strip().rpartition("@")
        # the domain has no case (RFC 5321 2.4); the local part keeps its own for people to see
        address = f"{local}{at}{domain.lower()}"
        place = look_up_place(tx, address, self._inbound_domain)
        return InboundMessage(
            id=self._ids.new("inb"),
            tenant_id=place.tenant_id,
            source=arrival.source,
            blob_key=arrival.blob_key,
            recipient=address,
            envelope_from=arrival.envelope_from,
            status=InboundStatus.RECEIVED,
            reason=Reason.STORED,
            received_at=arrival.received_at,
            size=arrival.size,
            verdicts=arrival.verdicts,
        )


def _stored(arrival: Arrival) -> Step:
    evidence = {"source": arrival.source, "blob_key": arrival.blob_key[:200]}
    return Step(stage=Stage.INTAKE, finding=Finding.OK, reason=Reason.STORED, evidence=evidence)
