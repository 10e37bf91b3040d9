"""Reads that are asked for within one turn of the event loop share one connection and one thread.

Handing a read to a thread and its answer back costs more than the read itself.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from backend.store.types import Tx

    Answer = Callable[[Tx, Sequence[Any]], Sequence[Any]]

R = TypeVar("R")


class GatheredReads:
    """Collects questions until the loop's next turn; ``read`` runs a function on a reader."""

    def __init__(self, read: Callable[[Callable[[Tx], Any]], Coroutine[Any, Any, Any]]) -> None:
        self._read = read
        self._asked: dict[Any, list[tuple[Any, asyncio.Future[Any]]]] = {}

    def ask(self, answer: Answer, item: Any) -> asyncio.Future[Any]:
        """Have ``answer(tx, items)`` asked about an item, with the others of this turn."""
        loop = asyncio.get_running_loop()
        mine = loop.create_future()
        asked = self._asked.setdefault((loop, answer), [])
        asked.append((item, mine))
        if len(asked) == 1:
            loop.call_soon(self._start, loop, answer)
        return mine

    def _start(self, loop: asyncio.AbstractEventLoop, answer: Answer) -> None:
        asked = self._asked.pop((loop, answer))
        items = [item for item, future in asked if not future.cancelled()]
        futures = [future for _, future in asked if not future.cancelled()]
        if items:
            # it ends with the read, which the futures of its callers wait for
            running = asyncio.ensure_future(self._read(lambda tx: answer(tx, items)))
            running.add_done_callback(partial(_settle, futures))


def _settle(futures: Sequence[asyncio.Future[Any]], ended: asyncio.Future[Sequence[Any]]) -> None:
    failed = asyncio.CancelledError() if ended.cancelled() else ended.exception()
    answers = ended.result() if failed is None else [failed] * len(futures)
    for future, told in zip(futures, answers, strict=True):
        if future.done():
            continue  # its caller was cancelled meanwhile
        if isinstance(told, asyncio.CancelledError):
            future.cancel()
        elif isinstance(told, BaseException):
            future.set_exception(told)
        else:
            future.set_result(told)
