"""Many callers, one read: who asks while a read is under way shares the next one.

Reading about ten mails takes as many statements as reading about one, and handing a read to a
thread costs more than most reads. Nobody waits for company: a caller who finds nothing under way
begins at once. For writes the writer thread does the same (Database.write_gathered).
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, TypeAlias

from backend.errors import RelayError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from backend.store.types import Tx

    Answer: TypeAlias = Callable[[Tx, Sequence[Any]], Sequence[Any]]
    Key: TypeAlias = tuple[asyncio.AbstractEventLoop, Answer]
    Asked: TypeAlias = tuple[Any, asyncio.Future[Any]]  # about what, and who waits

MOST = 50  # questions one read answers


class GatheredReads:
    """Answers questions in batches, one after another for those of the same answer function.

    ``read`` runs a function on a reader's connection.
    """

    def __init__(
        self, read: Callable[[Callable[[Tx], Any]], Coroutine[Any, Any, Sequence[Any]]]
    ) -> None:
        self._read = read
        self._waiting: dict[Key, deque[Asked]] = {}
        self._under_way: dict[Key, asyncio.Future[None]] = {}

    def ask(self, answer: Answer, item: Any) -> asyncio.Future[Any]:
        """Have ``answer(tx, items)`` asked about an item, with the others that wait for it.

        Cancelling what is given withdraws the question and leaves the others alone.
        """
        loop = asyncio.get_running_loop()
        key = (loop, answer)
        mine = loop.create_future()
        if (waiting := self._waiting.get(key)) is not None:
            waiting.append((item, mine))
        else:
            self._waiting[key] = deque([(item, mine)])
            # a task of nobody's: no caller who is cancelled takes it along; it ends with the
            # reads its callers wait for, and begins when all of this turn of the loop have asked
            self._under_way[key] = asyncio.ensure_future(self._answer_all(key))
        return mine

    async def _answer_all(self, key: Key) -> None:
        """Answer batch after batch until nobody waits."""
        waiting = self._waiting[key]
        batch: list[Asked] = []
        try:
            while waiting:
                taken = [waiting.popleft() for _ in range(min(len(waiting), MOST))]
                batch = [(item, future) for item, future in taken if not future.cancelled()]
                if batch:
                    answers = await self._answers(key[1], [item for item, _ in batch])
                    _settle(batch, answers)
        finally:
            del self._waiting[key], self._under_way[key]
            for _, future in (*batch, *waiting):
                future.cancel()  # those without an answer, when the loop ends

    async def _answers(self, answer: Answer, items: Sequence[Any]) -> Sequence[Any]:
        try:
            return await self._read(lambda tx: _one_each(answer(tx, items), items))
        except RelayError as error:
            return [error] * len(items)
        except Exception as error:  # noqa: BLE001  # handed to who asked
            if len(items) == 1:
                return [error]
        # one bad row must not take the others along: each is asked about alone
        return [(await self._answers(answer, [item]))[0] for item in items]


def _one_each(answers: Sequence[Any], items: Sequence[Any]) -> Sequence[Any]:
    if len(answers) != len(items):
        raise ValueError(f"{len(items)} questions got {len(answers)} answers")
    return answers


def _settle(batch: Sequence[Asked], answers: Sequence[Any]) -> None:
    for (_, future), told in zip(batch, answers, strict=True):
        if future.done():
            continue  # its caller was cancelled meanwhile
        if isinstance(told, BaseException):
            future.set_exception(told)
        else:
            future.set_result(told)
