"""The verbs of usage for the command line and the API; ``backend.usage``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.store import usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.bus.books import Books
    from backend.model.usage import UsageDay, UsageQuery, UsageReport
    from backend.store.engine import Database


class UsageDesk:
    """What tenants used, and whether Books knows; every verb may raise a RelayError."""

    def __init__(self, db: Database, books: Books) -> None:
        self._db = db
        self._books = books

    async def days(self, query: UsageQuery) -> Sequence[UsageDay]:
        """Give the days on which something was counted, by day and tenant."""
        return await self._db.read(usage.days, query)

    async def post(self) -> UsageReport:
        """Tell Books now what it does not know; raises InvalidInputError when there is none."""
        return await self._books.post_due()
