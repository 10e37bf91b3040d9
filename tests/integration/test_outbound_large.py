"""Mail out side by side: who asks together, and how many large mails lie in memory at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from backend.errors import DatabaseBusyError
from backend.model.outbound import Attachment
from backend.outbound.accept import accept
from backend.outbound.batches import SMALL
from backend.outbound.context import LARGE_AT_ONCE
from backend.outbound.send import process
from backend.outbound.together import Together
from tests.outbound_world import DRAFT, TENANT, make_world

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from backend.ports import OutgoingMail
    from backend.store.engine import Database
    from backend.store.types import Tx
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


async def test_questions_that_come_together_are_answered_by_one_read(db: Database) -> None:
    batches: list[int] = []

    def answer(_: Tx, questions: Sequence[int]) -> Sequence[int]:
        batches.append(len(questions))
        if 13 in questions and len(questions) > 1:
            raise ValueError("spoils it for all")
        if questions == [13]:
            raise ZeroDivisionError("thirteen")
        return [2 * question for question in questions]

    together: Together[int, int] = Together(answer)
    answers = await asyncio.gather(
        *(together.ask(db, n) for n in range(12)), return_exceptions=True
    )
    assert answers == [2 * n for n in range(12)]
    assert (sum(batches), len(batches) <= 2) == (12, True)

    spoilt = await asyncio.gather(
        *(together.ask(db, n) for n in (12, 13, 14)), return_exceptions=True
    )
    assert (spoilt[0], spoilt[2]) == (24, 28)
    assert isinstance(spoilt[1], ZeroDivisionError)


async def test_who_is_cancelled_takes_nobodys_answer_along(db: Database) -> None:
    together: Together[int, int] = Together(lambda _, questions: list(questions))
    first = asyncio.ensure_future(together.ask(db, 1))
    others = [asyncio.ensure_future(together.ask(db, n)) for n in (2, 3)]
    await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(10):
        assert await asyncio.gather(*others) == [2, 3]


async def test_a_database_that_is_away_is_told_to_everyone(db: Database) -> None:
    together: Together[int, int] = Together(lambda _, questions: list(questions))
    db.close()
    ended = await asyncio.gather(*(together.ask(db, n) for n in range(3)), return_exceptions=True)
    assert [type(one) for one in ended] == [DatabaseBusyError] * 3
