"""The console: six areas as modes, one poller, one wall before the terminal."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import App

from backend import RelayError
from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.clipboard import Clipboard, cache_folder
from relay_console.edge import sentence_of
from relay_console.health import read_health
from relay_console.line_filter import StripControls
from relay_console.messages import Goto, HealthChanged, OpenMail, ServiceReady, VersionChanged
from relay_console.palette import Palette, RegistryCommands
from relay_console.profile import Profile, profile_from
from relay_console.safe import safe
from relay_console.screens.alerts import AlertsScreen
from relay_console.screens.area import AreaScreen
from relay_console.screens.charts import ChartsScreen
from relay_console.screens.domains import DomainsScreen
from relay_console.screens.help import Help
from relay_console.screens.live import LiveScreen
from relay_console.screens.logs import LogsScreen
from relay_console.screens.mail import mail_screen
from relay_console.screens.quarantine import QuarantineScreen
from relay_console.screens.suppressions import SuppressionsScreen
from relay_console.session import Session
from relay_console.theme import load_themes, theme_folders

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from textual.binding import BindingType
    from textual.filter import LineFilter

    from relay_console.service import Service

_SCREENS: dict[str, type[LiveScreen]] = {
    "logs": LogsScreen,
    "suppressions": SuppressionsScreen,
    "domains": DomainsScreen,
    "quarantine": QuarantineScreen,
    "charts": ChartsScreen,
    "alerts": AlertsScreen,
}
POLL_SECONDS = 0.5
_QUIET = {"cursor-background": "#33415f", "cursor-foreground": "#ffffff", "quiet": "#8088a0"}


class RelayApp(App[None]):
    """The terminal console.

    ``service`` is the backend, or a coroutine function that starts one while the first screen is
    painted already; whoever runs the app closes it afterwards. ``actor`` goes into the audit log.
    """

    TITLE = "Relay Console"
    CSS_PATH = "styles/console.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.GLOBAL)
    COMMANDS = {RegistryCommands}  # noqa: RUF012  # Textual's own declaration is not a ClassVar
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        service: Service | Callable[[], Awaitable[Service]],
        *,
        actor: str,
        clock: Callable[[], datetime],
        readonly: bool = False,
        profile: Profile | None = None,
    ) -> None:
        super().__init__()
        self._service = service
        self.profile = profile or profile_from(os.environ)
        self.session = Session(
            actor=actor, readonly=readonly, clock=clock, clipboard=self._ways_to_copy()
        )
        self.animation_level = "none"
        self._version = -1
        self._live_now = True
        self._theme_problems = self._load_themes()
        for name, screen in _SCREENS.items():
            self.add_mode(name, partial(screen, self.session))

    def _ways_to_copy(self) -> Clipboard:
        return Clipboard(
            osc52=self.copy_to_clipboard,
            folder=cache_folder(os.environ, Path.home()),
            environ=os.environ,
            method=self.profile.copy_method,
        )

    def _load_themes(self) -> Sequence[str]:
        themes = load_themes(theme_folders(os.environ, Path.home()))
        for theme in themes.found:
            self.register_theme(theme)
        self.relay_themes = [theme.name for theme in themes.found]
        wanted = self.profile.default_theme
        if wanted in self.available_themes:
            self.theme = wanted
            return themes.problems
        return (*themes.problems, f"There is no theme {wanted}.")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give our own colour names a value in themes that do not know them."""
        return _QUIET

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Put our filter last: it sees what the terminal would get."""
        return [*super().get_line_filters(), StripControls()]

    def on_mount(self) -> None:
        """Open the logs, then start the backend if it is not there yet, then the poller."""
        self.switch_mode("logs")
        for problem in self._theme_problems:
            self.notify(safe(problem), severity="warning", markup=False)
        if not callable(self._service):
            self.session.use(self._service)
        self.run_worker(self._live(), group="live", exit_on_error=False)

    async def _live(self) -> None:
        """Start the backend, then tell the visible screen whenever something was written."""
        try:
            if callable(self._service):
                await self.session.open(self._service)
        except Exception as error:  # noqa: BLE001  # the edge of a worker; recorded by sentence_of
            self.notify(sentence_of(error), severity="error", markup=False, timeout=60)
        self.screen.post_message(ServiceReady())
        while not self.session.failed:
            await self._poll()
            await asyncio.sleep(POLL_SECONDS)

    async def _poll(self) -> None:
        """Ask once; that the screen is no longer live is said once, and that it is again."""
        try:
            service = await self.session.service()
            version = await service.version()
        except Exception as error:  # noqa: BLE001  # a loop's edge; recorded by sentence_of
            if self._live_now:
                self._live_now = False
                said = safe(f"Not live: {sentence_of(error)}")
                self.notify(said, severity="warning", markup=False, timeout=30)
            return
        if not self._live_now:
            self._live_now = True
            self.notify(safe("Live again."), markup=False)
        if version != self._version:
            self._version = version
            self.session.forget_tenants()
            self.screen.post_message(VersionChanged())
            await self._look(service)

    async def _look(self, service: Service) -> None:
        """Read what is wrong; that the database does not answer is said by the screen's table."""
        with suppress(RelayError):
            self.session.health = await read_health(service)
            self.screen.post_message(HealthChanged())

    async def action_area(self, name: str) -> None:
        """Go to an area; its screens are as they were left."""
        if name != self.current_mode:
            await self.switch_mode(name)

    async def on_goto(self, message: Goto) -> None:
        """Go to the table of an area under a filter."""
        await self.action_area(message.area)
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        if isinstance(self.screen, AreaScreen):
            self.screen.set_filter(message.line)

    def on_open_mail(self, message: OpenMail) -> None:
        """Open a mail over what is shown."""
        self.push_screen(mail_screen(self.session, message.key, message.home))

    def action_help(self) -> None:
        """Show every key."""
        screen = self.screen
        if isinstance(screen, LiveScreen):
            self.push_screen(Help(screen.area, readonly=self.session.readonly))

    def action_command_palette(self) -> None:
        """Open the palette."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(placeholder="command, or: logs status:bounced"))

    def action_next_theme(self) -> None:
        """Change to the next of our themes."""
        names = self.relay_themes
        if names:
            place = names.index(self.theme) + 1 if self.theme in names else 0
            self.theme = names[place % len(names)]
            self.notify(safe(f"theme {self.theme}"), markup=False, timeout=2)
