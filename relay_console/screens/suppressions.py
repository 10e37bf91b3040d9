"""Suppressions: the addresses we must not send to; the only list a technician edits by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from backend import NotFoundError
from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.safe import safe
from relay_console.screens.add_suppression import AddSuppression, NewSuppression
from relay_console.screens.area import AreaScreen
from relay_console.screens.confirm import Confirm
from relay_console.screens.detail import DetailScreen
from relay_console.screens.path_form import PathForm
from relay_console.screens.suppression_files import export_file, import_file, told
from relay_console.viewmodel.details import suppression_page
from relay_console.viewmodel.filters import suppression_query
from relay_console.viewmodel.rows import SUPPRESSION_COLUMNS
from relay_console.viewmodel.sources import SuppressionSource
from relay_console.viewmodel.words import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

    from backend import Suppression
    from relay_console.session import Session
    from relay_console.viewmodel.page import Page
    from relay_console.viewmodel.table import RowSource, TableRow


_FOUND = 1000
"""Entries looked through for one address, which may be part of longer ones."""


class SuppressionsScreen(AreaScreen):
    """Additions, removals and imports of this session can be undone, newest first."""

    area = Scope.SUPPRESSIONS
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.SUPPRESSIONS)
    columns = SUPPRESSION_COLUMNS
    noun = "suppressed address"
    nouns = "suppressed addresses"
    hint = "reason:bounce  scope:global  kind:domain  state:review  tenant:name  text"
    empty = (
        "No address is suppressed.\n"
        "\n"
        "Hard bounces and complaints come here by themselves; a adds one by hand,\n"
        "i imports a file. state:review shows complaints that may be of several."
    )

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._done: list[tuple[str, Sequence[Suppression]]] = []

    def source(self, line: str) -> RowSource:
        """Make the row source of a filter line."""
        return SuppressionSource(self.session, line)

    def open_row(self, row: TableRow) -> None:
        """Open an entry."""
        session, line = self.session, self.filter_bar.line

        async def load() -> Page:
            tenants = await session.tenants()
            wanted = suppression_query(line, tenants)
            query = replace(wanted, text=row.copy)
            entries = await (await session.service()).suppressions(query, 0, _FOUND)
            for entry in entries:
                if entry.id == row.key:
                    names = await session.tenant_names({entry.tenant_id})
                    return suppression_page(entry, names)
            raise NotFoundError("This address is no longer on the list.")

        self.app.push_screen(DetailScreen(session, self.area, load))

    def action_add(self) -> None:
        """Ask for an address and put it on the list."""
        self.act(self._add)

    async def _add(self) -> None:
        tenants = await self.session.tenants()
        form = AddSuppression(tenants)
        new: NewSuppression | None = await self.app.push_screen_wait(form)
        if new is None:
            return
        service = await self.session.service()
        ends = self.session.clock() + timedelta(days=new.days) if new.days else None
        entry = await service.add_suppression(
            new.tenant_id,
            new.address,
            detail=new.detail,
            actor=self.session.actor,
            expires_at=ends,
        )
        self._done.append(("added", (entry,)))
        self.tell(safe(f"{entry.address} is suppressed; u takes it off again."))
        self.reload()

    def action_remove(self) -> None:
        """Ask, then take the chosen addresses off the list."""
        chosen = self.table.window.chosen()
        if chosen:
            row = self.table.window.current
            about = (
                row.copy
                if row and chosen == (row.key,)
                else plural(len(chosen), "address", "addresses")
            )
            self.act(partial(self._remove, chosen, about))

    async def _remove(self, chosen: Sequence[str], about: str) -> None:
        question = safe(f"Take {about} off the suppression list?")
        warning = safe("Mail will be sent there again. u undoes this.")
        if not await self.app.push_screen_wait(Confirm(question, warning)):
            return
        service = await self.session.service()
        removed: list[Suppression] = []
        try:
            for entry_id in chosen:
                removed.append(  # noqa: PERF401  # what was done before an error must be kept
                    await service.remove_suppression(entry_id, actor=self.session.actor)
                )
        finally:
            self._removed(removed)

    def _removed(self, removed: Sequence[Suppression]) -> None:
        if removed:
            self._done.append(("removed", removed))
            self.table.action_unmark()
            count = plural(len(removed), "address", "addresses")
            self.tell(safe(f"{count} taken off the list; u undoes it."))
            self.reload()

    def action_accept(self) -> None:
        """Ask, then suppress the chosen complaints that wait for review."""
        if chosen := self.table.window.chosen():
            self.act(partial(self._accept, chosen))

    async def _accept(self, chosen: Sequence[str]) -> None:
        question = safe(f"Suppress {plural(len(chosen), 'address', 'addresses')} after review?")
        warning = safe("No more mail will be sent there. D dismisses a complaint instead.")
        if not await self.app.push_screen_wait(Confirm(question, warning)):
            return
        desk, actor = (await self.session.service()).suppression_desk, self.session.actor
        for entry_id in chosen:
            await desk.accept(entry_id, actor=actor)
        self.table.action_unmark()
        self.tell(safe(f"{plural(len(chosen), 'address', 'addresses')} suppressed."))
        self.reload()

    def action_import_list(self) -> None:
        """Ask for a file, tell what would come of it, and import it."""
        self.act(self._import)

    async def _import(self) -> None:
        title, hint = safe("Import a list"), safe("CSV, JSON lines, or a list as SES gives it")
        named = await self.app.push_screen_wait(PathForm(title, hint, await self.session.tenants()))
        if named is None:
            return
        desk, actor = (await self.session.service()).suppression_desk, self.session.actor
        would = await import_file(desk, named, dry_run=True, actor=actor)
        question = safe(f"Import {plural(would.added, 'entry', 'entries')}?")
        if not await self.app.push_screen_wait(Confirm(question, safe(told(would)))):
            return
        report = await import_file(desk, named, dry_run=False, actor=actor)
        self._done.append((report.id, ()))
        self.tell(safe(f"{told(report)} u takes them off again."))
        self.reload()

    def action_export_list(self) -> None:
        """Ask for a new file and write what the filter shows into it."""
        self.act(self._export)

    async def _export(self) -> None:
        title = safe("Export what the filter shows")
        hint = safe("A new file; .jsonl for JSON lines, else CSV")
        named = await self.app.push_screen_wait(PathForm(title, hint, None))
        if named is None:
            return
        query = suppression_query(self.filter_bar.line, await self.session.tenants())
        desk = (await self.session.service()).suppression_desk
        self.tell(safe(f"Written to {await export_file(desk, query, named.path)}."))

    def action_undo(self) -> None:
        """Undo the last addition, removal or import of this session."""
        if self._done:
            self.act(self._undo)
        else:
            self.tell(safe("There is nothing of yours to undo."))

    async def _undo(self) -> None:
        what, entries = self._done.pop()
        service, actor = await self.session.service(), self.session.actor
        if what not in {"added", "removed"}:
            gone = await service.suppression_desk.undo_import(what, actor=actor)
            self.tell(safe(f"{plural(gone, 'entry', 'entries')} of the import off the list again."))
            self.reload()
            return
        for entry in entries:
            if what == "removed":
                await service.restore_suppression(entry, actor=actor)
            else:
                await service.remove_suppression(entry.id, actor=actor)
        count = plural(len(entries), "address", "addresses")
        undone = "back on the list" if what == "removed" else "off the list again"
        self.tell(safe(f"{count} {undone}."))
        self.reload()
