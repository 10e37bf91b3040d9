"""Messages that are settled together: each gets its own answer, and none takes another along."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from backend.errors import LeaseLostError
from backend.inbound.pipeline import process
from backend.inbound.target_lines import TargetLines
from backend.model.inbound import InboundStatus, Stage
from backend.model.work import WorkKind
from backend.queue import items
from backend.store import explanations
from backend.store import inbound as store
from tests.integration.inbound_world import LoopbackTarget, World, answer

if TYPE_CHECKING:
    from backend.store.engine import Database
    from tests.settable import SettableClock

MAIL = (
    b"From: Jo <jo@client.example>\r\nSubject: Printer %d\r\nMessage-ID: <m%d@x.example>\r\n\r\nx"
)
DESK = "support@acme.example"
MANY = 12


async def test_a_lost_lease_among_many_undoes_only_its_own_message(world: World) -> None:
    arrived = [await world.arrive(MAIL % (n, n), DESK) for n in range(MANY)]
    claimed = [item for _ in range(MANY) if (item := await world.claim()) is not None]
    stale = claimed[3] = replace(claimed[3], fence=claimed[3].fence - 1)

    handled = (process(item, world.inbound) for item in claimed)
    ended = await asyncio.gather(*handled, return_exceptions=True)

    assert [type(end) for end in ended if end is not None] == [LeaseLostError]
    found = await world.db.read(store.get_many, arrived)
    stopped = found.pop(stale.ref)
    assert stopped.status is InboundStatus.RECEIVED
    assert {message.status for message in found.values()} == {InboundStatus.FORWARDED}
    for inbound_id in found:
        stages = [step.stage for step in await world.db.read(explanations.newest, inbound_id)]
        assert stages[0] is Stage.INTAKE
        assert stages[-2:] == [Stage.DELIVER, Stage.SETTLE]


async def test_of_an_item_held_under_two_fences_neither_counts_as_ours(
    any_db: Database, clock: SettableClock
) -> None:
    now = clock.now()
    await any_db.write(items.enqueue_all, WorkKind.INBOUND, {"a": now, "b": now})
    first, other = await any_db.write(
        items.claim, [WorkKind.INBOUND], "me", now=now, lease=timedelta(seconds=30), limit=2
    )
    old = replace(first, fence=first.fence - 1)

    assert await any_db.write(items.held, [first, other]) == {first.id, other.id}
    assert await any_db.write(items.held, [old, other]) == {other.id}
    assert await any_db.write(items.held, [old, first, other]) == {other.id}


async def test_a_line_to_a_target_is_used_again_and_survives_a_call_that_was_given_up() -> None:
    target = LoopbackTarget()
    await target.start()
    lines = TargetLines(seconds=0.2)
    try:
        target.script.append(None)
        target.script.append(answer(201, {"ticket_id": "1"}))
        with pytest.raises(httpx.HTTPError):
            await lines.post(f"{target.url}/tickets", content=b"{}", headers={})
        told = await lines.post(f"{target.url}/tickets", content=b"{}", headers={})
        assert told.status_code == 201
    finally:
        await lines.close()
        await target.stop()
