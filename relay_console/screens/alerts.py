"""Alerts: what is wrong in whole sentences, the rates of every tenant, and holding mail back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.health import read_health
from relay_console.safe import NOTHING, safe
from relay_console.screens.area import AreaScreen
from relay_console.screens.ask_text import AskText
from relay_console.screens.confirm import Confirm
from relay_console.screens.detail import DetailScreen
from relay_console.viewmodel.standing_source import StandingSource
from relay_console.viewmodel.standings import (
    ACCOUNT,
    STANDING_COLUMNS,
    Trouble,
    standing_page,
    trouble_page,
)
from relay_console.viewmodel.words import plural
from relay_console.widgets.page_view import PageView

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from relay_console.safe import SafeText
    from relay_console.screens.detail import Loader
    from relay_console.session import Session
    from relay_console.viewmodel.page import Page
    from relay_console.viewmodel.table import RowSource, TableRow


class AlertsScreen(AreaScreen):
    """The tenants above, everything that is wrong below."""

    area = Scope.ALERTS
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.ALERTS)
    columns = STANDING_COLUMNS
    noun = "tenant"
    hint = "part of the name of a tenant"
    empty = "No tenant yet.\n\nAdd one with: relay-console tenants add NAME"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._said: SafeText = NOTHING

    def compose_below(self) -> ComposeResult:
        """Put what is wrong below the tenants."""
        yield PageView(id="alerts")

    def source(self, line: str) -> RowSource:
        """Make the row source of a filter line."""
        return StandingSource(self.session, line)

    @property
    def alerts(self) -> PageView:
        """The page of what is wrong."""
        return self.query_one("#alerts", PageView)

    def reload(self) -> None:
        """Read both again."""
        super().reload()
        self.start(self._load, "alerts")

    async def _load(self) -> None:
        service = await self.session.service()
        trouble = Trouble(
            health=await read_health(service),
            past=tuple(await service.compliance.past_alerts(20)),
            backlog=await service.webhooks.backlog(),
        )
        page = trouble_page(trouble, self.session.clock())
        self.alerts.show(page)
        self._said = page.title
        self._describe()

    def _count_words(self) -> SafeText:
        return safe("   ".join(part for part in (self._said, self.filter_bar.headline) if part))

    def failed(self, sentence: SafeText) -> None:
        """Say why the page cannot be had; the table says its own."""
        self.alerts.say(sentence)

    def open_row(self, row: TableRow) -> None:
        """Open the rates of a tenant, or of the account."""
        self.app.push_screen(DetailScreen(self.session, self.area, self._page_of(row.key)))

    def _page_of(self, key: str) -> Loader:
        session = self.session

        async def load() -> Page:
            service = await session.service()
            names = {tenant.id: tenant.name for tenant in await session.tenants()}
            report = await service.compliance.report()
            return standing_page(report, await service.webhooks.endpoints(), key, names)

        return load

    def action_other_pane(self) -> None:
        """Go to the alerts, and back."""
        (self.table if self.alerts.has_focus else self.alerts).focus()

    def action_brake(self) -> None:
        """Ask why, ask once more, then hold the mail of the tenant under the cursor back."""
        if tenant := self._tenant("Only a tenant can be held back; the account is in SES's hands."):
            self.act(partial(self._brake, *tenant))

    def action_lift(self) -> None:
        """Ask, then let the mail of the tenant under the cursor go on."""
        if tenant := self._tenant("Choose a tenant; the account as a whole is not held back here."):
            self.act(partial(self._lift, *tenant))

    def _tenant(self, otherwise: str) -> tuple[str, SafeText] | None:
        row = self.table.window.current
        if row is None:
            return None
        if row.key == ACCOUNT:
            self.tell(safe(otherwise))
            return None
        return row.key, row.cells[1]

    async def _brake(self, tenant_id: str, name: SafeText) -> None:
        question = safe(f"Hold back the mail of {name}?")
        about = safe("Say why; everybody on call reads it.")
        example = safe("imported a bought list, ticket 1042")
        reason = await self.app.push_screen_wait(AskText(question, about, example))
        warning = safe("What it hands in is accepted and waits. R lets it go on.")
        if reason is None or not await self.app.push_screen_wait(Confirm(question, warning)):
            return
        service = await self.session.service()
        await service.compliance.brake(tenant_id, reason=reason, actor=self.session.actor)
        self.tell(safe(f"The mail of {name} waits; R lets it go on."))
        self.reload()

    async def _lift(self, tenant_id: str, name: SafeText) -> None:
        service = await self.session.service()
        report = await service.compliance.report()
        if tenant_id not in {brake.tenant_id for brake in report.brakes}:
            self.tell(safe(f"The mail of {name} is not held back."))
            return
        question = safe(f"Let the mail of {name} go on?")
        warning = safe("What waits is sent now. It is not held back by itself for a day.")
        if not await self.app.push_screen_wait(Confirm(question, warning)):
            return
        woken = await service.compliance.lift(tenant_id, actor=self.session.actor)
        self.tell(safe(f"{name} sends again; {plural(woken, 'mail')} waited."))
        self.reload()
