"""Stage 1: make a row and a work item for each envelope recipient of an arrival.

The raw bytes lie in the blob store already; only when ``take`` has committed may the source be
acknowledged. One ledger serves every source: a repeated announcement of the same object and
recipient adds nothing, nor does another object with the same mail for the same recipient.
"""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from backend.errors import NotFoundError
from backend.inbound.addressees import Addressees, addressees
from backend.inbound.facts import look_up_place
from backend.inbound.fingerprint import Fingerprint, fingerprint
from backend.model.address import domain_of
from backend.model.inbound import Finding, InboundMessage, InboundStatus, Reason, Stage, Step
from backend.model.stats import Counter
from backend.model.work import WorkKind
from backend.queue import items
from backend.store import arrivals as ledger
from backend.store import counters, domains, explanations, gone
from backend.store import inbound as store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from backend.model.inbound import Arrival
    from backend.ports import BlobStore, Clock, Ids
    from backend.store.arrivals import SourceEvent
    from backend.store.engine import Database
    from backend.store.types import Tx


SMALL = 16 * 1024  # bytes of a mail whose reading takes less time than a thread's turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of an arrival: ids of ``new`` rows, and of ``known`` ones it was the same as."""

    new: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What the raw bytes say before they are parsed."""

    size: int
    print: Fingerprint
    named: Addressees


class _Taking(NamedTuple):
    """An arrival that was read, for whom it is, and the event that announced it."""

    arrival: Arrival
    recipients: Sequence[str]
    reading: _Reading | None
    event: SourceEvent | None


class _Fresh:
    """What is still to be written about the rows a transaction made: all of it at its end."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._steps: dict[str, tuple[Sequence[Step], datetime]] = {}
        self._received: Tally[str] = Tally()

    def add(self, message: InboundMessage, steps: Sequence[Step]) -> None:
        """Take note of a row that was made."""
        self._steps[message.id] = steps, self._now
        self._received[message.tenant_id] += 1

    def write(self, tx: Tx) -> None:
        """Write first steps, work items and counters."""
        now = self._now
        explanations.begin_all(tx, self._steps)
        items.enqueue_all(tx, WorkKind.INBOUND, dict.fromkeys(self._steps, now))
        received = {(who, Counter.RECEIVED, now): n for who, n in self._received.items()}
        counters.bump_billed(tx, received)


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
        """Take an arrival in and give the ids of its new rows; see ``take``."""
        return list((await self.take(arrival)).new)

    async def take(self, arrival: Arrival, event: SourceEvent | None = None) -> Taken:
        """Make the rows that are missing; ``event`` is recorded with them, and acted on once.

        Raises TransientError when the store or the database is away, NotFoundError when the
        recipients must be read from a raw message that is not there.
        """
        if event is None and (known := await self._db.read_gathered(_knows, arrival)):
            return Taken(known=known)
        reading = await self._read(arrival)
        recipients: Sequence[str] = arrival.recipients
        if not recipients and reading is not None:
            named = reading.named
            recipients = named.envelope or await self._db.read(self._known, named)
            arrival = _told_by_headers(arrival, named)
        addresses = tuple(dict.fromkeys(map(_address, recipients or ("",))))
        taking = _Taking(arrival, addresses, reading, event)
        return await self._db.write_gathered(self._insert, taking)

    async def _read(self, arrival: Arrival) -> _Reading | None:
        """Read the raw bytes; None when they are not there yet but the recipients are known."""
        try:
            raw = await self._blobs.get(arrival.blob_key)
        except NotFoundError:
            # the row must not wait for them: processing asks again and says so if they never come
            if arrival.recipients:
                return None
            raise
        if len(raw) <= SMALL:
            return _reading(raw)
        return await asyncio.to_thread(_reading, raw)

    def _known(self, tx: Tx, named: Addressees) -> list[str]:
        """Keep the addresses in domains of ours: these headers name strangers as well."""
        return self._ours(tx, named.delivered) or self._ours(tx, named.header)

    def _ours(self, tx: Tx, addresses: Sequence[str]) -> list[str]:
        return [address for address in addresses if self._is_ours(tx, domain_of(address))]

    def _is_ours(self, tx: Tx, domain: str) -> bool:
        return domain == self._inbound_domain or (
            bool(domain) and domains.by_name(tx, domain) is not None
        )

    def _insert(self, tx: Tx, asked: Sequence[_Taking]) -> Sequence[Taken]:
        """Insert rows, items, counters, first steps and events, all in one transaction."""
        fresh = _Fresh(self._clock.now())
        taken = [self._take_one(tx, taking, fresh) for taking in asked]
        fresh.write(tx)
        return taken

    def _take_one(self, tx: Tx, taking: _Taking, fresh: _Fresh) -> Taken:
        arrival, event = taking.arrival, taking.event
        if event is not None and ledger.event(tx, event.source, event.event_id) is not None:
            return Taken()
        # asked again inside the transaction: the other announcement may have come meanwhile
        if not arrival.recipients and ledger.known_blobs(tx, [arrival.blob_key]):
            return Taken()
        found = [self._one(tx, taking, recipient, fresh) for recipient in taking.recipients]
        taken = Taken(
            new=tuple(one for one, is_new in found if is_new),
            known=tuple(one for one, is_new in found if not is_new),
        )
        if event is not None:
            outcome = self._outcome(tx, taking.recipients, taken)
            ids = taken.new + taken.known
            ledger.add_event(tx, replace(event, outcome=outcome, inbound_ids=ids))
        return taken

    def _outcome(self, tx: Tx, recipients: Sequence[str], taken: Taken) -> str:
        """Name what came of an event, in a word of docs/inbound.md."""
        if not taken.new:
            return "duplicate_provider_event"
        places = (look_up_place(tx, address, self._inbound_domain) for address in recipients)
        return "processed" if any(place.ours for place in places) else "missing_domain"

    def _one(self, tx: Tx, taking: _Taking, recipient: str, fresh: _Fresh) -> tuple[str, bool]:
        """Give the row for one recipient, and whether it had to be made."""
        arrival, reading = taking.arrival, taking.reading
        if deleted := gone.find(tx, arrival.blob_key, recipient):
            return deleted, False
        message = self._message(tx, arrival, recipient, reading)
        key = reading.print.content_key(recipient) if reading else None
        steps = [_stored(arrival), *_collision(tx, message)]
        if not store.add(tx, message, key):
            return self._repeated(tx, message, key), False
        fresh.add(message, steps)
        return message.id, True

    def _repeated(self, tx: Tx, message: InboundMessage, key: str | None) -> str:
        """Find the row that stands already, and note when it came from another object."""
        key_of, recipient = message.blob_key, message.recipient
        inbound_id, same_object = ledger.twin(tx, key_of, recipient, key)
        if not same_object:
            now, source = self._clock.now(), message.source
            ledger.add_duplicate(
                tx, key_of, recipient, inbound_id=inbound_id, source=source, at=now
            )
        return inbound_id

    def _message(
        self, tx: Tx, arrival: Arrival, address: str, reading: _Reading | None
    ) -> InboundMessage:
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
            size=reading.size if reading else arrival.size,
            verdicts=arrival.verdicts,
            message_id=reading.print.message_id if reading else "",
            content_sha256=reading.print.sha256 if reading else "",
        )


def _knows(tx: Tx, arrivals: Sequence[Arrival]) -> Sequence[tuple[str, ...]]:
    """Give the messages where nothing is left to do: the usual case of a repeated notice."""
    known = ledger.known_recipients(tx, [arrival.blob_key for arrival in arrivals])
    return [_known_for(arrival, known[arrival.blob_key]) for arrival in arrivals]


def _known_for(arrival: Arrival, known: Mapping[str, str]) -> tuple[str, ...]:
    wanted = tuple(map(_address, arrival.recipients)) or tuple(known)
    return tuple(known[one] for one in wanted) if known.keys() >= set(wanted) else ()


def _reading(raw: bytes) -> _Reading:
    return _Reading(size=len(raw), print=fingerprint(raw), named=addressees(raw))


def _address(recipient: str) -> str:
    local, at, domain = recipient.strip().rpartition("@")
    # the domain has no case (RFC 5321 2.4); the local part keeps its own for people to see
    return f"{local}{at}{domain.lower()}"


def _told_by_headers(arrival: Arrival, named: Addressees) -> Arrival:
    """Add what SES wrote into the mail to what a source that knows only the object says."""
    sender = arrival.envelope_from or named.sender
    return replace(arrival, envelope_from=sender, verdicts=named.verdicts)


def _stored(arrival: Arrival) -> Step:
    evidence = {"source": arrival.source, "blob_key": arrival.blob_key[:200]}
    return Step(stage=Stage.INTAKE, finding=Finding.OK, reason=Reason.STORED, evidence=evidence)


def _collision(tx: Tx, message: InboundMessage) -> list[Step]:
    """Flag a Message-ID seen with other content; the message is a new one all the same."""
    if not message.message_id:
        return []
    sha256 = message.content_sha256
    other = ledger.collision(tx, message.tenant_id, message.message_id, sha256)
    if other is None:
        return []
    evidence = {"message_id": message.message_id[:200], "other": other}
    reason = Reason.MESSAGE_ID_COLLISION
    return [Step(stage=Stage.INTAKE, finding=Finding.NOTE, reason=reason, evidence=evidence)]
