"""Keep to the rate SES allows: recipients per second, shared by all processes (store/pace.py).

A process reserves a block of sending time at once and hands it out recipient by recipient, so a
fast account costs few writes. Time that has passed unused is lost, never saved up for a burst.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.errors import QuotaSpentError, RelayError, SendingPausedError
from backend.store import account, pace

if TYPE_CHECKING:
    from datetime import datetime

    from backend.model.views import AccountState
    from backend.ports import Clock, MailTransport
    from backend.store.engine import Database

FRESH = timedelta(seconds=60)
ASK_AGAIN = 10.0  # seconds between questions to a GetAccount that fails
FALLBACK_RATE = 1.0  # recipients per second: the rate of the SES sandbox
AHEAD = timedelta(seconds=5)  # a mail whose turn is further off goes back to the queue
_BLOCK_SECONDS = 0.25


@dataclass(slots=True)
class _Block:
    """Sending time this process has reserved and not yet handed out."""

    taken: datetime
    next: datetime
    until: datetime


class Pacer:
    """The pace as one process sees it: the block it holds and what SES last said."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._block: _Block | None = None
        self._known: AccountState | None = None
        self._asked = float("-inf")

    @property
    def known(self) -> AccountState | None:
        """Give what SES last said of the account, as far as this process has heard."""
        return self._known

    async def turn(
        self, db: Database, clock: Clock, *, rate: float, recipients: int
    ) -> tuple[datetime, bool]:
        """Give the moment ``recipients`` may be sent to and True, or when to ask and False."""
        span = timedelta(seconds=recipients / rate)
        async with self._lock:
            now = clock.now()
            block = self._block
            # a block from the future means that the wall clock was set back: it is dropped
            if block is not None and block.taken <= now:
                start = max(block.next, now)
                if start + span <= block.until:
                    block.next = start + span
                    return start, True
            length = max(span, timedelta(seconds=_BLOCK_SECONDS))
            start, ours = await db.write(pace.reserve, length, now=now, ahead=AHEAD)
            if ours:
                self._block = _Block(now, start + span, start + length)
            return start, ours

    async def account(
        self,
        db: Database,
        transport: MailTransport,
        clock: Clock,
        *,
        fresh: timedelta = FRESH,
    ) -> AccountState | None:
        """Give what SES says of the account, at most ``fresh`` old if SES answers."""
        async with self._lock:
            if _fresh(self._known, clock, fresh):
                return self._known
            self._known = await db.read(account.get)
            if _fresh(self._known, clock, fresh) or clock.monotonic() - self._asked < ASK_AGAIN:
                return self._known
            self._asked = clock.monotonic()
            try:
                self._known = await transport.account()
            except RelayError:
                return self._known  # the last word stands; asked again in ASK_AGAIN seconds
            await db.write(account.put, self._known)
            return self._known


def _fresh(known: AccountState | None, clock: Clock, fresh: timedelta) -> bool:
    return known is not None and abs(clock.now() - known.fetched_at) < fresh


def allowed_rate(state: AccountState | None) -> float:
    """Give the recipients per second we may send to.

    Raises SendingPausedError when the account may not send and QuotaSpentError when it has sent
    all it may in 24 hours.
    """
    if state is None:
        return FALLBACK_RATE
    if not state.sending_enabled or state.enforcement == "SHUTDOWN":
        raise SendingPausedError("SES has paused sending for this account; mail stays queued")
    # -1 stands for no limit
    if 0 <= state.max_24_hour_send <= state.sent_last_24_hours:
        raise QuotaSpentError(
            f"{state.sent_last_24_hours:,.0f} of {state.max_24_hour_send:,.0f} recipients of"
            " 24 hours are sent to; mail stays queued"
        )
    return state.max_send_rate if state.max_send_rate > 0 else FALLBACK_RATE
