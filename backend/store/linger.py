"""When the writer begins: not at the first job, but when those that come with it have come.

Jobs that arrive together should share a commit, and one that comes while others are committed
should not begin a commit of its own a moment before its neighbours. So a loop that hands in work
lets turns of its own pass until one has brought nothing more; and when the group before was a
crowd, its size is waited for, a millisecond at most, twice. PostgreSQL's commit_delay and
commit_siblings do the same. A job that comes alone waits for one turn of an idle loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

CROWD = 5  # jobs of the last group from which it is worth waiting; commit_siblings' default
SECONDS = 0.0005  # the selector of asyncio rounds it up to a millisecond
_LOOKS = 2
_TURNS = 10


class Linger:
    """Calls ``release`` when no more work is to be expected for now.

    ``arrived`` and ``waiting`` tell how many jobs were handed in so far and how many wait. It runs
    on the loops that hand in, one look at a time for each of them.
    """

    def __init__(
        self, release: Callable[[], None], arrived: Callable[[], int], waiting: Callable[[], int]
    ) -> None:
        self.last_group = 0
        self._release = release
        self._arrived = arrived
        self._waiting = waiting
        self._looking: dict[asyncio.AbstractEventLoop, asyncio.Handle] = {}

    def expect(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to look after a job was handed in from ``loop``; only its own thread may call."""
        begun = self._looking.get(loop)
        if begun is None:
            self._soon(loop, _TURNS, _LOOKS)
        elif self._waiting() == self.last_group:  # as many as before: no need to wait for more
            begun.cancel()
            self._soon(loop, _TURNS, 0)

    def _soon(self, loop: asyncio.AbstractEventLoop, turns: int, looks: int) -> None:
        self._looking[loop] = loop.call_soon(self._look, loop, self._arrived(), turns, looks)

    def _look(self, loop: asyncio.AbstractEventLoop, arrived: int, turns: int, looks: int) -> None:
        now = self._arrived()
        if now != arrived and turns:
            self._soon(loop, turns - 1, looks)
        elif looks and self.last_group >= CROWD and self._waiting() < self.last_group:
            later = loop.call_later(SECONDS, self._look, loop, now, turns, looks - 1)
            self._looking[loop] = later
        else:
            del self._looking[loop]
            self._release()
