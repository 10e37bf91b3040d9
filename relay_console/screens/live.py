"""What all screens share: they read again when the data changed, and speak in plain text."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.screen import Screen

from relay_console.actions import allowed
from relay_console.edge import sentence_of
from relay_console.safe import SafeText, safe
from relay_console.viewmodel.health import notices, top_words
from relay_console.widgets.banner import Banner
from relay_console.widgets.bars import TopBar, badge

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from relay_console.action import Scope
    from relay_console.messages import HealthChanged, ServiceReady, VersionChanged
    from relay_console.session import Session

    Work = Callable[[], Awaitable[None]]

Severity = Literal["information", "warning", "error"]


class LiveScreen(Screen[None]):
    """A screen over live data; ``area`` is the scope of its own keys."""

    area: ClassVar[Scope]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def compose_top(self, home: Scope) -> ComposeResult:
        """Lay out what every screen begins with: the areas, and a line when something is wrong."""
        yield TopBar(home, badge(readonly=self.session.readonly, actor=self.session.actor))
        yield Banner()

    @abstractmethod
    def reload(self) -> None:
        """Read the data again."""

    def on_version_changed(self, message: VersionChanged) -> None:
        """Read again: something was written."""
        del message
        self.reload()

    def on_service_ready(self, message: ServiceReady) -> None:
        """Stop saying that the backend is starting."""
        del message
        self.reload()

    def on_health_changed(self, message: HealthChanged) -> None:
        """Say what is wrong now."""
        del message
        self._show_health()

    def on_screen_resume(self) -> None:
        """Read again: what happened while another screen was in front was not followed."""
        self._show_health()
        self.reload()

    def _show_health(self) -> None:
        health = self.session.health
        if health is not None:
            self.query_one(TopBar).warn(top_words(health))
            self.query_one(Banner).show(notices(health, self.session.clock()))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hold back what writes when the console is read-only."""
        del parameters
        return allowed(action, readonly=self.session.readonly)

    def tell(self, sentence: SafeText, severity: Severity = "information") -> None:
        """Show a sentence for some seconds; brackets in it are only brackets."""
        self.app.notify(sentence, severity=severity, markup=False, timeout=6)

    def start(self, work: Work, group: str) -> None:
        """Read in a worker whose errors become a sentence; a newer read takes its place."""
        guarded: Work = partial(self._guarded, work)
        self.run_worker(guarded, group=group, exclusive=True, exit_on_error=False)

    def act(self, work: Work) -> None:
        """Run an action of the technician in a worker; nothing that comes later cancels it."""
        guarded: Work = partial(self._guarded_act, work)
        self.run_worker(guarded, group="act", exit_on_error=False)

    async def _guarded(self, work: Work) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  # the edge of a worker; recorded by sentence_of
            self.failed(sentence_of(error))

    async def _guarded_act(self, work: Work) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  # the edge of a worker; recorded by sentence_of
            # a line of the screen would be gone with the next reading
            self.tell(sentence_of(error), "error")

    def failed(self, sentence: SafeText) -> None:
        """Say that a read failed; screens with a place for it override this."""
        self.tell(sentence, "error")

    def action_reload(self) -> None:
        """Read the data again."""
        self.reload()

    def action_leave(self) -> None:
        """Leave the console."""
        self.app.exit()

    def copy_text(self, text: str) -> None:
        """Copy in a worker and say how it went."""
        self.act(partial(self._copy, text))

    async def _copy(self, text: str) -> None:
        self.tell(safe(await self.session.clipboard.copy(text)))
