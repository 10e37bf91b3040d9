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
        self._looking: set[asyncio.AbstractEventLoop] = set()

    def expect(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to look after a job was handed in from ``loop``; only its own thread may call."""
        if loop not in self._looking:
            self._looking.add(loop)
            loop.call_soon(self._look, loop, self._arrived(), _TURNS, _LOOKS)

    def _look(self, loop: asyncio.AbstractEventLoop, arrived: int, turns: int, looks: int) -> None:
        now = self._arrived()
        if now != arrived and turns:
            loop.call_soon(self._look, loop, now, turns - 1, looks)
        elif looks and self.last_group >= CROWD and self._waiting() < self.last_group:
            loop.call_later(SECONDS, self._look, loop, now, turns, looks - 1)
        else:
            self._looking.discard(loop)
            self._release()
