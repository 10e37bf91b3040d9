"""Rate limits in the database: exact under concurrency, over two servers and a restart."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from backend.access.keys import Keys
from backend.errors import InvalidInputError, NotFoundError, RateLimitedError
from backend.model.limits import NO_LIMITS, STANDARD, SendLimits, Window
from backend.model.outbound import Accepted, BatchAccepted, EmailStatus
from backend.model.tenant import KeyWish, Scope
from backend.outbound.accept import accept, accept_batch
from backend.outbound.limits_desk import LimitsDesk
from backend.store.engine import Database, open_database
from tests.outbound_world import DRAFT, OTHER_TENANT, TENANT, World, make_world

if TYPE_CHECKING:
    from backend.outbound.context import Outbound
    from tests.settable import CountingIds, SettableClock


@pytest.fixture
async def world(db: Database, clock: SettableClock, ids: CountingIds) -> World:
    return await make_world(db, clock, ids)


@pytest.fixture
async def any_world(any_db: Database, clock: SettableClock, ids: CountingIds) -> World:
    return await make_world(any_db, clock, ids)


def limited(outbound: Outbound, limits: SendLimits = STANDARD) -> Outbound:
    return replace(outbound, settings=replace(outbound.settings, limits=limits))


async def many(outbound: Outbound, n: int, **more: Any) -> list[Accepted]:
    calls = [accept(outbound, TENANT, DRAFT, **more) for _ in range(n)]
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(one) for one in ended} <= {Accepted, RateLimitedError}
    return [one for one in ended if isinstance(one, Accepted)]


async def test_of_a_hundred_parallel_sends_over_two_servers_exactly_ten_pass(
    any_world: World, any_url: str
) -> None:
    first = limited(any_world.outbound)
    other_db = open_database(any_url)
    second = replace(first, db=other_db, in_flight=set())
    passed = await asyncio.gather(many(first, 50), many(second, 50))

    assert len(passed[0]) + len(passed[1]) == 10

    other_db.close()
    reopened = open_database(any_url)  # a restart forgets nothing
    assert await many(replace(first, db=reopened), 5) == []
    reopened.close()
    any_world.clock.advance(1.05)
    assert len(await many(first, 100)) == 10


async def test_who_is_refused_is_told_when_to_come_back_and_leaves_no_trace(world: World) -> None:
    outbound = limited(world.outbound)
    await many(outbound, 10)

    with pytest.raises(RateLimitedError, match="limit of 10 per second is reached") as refused:
        await accept(outbound, TENANT, DRAFT, idempotency_key="k")
    standing = refused.value.standing

    assert refused.value.retry_after == 2
    assert (standing.limit, standing.remaining) == (10, 0)
    other = await accept(outbound, OTHER_TENANT, replace(DRAFT, sender="a@globex.example"))
    assert other.status is EmailStatus.QUEUED
    world.clock.advance(2)
    later = await accept(outbound, TENANT, DRAFT, idempotency_key="k")
    assert not later.replayed
    assert later.allowance is not None
    assert later.allowance.remaining == 9


async def test_all_windows_must_have_room_and_a_refused_mail_is_counted_in_none(
    world: World,
) -> None:
    outbound = limited(world.outbound, SendLimits(second=4, minute=6))
    desk = LimitsDesk(outbound)
    assert len(await many(outbound, 9)) == 4
    world.clock.advance(2)
    assert len(await many(outbound, 9)) == 2

    (state,) = await desk.show(TENANT)
    assert state.used == {Window.SECOND: 2, Window.MINUTE: 6, Window.HOUR: 6, Window.DAY: 6}


async def test_a_replay_is_not_counted(world: World) -> None:
    outbound = limited(world.outbound, SendLimits(minute=2))
    for _ in range(5):
        await accept(outbound, TENANT, DRAFT, idempotency_key="k")
    answer = await accept(outbound, TENANT, DRAFT, idempotency_key="k")

    assert answer.replayed
    assert answer.allowance is not None
    assert answer.allowance.remaining == 1


async def test_a_batch_counts_its_messages_and_passes_whole_or_not_at_all(world: World) -> None:
    outbound = limited(world.outbound, SendLimits(second=10, minute=60))
    drafts = [replace(DRAFT, subject=str(n)) for n in range(50)]
    batch = await accept_batch(outbound, TENANT, drafts)

    assert sum(isinstance(one, Accepted) for one in batch.results) == 50
    assert batch.allowance is not None
    assert batch.allowance.remaining == 0
    with pytest.raises(RateLimitedError):
        await accept(outbound, TENANT, DRAFT)  # the batch has taken five seconds
    world.clock.advance(5.05)
    with pytest.raises(RateLimitedError, match="60 per minute"):
        await accept_batch(outbound, TENANT, drafts[:11])
    assert isinstance(await accept_batch(outbound, TENANT, drafts[:10]), BatchAccepted)
    with pytest.raises(InvalidInputError, match="send smaller batches"):
        await accept_batch(outbound, TENANT, [DRAFT] * 61)


async def test_limits_are_set_for_a_tenant_and_for_one_of_its_keys(world: World) -> None:
    outbound = limited(world.outbound)
    desk = LimitsDesk(outbound)
    wish = KeyWish(tenant_id=TENANT, name="app", scopes=frozenset({Scope.SEND}))
    keys = Keys(world.db, world.clock, world.ids)
    key = (await keys.issue(wish, actor="test")).key
    await desk.set(TENANT, SendLimits(second=20), actor="ann")
    state = await desk.set(TENANT, SendLimits(second=5), actor="ann", key_id=key.id)

    assert state.holds == SendLimits(second=5, minute=100, hour=2_000, day=40_000)
    assert len(await many(outbound, 30, key_id=key.id)) == 5
    assert len(await many(outbound, 30)) == 15, "the tenant's 20, of which the key has used 5"
    shown = {one.key_id: one for one in await desk.show(TENANT)}
    assert shown[""].used[Window.SECOND] == 20
    assert (shown[key.id].used[Window.SECOND], shown[key.id].own) == (5, SendLimits(second=5))

    await desk.set(TENANT, NO_LIMITS, actor="ann")
    assert (await desk.show(TENANT))[0].holds == STANDARD
    for tenant, key_id in ((OTHER_TENANT, key.id), (TENANT, "nope"), ("ten_none", "")):
        with pytest.raises(NotFoundError):
            await desk.set(tenant, NO_LIMITS, actor="ann", key_id=key_id)
