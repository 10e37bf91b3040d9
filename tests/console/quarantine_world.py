"""Acts on waiting mail in the snapshot world: rows in memory change as the backend would do it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend import (
    ActReport,
    Discard,
    Done,
    Foreseen,
    InboundMessage,
    InboundStatus,
    MarkSpam,
    Reason,
    Refused,
    Restore,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend import Act
    from tests.console.world import World

VIRUS = "a virus is never released; ask the sender for a clean mail"


@dataclass(slots=True)
class QuarantineWorld:
    """A virus is refused whatever is asked; discarded messages come back as they were."""

    world: World
    put_away: dict[str, InboundMessage]

    async def act(self, ids: Sequence[str], act: Act, *, actor: str) -> ActReport:
        self.world._check()
        self.world.calls.append((act, tuple(ids), actor))
        seen = [self._foresee(one, act) for one in ids]
        for one in seen:
            if not one.why:
                self._change(one.id, act)
        self.world.bump()
        return ActReport(
            done=tuple(
                Done(id=one.id, what=_WHAT.get(type(act), "let go")) for one in seen if not one.why
            ),
            refused=tuple(Refused(id=one.id, why=one.why) for one in seen if one.why),
        )

    async def preview(self, ids: Sequence[str], act: Act) -> Sequence[Foreseen]:
        self.world._check()
        return [self._foresee(one, act) for one in ids]

    def _foresee(self, inbound_id: str, act: Act) -> Foreseen:
        message = self.world.received[inbound_id]
        lenient = isinstance(act, Discard | Restore | MarkSpam)
        if message.reason is Reason.VIRUS_VERDICT and not lenient:
            return Foreseen(id=inbound_id, message=message, why=VIRUS)
        away = isinstance(act, Discard | MarkSpam)
        return Foreseen(
            id=inbound_id,
            message=message,
            status=InboundStatus.DISCARDED if away else InboundStatus.FORWARDING,
            reason=Reason.DISCARDED_BY_HAND if away else Reason.ADDRESS_PATTERN,
            route=message.route,
        )

    def _change(self, inbound_id: str, act: Act) -> None:
        message = self.world.received[inbound_id]
        if isinstance(act, Restore):
            self.world.received[inbound_id] = self.put_away.pop(inbound_id)
            return
        status = InboundStatus.FORWARDED
        if isinstance(act, Discard | MarkSpam):
            self.put_away[inbound_id] = message
            status = InboundStatus.DISCARDED
        self.world.received[inbound_id] = replace(message, status=status)


_WHAT: dict[type, str] = {Discard: "discarded", Restore: "restored", MarkSpam: "marked as spam"}
