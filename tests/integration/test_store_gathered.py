"""Jobs and questions that gather: one call for many, and each still gets its own answer."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from backend.errors import DatabaseBusyError, NotFoundError
from backend.store.gathering import MOST
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


async def test_who_asks_while_a_read_is_under_way_shares_the_next(db: Database) -> None:
    asked: list[int] = []
    inside, go = threading.Event(), threading.Event()

    def double(_tx: Tx, numbers: Sequence[int]) -> list[int]:
        asked.append(len(numbers))
        inside.set()
        assert go.wait(30)
        return [2 * number for number in numbers]

    def other(_tx: Tx, numbers: Sequence[int]) -> list[int]:
        return list(numbers)

    first = asyncio.ensure_future(db.read_gathered(double, 0))
    assert await asyncio.to_thread(inside.wait, 30)  # alone, it waited for no company
    others = [asyncio.ensure_future(db.read_gathered(double, n)) for n in range(1, MOST + 4)]
    assert await db.read_gathered(other, 7) == 7  # another question need not wait for this one
    others[0].cancel()
    go.set()

    assert await first == 0
    assert await asyncio.gather(*others[1:]) == [2 * n for n in range(2, MOST + 4)]
    assert asked == [1, MOST - 1, 3]  # of the first fifty waiting one had left


async def test_one_that_spoils_the_read_is_alone_in_its_failure(any_db: Database) -> None:
    def lengths(tx: Tx, words: Sequence[str]) -> list[int]:
        if "x" in words and len(words) > 1:
            raise ValueError("spoils it for all")
        if words[0] == "x":
            tx.execute(text("SELECT no_such_column FROM tenants"))
        return [len(word) for word in words if word != "short"]

    calls = [any_db.read_gathered(lengths, word) for word in ("aa", "x", "short", "b")]
    told = await asyncio.gather(*calls, return_exceptions=True)

    assert (told[0], told[3]) == (2, 1)
    assert isinstance(told[1], DBAPIError)
    assert str(told[2]) == "1 questions got 0 answers"


async def test_a_database_that_is_away_is_told_to_everyone(db: Database) -> None:
    def echo(_tx: Tx, words: Sequence[str]) -> list[str]:
        return list(words)

    assert await db.read_gathered(echo, "a") == "a"
    db.close()
    ended = await asyncio.gather(
        *(db.read_gathered(echo, word) for word in "abc"), return_exceptions=True
    )

    assert [type(one) for one in ended] == [DatabaseBusyError] * 3


def test_a_loop_that_ends_leaves_the_next_one_nothing_to_wait_for(db: Database) -> None:
    go = threading.Event()

    def slow(_tx: Tx, words: Sequence[str]) -> list[str]:
        assert go.wait(30)
        return list(words)

    async def leave() -> list[asyncio.Future[str]]:
        asking = [asyncio.ensure_future(db.read_gathered(slow, word)) for word in "ab"]
        await asyncio.sleep(0)
        return list(asking)

    left = asyncio.run(leave())
    go.set()
    assert all(one.cancelled() for one in left)
    assert asyncio.run(db.read_gathered(slow, "c")) == "c"


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
    asking[0].cancel()

    assert await asyncio.gather(*asking[1:]) == ["b", "c"]
    with pytest.raises(asyncio.CancelledError):
        await asking[0]
