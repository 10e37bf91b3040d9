"""Domains: what SES says of each, and the DNS records its owner publishes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on

from backend import NotFoundError
from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.safe import NOTHING, SafeText, safe
from relay_console.screens.area import AreaScreen
from relay_console.screens.detail import DetailScreen
from relay_console.viewmodel.details import domain_page
from relay_console.viewmodel.rows import DOMAIN_COLUMNS, RECORD_COLUMNS
from relay_console.viewmodel.sources import DomainSource, RecordSource
from relay_console.widgets.vtable import VirtualTable

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from relay_console.screens.detail import Loader
    from relay_console.viewmodel.page import Page
    from relay_console.viewmodel.table import RowSource, TableRow


class DomainsScreen(AreaScreen):
    """The domains above, the records of the one under the cursor below."""

    area = Scope.DOMAINS
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.DOMAINS)
    columns = DOMAIN_COLUMNS
    noun = "domain"
    hint = "part of a domain or tenant name"
    empty = "No domain yet.\n\nAdd one with: relay-console domains add NAME --tenant TENANT"

    def compose_below(self) -> ComposeResult:
        """Put the records below the domains."""
        yield VirtualTable(RECORD_COLUMNS, empty="This domain needs no records.", id="records")

    def source(self, line: str) -> RowSource:
        """Make the row source of a filter line."""
        return DomainSource(self.session, line)

    @property
    def records(self) -> VirtualTable:
        """The table of records."""
        return self.query_one("#records", VirtualTable)

    @on(VirtualTable.Moved, "#rows")
    def _show_records(self) -> None:
        row = self.table.window.current
        self.start(partial(self._load_records, row.key if row else ""), "records")

    async def _load_records(self, domain_id: str) -> None:
        service = await self.session.service()
        found = [d for d in await service.domains() if d.domain.id == domain_id]
        self.records.show(RecordSource(found[0] if found else None))

    def open_row(self, row: TableRow) -> None:
        """Open the domain with its records in full; a record opens its domain."""
        del row
        if domain := self.table.window.current:
            load = self._page_of(domain.key)
            self.app.push_screen(DetailScreen(self.session, self.area, load))

    def _page_of(self, domain_id: str) -> Loader:
        session = self.session

        async def load() -> Page:
            for detail in await (await session.service()).domains():
                if detail.domain.id == domain_id:
                    return domain_page(detail)
            raise NotFoundError("This domain is no longer there.")

        return load

    def action_check(self) -> None:
        """Ask SES for the state of the domain under the cursor."""
        if row := self.table.window.current:
            self.act(partial(self._check, row.key))

    async def _check(self, domain_id: str) -> None:
        service = await self.session.service()
        detail = await service.refresh_domain(domain_id, actor=self.session.actor)
        status = detail.domain.status
        self.tell(safe(f"{detail.domain.name} is {status}. {status.sentence}"))
        self.reload()

    def action_other_pane(self) -> None:
        """Go to the records, and back."""
        (self.table if self.records.has_focus else self.records).focus()

    def _row_note(self) -> SafeText:
        """Give what the record under the cursor is for while the records have the keys."""
        if not self.records.has_focus:
            return super()._row_note()
        row = self.records.window.current
        return row.note if row else NOTHING

    def on_descendant_focus(self) -> None:
        """Speak of the pane that has the keys now."""
        self._describe()

    def action_copy(self) -> None:
        """Copy the record under the cursor, or the name of the domain."""
        table = self.records if self.records.has_focus else self.table
        if row := table.window.current:
            self.copy_text(row.copy)
