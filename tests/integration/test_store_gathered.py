"""Jobs and questions that gather: one call for many, and each still gets its own answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from backend.errors import DatabaseBusyError, NotFoundError
from backend.store.schema import tenants
from tests.settable import START

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.store.engine import Database
    from backend.store.types import Tx


class Adding:
    """Adds tenants by name and notes how many it was given at once."""

    def __init__(self) -> None:
        self.groups: list[int] = []

    def add(self, tx: Tx, names: Sequence[str]) -> list[str | NotFoundError]:
        """Add all but those called "no"; one called "boom" fails the whole call."""
        self.groups.append(len(names))
        right = [name for name in names if not name.startswith("no")]
        if right:
            rows = [{"id": name, "name": name, "created_at": START} for name in right]
            tx.execute(insert(tenants), rows)
        if "boom" in names:
            raise RuntimeError("boom")
        return [name if name in right else NotFoundError(name) for name in names]


def names(tx: Tx) -> list[str]:
    return list(tx.execute(select(tenants.c.name).order_by(tenants.c.name)).scalars())


async def test_those_who_wait_together_are_done_by_one_call(any_db: Database) -> None:
    adding = Adding()
    wanted = [f"t{n:03d}" for n in range(100)]
    told = await asyncio.gather(*(any_db.write_gathered(adding.add, name) for name in wanted))

    assert list(told) == wanted
    assert await any_db.read(names) == wanted
    assert len(adding.groups) < 50


async def test_an_error_reaches_only_the_one_it_is_about(db: Database) -> None:
    adding = Adding()
    calls = [db.write_gathered(adding.add, name) for name in ("a", "no1", "b", "no2")]
    told = await asyncio.gather(*calls, return_exceptions=True)

    assert [str(one) for one in told] == ["a", "no1", "b", "no2"]
    assert [isinstance(one, NotFoundError) for one in told] == [False, True, False, True]
    assert await db.read(names) == ["a", "b"]


async def test_one_that_spoils_the_call_is_alone_in_its_failure(db: Database) -> None:
    adding = Adding()
    calls = [db.write_gathered(adding.add, name) for name in ("a", "boom", "b", "a")]
    told = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(one).__name__ for one in told] == ["str", "RuntimeError", "str", "IntegrityError"]
    assert await db.read(names) == ["a", "b"]


async def test_gathered_and_single_jobs_keep_out_of_each_others_way(db: Database) -> None:
    adding = Adding()

    def one(tx: Tx, name: str) -> int:
        return len(adding.add(tx, [name]))

    calls = [
        db.write_gathered(adding.add, f"g{n}") if n % 2 else db.write(one, f"s{n}")
        for n in range(20)
    ]
    await asyncio.gather(*calls)

    assert len(await db.read(names)) == 20


async def test_questions_of_one_turn_are_answered_by_one_read(any_db: Database) -> None:
    asked: list[int] = []

    def lengths(tx: Tx, words: Sequence[str]) -> list[int | NotFoundError]:
        asked.append(len(words))
        assert tx.execute(select(tenants.c.id)).all() == []
        return [len(word) or NotFoundError("empty") for word in words]

    calls = [any_db.read_gathered(lengths, "x" * n) for n in range(5)]
    told = await asyncio.gather(*calls, return_exceptions=True)

    assert asked == [5]
    assert told[1:] == [1, 2, 3, 4]
    assert isinstance(told[0], NotFoundError)


async def test_a_question_that_fails_fails_for_all_who_asked(db: Database) -> None:
    def broken(_tx: Tx, words: Sequence[str]) -> list[str]:
        raise DatabaseBusyError(f"{len(words)} asked")

    calls = [db.read_gathered(broken, word) for word in "abc"]
    told = await asyncio.gather(*calls, return_exceptions=True)

    assert [str(one) for one in told] == ["3 asked"] * 3


async def test_who_stops_waiting_takes_no_answer_from_the_others(db: Database) -> None:
    def echo(_tx: Tx, words: Sequence[str]) -> list[str]:
        return list(words)

    asking = [asyncio.ensure_future(db.read_gathered(echo, word)) for word in "abc"]
    await asyncio.sleep(0)
    asking[1].cancel()

    assert await asking[0] == "a"
    assert await asking[2] == "c"
    with pytest.raises(asyncio.CancelledError):
        await asking[1]
