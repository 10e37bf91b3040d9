"""The whole way on both databases: accept once, send once, hear of it, and act on it once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from backend.errors import AllSuppressedError, UnknownOutcomeError
from backend.feedback.apply import Stamp, apply_event
from backend.model.feedback import EventKind, FeedbackEvent, RecipientNews
from backend.model.outbound import Accepted
from backend.model.stats import Counter
from backend.outbound.accept import accept
from backend.store import attempts, counters, outbox
from tests.outbound_world import DRAFT, TENANT, make_world

if TYPE_CHECKING:
    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock

WHO = "ann@client.example"


async def test_one_promise_is_one_mail_one_bounce_and_one_suppression(
    any_db: Database, clock: SettableClock, ids: CountingIds
) -> None:
    world = await make_world(any_db, clock, ids)
    calls = (accept(world.outbound, TENANT, DRAFT, idempotency_key="k") for _ in range(10))
    ended = await asyncio.gather(*calls, return_exceptions=True)
    (email_id,) = {one.email_id for one in ended if isinstance(one, Accepted)}
    world.transport.answers = [UnknownOutcomeError("read timeout")]
    await world.work()

    (attempt,) = await any_db.read(attempts.of_email, email_id)
    bounce = FeedbackEvent(
        source_id="sns-1",
        kind=EventKind.BOUNCE,
        ses_message_id="ses-lost",
        attempt_id=attempt.id,
        occurred_at=clock.advance(1),
        recipients=(RecipientNews(address=WHO, detail="550 5.1.1 no such user"),),
        subtype="Permanent/General",
        feedback_id="fb-1",
    )
    copies = [replace(bounce, source_id=f"sns-{n}") for n in range(5)]
    stamp = Stamp(at=clock.now(), ids=ids)
    told = await asyncio.gather(*(any_db.write(apply_event, copy, stamp) for copy in copies))
    clock.advance(3600)
    await world.work()

    assert sorted(told) == [False] * 4 + [True]
    assert len(world.transport.mails) == 1
    assert await world.statuses(email_id) == ["bounced"]
    totals = await any_db.read(counters.totals)
    assert [totals[c] for c in (Counter.ACCEPTED, Counter.SENT, Counter.BOUNCED)] == [1, 1, 1]
    types = [event.type.rpartition(".")[2] for event in await any_db.read(outbox.unpublished, 9)]
    assert types == ["accepted", "sent", "bounced"]
    with pytest.raises(AllSuppressedError, match="bounce since 2026-03-02"):
        await accept(world.outbound, TENANT, DRAFT)
