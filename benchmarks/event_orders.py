"""Every order in which SES may tell of one mail, with copies, through the real database.

The orders of all sets of the seven kinds are the nodes of one tree: the way down to a node is an
order, and each step applies one more event to what its parent has left, in a savepoint that is
rolled back on the way up. After every step the event is told again, as the very same notice and
as a copy in an envelope of its own, and so is the first of the way; at the end of an order of all
kinds, each of them. What a set of events ends in must be one state, whatever the order:
recipients, mail, attempt, list, counters, billing, rates, timeline and what was announced. Ends
with 1 when a set has more than one end. It takes a minute or two.
Run: python benchmarks/event_orders.py [most kinds in a set]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import select

from backend.clock import UlidIds
from backend.feedback.apply import Stamp, apply_event
from backend.model.feedback import EventKind, FeedbackEvent, RecipientNews
from backend.model.outbound import (
    Attempt,
    AttemptState,
    Email,
    EmailStatus,
    Recipient,
    RecipientKind,
    RecipientStatus,
)
from backend.model.tenant import Tenant
from backend.store import attempts, emails, outbox, tenants
from backend.store.engine import open_database
from backend.store.schema import counters, events
from backend.store.schema_compliance import reputation_days
from backend.store.schema_suppressions import suppressions
from backend.store.schema_webhooks import usage_days

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.store.types import Tx

K = EventKind
ANN, BOB = "ann@client.example", "bob@client.example"
KINDS = (K.SEND, K.DELIVERY, K.DELIVERY_DELAY, K.BOUNCE, K.COMPLAINT, K.OPEN, K.CLICK)
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
_WHO = {
    K.DELIVERY: (ANN, BOB),
    K.DELIVERY_DELAY: (BOB, ANN),
    K.BOUNCE: (ANN,),
    K.COMPLAINT: (ANN,),
}
_SUBTYPES = {
    K.DELIVERY_DELAY: "MailboxFull",
    K.BOUNCE: "Permanent/General",
    K.COMPLAINT: "abuse",
}
End: TypeAlias = tuple[object, ...]


@dataclass(slots=True, kw_only=True)
class Walk:
    """What a walk through the tree has met: the ends of each set, with an order for each."""

    orders: int = 0
    applied: int = 0
    ends: defaultdict[frozenset[EventKind], dict[End, tuple[EventKind, ...]]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    @property
    def torn(self) -> dict[frozenset[EventKind], dict[End, tuple[EventKind, ...]]]:
        """The sets that end in more than one way."""
        return {kinds: ends for kinds, ends in self.ends.items() if len(ends) > 1}


def event_of(kind: EventKind) -> FeedbackEvent:
    """Give the event of a kind about the one mail there is."""
    subtype = _SUBTYPES.get(kind, "")
    return FeedbackEvent(
        source_id=f"sns-{kind}",
        kind=kind,
        ses_message_id="ses-1",
        attempt_id="att_1",
        occurred_at=AT + timedelta(seconds=KINDS.index(kind)),
        recipients=tuple(RecipientNews(address=one, detail="x") for one in _WHO.get(kind, ())),
        subtype=subtype,
        feedback_id=f"fb-{kind}" if subtype else "",
        detail=subtype,
    )


def walk(tx: Tx, kinds: Sequence[EventKind], deepest: int) -> Walk:
    """Go through every order of at most ``deepest`` of the kinds; nothing of it stays."""
    met = Walk()
    with tx.begin_nested() as whole:
        _put_mail(tx)
        _down(tx, (), {kind: event_of(kind) for kind in kinds}, deepest, met)
        whole.rollback()
    return met


def _down(
    tx: Tx,
    way: tuple[EventKind, ...],
    told: dict[EventKind, FeedbackEvent],
    deepest: int,
    met: Walk,
) -> None:
    stamp = Stamp(at=AT + timedelta(minutes=1), ids=UlidIds())
    for kind in told if len(way) < deepest else ():
        if kind in way:
            continue
        order = (*way, kind)
        step = tx.begin_nested()
        assert apply_event(tx, told[kind], stamp)
        assert not apply_event(tx, told[kind], stamp)
        late = order if len(order) == len(told) else (kind, order[0])
        for again in dict.fromkeys(late):
            copy = replace(told[again], source_id=f"copy-{len(order)}-{again}")
            assert not apply_event(tx, copy, stamp)
        met.orders += 1
        met.applied += 2 + len(dict.fromkeys(late))
        met.ends[frozenset(order)].setdefault(_end(tx), order)
        _down(tx, order, told, deepest, met)
        step.rollback()


def _put_mail(tx: Tx) -> None:
    """Insert a mail to two whose call to SES has not come back yet."""
    tenants.add(tx, Tenant(id="ten_1", name="Acme", created_at=AT))
    people = tuple(
        Recipient(
            address=address, kind=RecipientKind.TO, status=RecipientStatus.QUEUED, updated_at=AT
        )
        for address in (ANN, BOB)
    )
    mail = Email(
        id="msg_1",
        tenant_id="ten_1",
        sender="help@acme.example",
        subject="x",
        status=EmailStatus.QUEUED,
        created_at=AT,
        recipients=people,
        tags={},
        thread_id="thr_1",
    )
    emails.insert(tx, mail, b"{}")
    attempt = Attempt(
        id="att_1", email_id="msg_1", number=1, state=AttemptState.SENDING, started_at=AT
    )
    attempts.add(tx, attempt)


def _end(tx: Tx) -> End:
    mail = emails.get(tx, "msg_1")
    assert mail is not None
    s, e, c, u, r = suppressions.c, events.c, counters.c, usage_days.c, reputation_days.c
    asked = (
        select(s.address, s.tenant_id, s.reason, s.state, s.detail, s.source_event_id),
        select(e.kind, e.recipient, e.detail),
        select(c.tenant_id, c.minute, c.name, c.n),
        select(u.tenant_id, u.day, u.kind, u.n),
        select(r.tenant_id, r.day, r.hard_bounces, r.complaints, r.simulated),
    )
    rows = (tuple(sorted(map(tuple, tx.execute(query)))) for query in asked)
    told = (f"{one.type} {one.data['recipients']}" for one in outbox.unpublished(tx, 99))
    return (
        mail.status,
        mail.ses_message_id,
        tuple((one.address, one.status, one.detail) for one in mail.recipients),
        tuple(one.state for one in attempts.of_email(tx, "msg_1")),
        *rows,
        tuple(sorted(told)),
    )


async def main(deepest: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        db = open_database(f"sqlite:///{folder}/relay.db")
        began = time.perf_counter()
        met = await db.write(walk, KINDS, deepest)
        seconds = time.perf_counter() - began
        db.close()
    whole = sum(len(next(iter(ends.values()))) == len(KINDS) for ends in met.ends.values())
    print(
        f"{met.orders:,} orders of {len(met.ends)} sets ({whole} of all {len(KINDS)} kinds),"
        f" {met.applied:,} events applied in {seconds:.1f} s:"
        f" {len(met.torn)} sets with more than one end"
    )
    for kinds, ends in met.torn.items():
        print(", ".join(sorted(kinds)))
        for end, order in ends.items():
            print(f"  {' '.join(order)}: {end}")
    return 1 if met.torn else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else len(KINDS))))
