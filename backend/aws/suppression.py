"""The account's own suppression list at SES: what it holds, and putting on and taking off.

SES allows one call a second for all that is not sending (facts: quotas), so calls are spaced and a
throttled one is tried again. An address is kept, found and deleted by exact case only.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from backend.errors import NotFoundError, ThrottledError
from backend.model.suppression import SuppressionReason
from backend.ports import HeldAddress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from backend.aws.client import Clients

SPACE = 1.0  # seconds between two calls
_PAGE = 1000  # addresses, the most SES gives at once
_TRIES = 6


class SesSuppressions:
    """Fulfils ports.AccountSuppressions; ``space`` is the seconds between two calls."""

    def __init__(self, clients: Clients, *, space: float = SPACE, page: int = _PAGE) -> None:
        self._clients = clients
        self._space = space
        self._page = page
        self._turn = asyncio.Lock()
        self._next = 0.0

    async def pages(self) -> AsyncIterator[list[HeldAddress]]:
        """Give the whole list, some at a time; raises TransientError."""
        token: dict[str, str] = {}
        while True:
            listing = partial(self._client().list_suppressed_destinations, PageSize=self._page)
            answer = await self._call(partial(listing, **token))
            yield [_held(row) for row in answer.get("SuppressedDestinationSummaries", ())]
            if not answer.get("NextToken"):
                return
            token = {"NextToken": answer["NextToken"]}

    async def holds(self, spelling: str) -> bool:
        """Tell whether SES holds back mail to an address, spelt exactly so."""
        try:
            await self._call(
                partial(self._client().get_suppressed_destination, EmailAddress=spelling)
            )
        except NotFoundError:
            return False
        return True

    async def put(self, address: str, reason: SuppressionReason) -> None:
        """Put an address on the list; SES takes bounces and complaints only.

        Raises RefusedError for an account that is still in SES's sandbox.
        """
        await self._call(
            partial(
                self._client().put_suppressed_destination,
                EmailAddress=address,
                Reason=reason.value.upper(),
            )
        )

    async def delete(self, spelling: str) -> bool:
        """Take an address, spelt exactly so, off the list; False when it was not on it."""
        try:
            await self._call(
                partial(self._client().delete_suppressed_destination, EmailAddress=spelling)
            )
        except NotFoundError:
            return False
        return True

    def _client(self) -> Any:
        return self._clients.service("sesv2")

    async def _call(self, function: Callable[[], Any]) -> Any:
        for attempt in range(1, _TRIES):
            await self._wait_for_turn()
            try:
                return await self._clients.call(function)
            except ThrottledError:
                await asyncio.sleep(self._space * 2**attempt)
        await self._wait_for_turn()
        return await self._clients.call(function)

    async def _wait_for_turn(self) -> None:
        loop = asyncio.get_running_loop()
        async with self._turn:
            wait = self._next - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            self._next = loop.time() + self._space


def _held(row: dict[str, Any]) -> HeldAddress:
    return HeldAddress(
        spelling=str(row["EmailAddress"]),
        reason=SuppressionReason(str(row["Reason"]).lower()),
        updated_at=row["LastUpdateTime"],
    )
