"""Mail out side by side: how many large mails lie in memory at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from backend.model.outbound import Attachment
from backend.outbound.accept import accept
from backend.outbound.batches import SMALL
from backend.outbound.context import LARGE_AT_ONCE
from backend.outbound.send import process
from tests.outbound_world import DRAFT, TENANT, make_world

if TYPE_CHECKING:
    import pytest

    from backend.ports import OutgoingMail
    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock


async def test_of_large_mails_only_a_few_are_in_hand_and_small_ones_pass_them(
    db: Database, clock: SettableClock, ids: CountingIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await make_world(db, clock, ids)
    file = Attachment(filename="a.bin", content=bytes(SMALL), content_type="application/x-a")
    drafts = [replace(DRAFT, attachments=(file,))] * (LARGE_AT_ONCE + 2) + [DRAFT] * 3
    for draft in drafts:
        await accept(world.outbound, TENANT, draft)
    inside, most, small = 0, 0, 0
    release = asyncio.Event()

    async def slow(mail: OutgoingMail) -> str:
        nonlocal inside, most, small
        is_small = len(mail.raw) < SMALL
        small, inside = small + is_small, inside + (not is_small)
        most = max(most, inside)
        if (small, inside) == (3, LARGE_AT_ONCE):
            release.set()
        if not is_small:
            await release.wait()
            inside -= 1
        return mail.tags["relay-attempt"]

    monkeypatch.setattr(world.transport, "send", slow)
    claimed = await world.claim()
    async with asyncio.timeout(30):
        await asyncio.gather(*(process(item, world.outbound) for item in claimed))

    assert (len(claimed), small, most) == (len(drafts), 3, LARGE_AT_ONCE)
    clock.advance(3600)
    assert await world.work() == 0
