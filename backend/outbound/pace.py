"""Keep to the rate SES allows: recipients per second, shared by all processes (store/pace.py).

A process reserves a block of sending time at once and hands it out recipient by recipient, so a
fast account costs few writes. Time that has passed unused is lost, never saved up for a burst.
What is left of the 24-hour quota is never sent faster than SES is asked for it.
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
FRESHEST = timedelta(seconds=1)  # SES allows one call a second
ASK_FOR = 5.0  # seconds: all mail waits for the answer
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
    share: float  # the part of the rate it was reckoned with


class Pacer:
    """The pace as one process sees it: the block it holds and what SES last said."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._block: _Block | None = None
        self._known: AccountState | None = None
        self._ask_at = float("-inf")

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
                end = start + span / block.share
                if end <= block.until:
                    block.next = end
                    return start, True
            length = max(span, timedelta(seconds=_BLOCK_SECONDS))
            got = await db.write(pace.reserve, length, now=now, ahead=AHEAD)
            if got.ours:
                first, whole = span / got.share, length / got.share
                self._block = _Block(now, got.start + first, got.start + whole, got.share)
            return got.start, got.ours

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
            if _fresh(self._known, clock, fresh) or clock.monotonic() < self._ask_at:
                return self._known
            self._ask_at = clock.monotonic() + ASK_AGAIN
            try:
                async with asyncio.timeout(ASK_FOR):
                    self._known = await transport.account()
            except (RelayError, TimeoutError):
                return self._known  # the last word stands; asked again in ASK_AGAIN seconds
            self._ask_at = clock.monotonic() + FRESHEST.total_seconds()
            await db.write(account.put, self._known)
            return self._known


def _fresh(known: AccountState | None, clock: Clock, fresh: timedelta) -> bool:
    return known is not None and abs(clock.now() - known.fetched_at) < min(fresh, lasts(known))


def lasts(state: AccountState) -> timedelta:
    """Give how long a word of SES may be gone by: until half of what it leaves may be sent."""
    if state.max_24_hour_send < 0:
        return FRESH
    left = state.max_24_hour_send - state.sent_last_24_hours
    return min(max(timedelta(seconds=left / 2 / _rate(state)), FRESHEST), FRESH)


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
    if state.max_24_hour_send < 0:
        return _rate(state)
    left = state.max_24_hour_send - state.sent_last_24_hours
    return min(_rate(state), max(left / FRESHEST.total_seconds(), FALLBACK_RATE))


def _rate(state: AccountState) -> float:
    return state.max_send_rate if state.max_send_rate > 0 else FALLBACK_RATE
