"""Many callers, one read: who asks while a batch is being read shares the next one.

Reading one mail takes a handful of statements; reading ten together takes the same handful. Nobody
waits for company: a caller who finds nothing under way begins at once. For writes the writer thread
does the same (Database.write_gathered).
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from backend.errors import RelayError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backend.store.engine import Database
    from backend.store.types import Tx

A = TypeVar("A")
R = TypeVar("R")

MOST = 50  # questions one read answers


class Together(Generic[A, R]):
    """Answers questions in batches by one function that reads.

    ``answer`` gets an open transaction and some questions and gives an answer for each, in order.
    """

    def __init__(self, answer: Callable[[Tx, Sequence[A]], Sequence[R]]) -> None:
        self._answer = answer
        self._waiting: deque[tuple[A, asyncio.Future[R]]] = deque()
        self._turn = asyncio.Lock()

    async def ask(self, db: Database, question: A) -> R:
        """Give the answer to a question; raises what ``answer`` or the store raised."""
        mine: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, mine))
        try:
            async with self._turn:
                while self._waiting and not mine.done():
                    # who leads a batch and is cancelled must not take the others' answers along
                    await asyncio.shield(self._lead(db))
            return await mine
        finally:
            mine.cancel()  # when cancelled before its batch began, the question is withdrawn

    async def _lead(self, db: Database) -> None:
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
        batch = [(question, future) for question, future in taken if not future.cancelled()]
        if not batch:
            return
        answers = await self._answers(db, [question for question, _ in batch])
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():
                continue  # who asked was cancelled meanwhile
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    async def _answers(self, db: Database, questions: Sequence[A]) -> Sequence[R | Exception]:
        try:
            return await db.read(self._answer, questions)
        except RelayError as error:
            return [error] * len(questions)
        except Exception as error:  # noqa: BLE001  # handed to who asked
            if len(questions) == 1:
                return [error]
        # one bad row must not take the others along: each is asked about alone
        return [(await self._answers(db, [question]))[0] for question in questions]
