"""What the screens of waiting mail share: acts with a form, a preview, a question and an undo."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING

from backend import Discard, MarkSpam, Restore
from relay_console.safe import safe
from relay_console.screens.act_forms import (
    ActForm,
    AttachForm,
    ReleaseForm,
    RerouteForm,
    SpamForm,
)
from relay_console.screens.confirm_count import ConfirmCount
from relay_console.screens.foresee import Foresee
from relay_console.screens.live import LiveScreen
from relay_console.viewmodel.acts import foreseen_lines, foreseen_notes, question, told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backend import Act, ActReport

PREVIEWED = 20
"""Messages of a selection that are decided over before the question is asked."""
MANY = 50
"""From so many messages on their number has to be typed."""


class ActingScreen(LiveScreen):
    """A screen on which a person acts on waiting mail; discarding is undone newest first."""

    @abstractmethod
    def chosen(self) -> Sequence[str]:
        """Give the ids of the messages to act on."""

    @abstractmethod
    def acted(self) -> None:
        """Show what has become of them."""

    def action_release(self) -> None:
        """Ask how, then let the chosen messages go on."""
        self._ask(ReleaseForm)

    def action_spam(self) -> None:
        """Ask how, then put the chosen messages away as spam."""
        self._ask(SpamForm)

    def action_attach(self) -> None:
        """Ask where to, then put the chosen messages into a conversation."""
        self._ask(AttachForm)

    def action_reroute(self) -> None:
        """Ask where to, then send the chosen messages there."""
        if chosen := self.chosen():
            self.act(partial(self._reroute, chosen))

    def action_discard(self) -> None:
        """Ask, then put the chosen messages away."""
        if chosen := self.chosen():
            self.act(partial(self._carry_out, chosen, Discard()))

    def action_undo(self) -> None:
        """Restore what was last discarded or marked as spam in this session."""
        if self.session.put_away:
            self.act(self._undo)
        else:
            self.tell(safe("There is nothing of yours to undo."))

    def _ask(self, form: Callable[[], ActForm]) -> None:
        if chosen := self.chosen():
            self.act(partial(self._fill_in, chosen, form))

    async def _reroute(self, chosen: Sequence[str]) -> None:
        tenants = await self.session.tenants()
        await self._fill_in(chosen, partial(RerouteForm, tenants))

    async def _fill_in(self, chosen: Sequence[str], form: Callable[[], ActForm]) -> None:
        act = await self.app.push_screen_wait(form())
        if act is not None:
            await self._carry_out(chosen, act)

    async def _carry_out(self, chosen: Sequence[str], act: Act) -> None:
        """Show what an act would do, ask, do it, and say what was done."""
        service = await self.session.service()
        if not await self._agreed(chosen, act):
            return
        report = await service.quarantine.act(chosen, act, actor=self.session.actor)
        changed = tuple(one.id for one in report.done if one.changed)
        if isinstance(act, Discard | MarkSpam) and changed:
            self.session.put_away.append(changed)
        self._say(report)

    async def _agreed(self, chosen: Sequence[str], act: Act) -> bool:
        service = await self.session.service()
        seen = await service.quarantine.preview(chosen[:PREVIEWED], act)
        asked, more = question(act, len(chosen)), len(chosen) - len(seen)
        possible = more > 0 or not all(one.why for one in seen)
        notes = foreseen_notes(act, more) if possible else (safe("Nothing of it can be done."),)
        preview = Foresee(asked, foreseen_lines(seen), notes, possible=possible)
        if not await self.app.push_screen_wait(preview):
            return False
        few = len(chosen) < MANY
        return few or await self.app.push_screen_wait(ConfirmCount(asked, len(chosen)))

    async def _undo(self) -> None:
        service = await self.session.service()
        ids = self.session.put_away[-1]
        report = await service.quarantine.act(ids, Restore(), actor=self.session.actor)
        self.session.put_away.pop()
        self._say(report)

    def _say(self, report: ActReport) -> None:
        self.tell(told(report), "warning" if report.refused else "information")
        self.acted()
