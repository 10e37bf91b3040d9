"""Row sources: the pages of the service as table rows. No Textual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relay_console.viewmodel.filters import quarantine_query, suppression_query
from relay_console.viewmodel.rows import (
    domain_row,
    quarantine_row,
    record_row,
    suppression_row,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend import DomainDetail
    from relay_console.session import Session
    from relay_console.viewmodel.table import TableRow


@dataclass(frozen=True, slots=True)
class SuppressionSource:
    """The suppression list under one filter line."""

    session: Session
    line: str = ""

    async def count(self) -> int:
        """Count the entries."""
        service = await self.session.service()
        query = suppression_query(self.line, await self.session.tenants())
        return await service.count_suppressions(query)

    async def page(self, start: int, size: int) -> Sequence[TableRow]:
        """Give a page, newest first."""
        service = await self.session.service()
        query = suppression_query(self.line, await self.session.tenants())
        entries = await service.suppressions(query, start, size)
        names = await self.session.tenant_names({entry.tenant_id for entry in entries})
        now = self.session.clock()
        return [suppression_row(entry, names, now) for entry in entries]


@dataclass(frozen=True, slots=True)
class QuarantineSource:
    """Inbound mail that waits for a person, under one filter line."""

    session: Session
    line: str = ""

    async def count(self) -> int:
        """Count the messages."""
        service = await self.session.service()
        query = quarantine_query(self.line, await self.session.tenants(), self.session.clock())
        return await service.count_inbound(query)

    async def page(self, start: int, size: int) -> Sequence[TableRow]:
        """Give a page, newest first."""
        service = await self.session.service()
        query = quarantine_query(self.line, await self.session.tenants(), self.session.clock())
        messages = await service.inbound(query, start, size)
        names = await self.session.tenant_names({message.tenant_id for message in messages})
        now = self.session.clock()
        return [quarantine_row(message, names, now) for message in messages]


@dataclass(slots=True)
class DomainSource:
    """The domains whose name or tenant holds the filter line; there are few, all are read."""

    session: Session
    line: str = ""

    async def details(self) -> list[DomainDetail]:
        """Give the domains meant, by name."""
        wanted = self.line.lower()
        every = await (await self.session.service()).domains()
        return [d for d in every if wanted in f"{d.domain.name} {d.tenant_name}".lower()]

    async def count(self) -> int:
        """Count the domains."""
        return len(await self.details())

    async def page(self, start: int, size: int) -> Sequence[TableRow]:
        """Give a page, by name."""
        now = self.session.clock()
        return [domain_row(d, now) for d in (await self.details())[start : start + size]]


@dataclass(frozen=True, slots=True)
class RecordSource:
    """The records of one domain, which the screen has already."""

    detail: DomainDetail | None

    async def count(self) -> int:
        """Count the records."""
        return len(self.detail.records) if self.detail else 0

    async def page(self, start: int, size: int) -> Sequence[TableRow]:
        """Give a page, in the order of the domain."""
        records = self.detail.records if self.detail else ()
        return [record_row(record) for record in records[start : start + size]]
