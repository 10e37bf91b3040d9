"""One received message in full, with the keys to act on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from backend import WAITING
from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.screens.acting import ActingScreen
from relay_console.screens.detail import DetailScreen
from relay_console.screens.loading import released
from relay_console.viewmodel.details import inbound_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

    from relay_console.session import Session
    from relay_console.viewmodel.page import Page

_OF_WAITING = frozenset({"release", "discard", "spam"})


class MessageScreen(ActingScreen, DetailScreen):
    """A received message: read it, then act on it, as far as it waits for a person."""

    area = Scope.MESSAGE
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.MESSAGE)

    def __init__(self, session: Session, inbound_id: str, home: Scope = Scope.QUARANTINE) -> None:
        super().__init__(session, home, self._read)
        self._inbound_id = inbound_id
        self._waits = True

    async def _read(self) -> Page:
        detail = await (await self.session.service()).inbound_message(self._inbound_id)
        self._waits = detail.message.status in WAITING
        names = await self.session.tenant_names({detail.message.tenant_id})
        return inbound_page(detail, names, await released(self.session, detail.message))

    def idle(self) -> frozenset[str]:
        """Give the actions that can do nothing for this message."""
        idle = super().idle() | (frozenset() if self._waits else _OF_WAITING)
        return idle if self.session.put_away else idle | {"undo"}

    def chosen(self) -> Sequence[str]:
        """Give the message."""
        return (self._inbound_id,)

    def acted(self) -> None:
        """Show where it stands now."""
        self.reload()
