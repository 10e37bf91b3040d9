"""The row source of the Alerts screen: there are few tenants, all are read. No Textual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relay_console.viewmodel.standings import standing_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relay_console.session import Session
    from relay_console.viewmodel.table import TableRow


@dataclass(frozen=True, slots=True)
class StandingSource:
    """The account and the tenants whose name holds the filter line."""

    session: Session
    line: str = ""

    async def _rows(self) -> list[TableRow]:
        service = await self.session.service()
        report = await service.compliance.report()
        names = {tenant.id: tenant.name for tenant in await self.session.tenants()}
        return standing_rows(report, names, self.session.clock(), self.line)

    async def count(self) -> int:
        """Count the rows."""
        return len(await self._rows())

    async def page(self, start: int, size: int) -> Sequence[TableRow]:
        """Give a page, the worst first."""
        return (await self._rows())[start : start + size]
