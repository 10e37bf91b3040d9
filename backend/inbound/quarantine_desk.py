"""The verbs over mail that waits for a person: release, reroute, attach, discard, restore, spam.

Each takes a selection and tells one by one what was done and what may not be done; none of them
raises for a single message. ``preview`` tells what would become of it and writes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError, NotFoundError
from backend.inbound.hand_check import check
from backend.inbound.hand_plan import make_plan
from backend.inbound.hand_write import carry_out, missing
from backend.inbound.match_trust import read_sender
from backend.inbound.pipeline import conclude, prepared
from backend.model.inbound import InboundStatus, Reason
from backend.model.quarantine import (
    ActReport,
    Attach,
    Discard,
    Foreseen,
    MarkSpam,
    Refused,
    Release,
    Reroute,
    Restore,
)
from backend.store import inbound as store
from backend.store.audit import Hand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from backend.inbound.decide import Decision
    from backend.inbound.hand_plan import Plan
    from backend.inbound.pipeline import Inbound
    from backend.model.inbound import InboundMessage, ParsedMail
    from backend.model.quarantine import Act
    from backend.store.types import Tx

MAX_IDS = 1_000
BATCH = 100
_EXCUSED = frozenset({Reason.SPAM_VERDICT, Reason.AUTHENTICATION_FAILED})  # of an allowed sender


class QuarantineDesk:
    """Acts of a person on inbound mail; get it as ``backend.quarantine``."""

    def __init__(self, inbound: Inbound, nudge: Callable[[], None]) -> None:
        self._inbound = inbound
        self._nudge = nudge

    async def release(self, ids: Sequence[str], wish: Release, *, actor: str) -> ActReport:
        """Let messages go on after the stage that held them."""
        return await self.act(ids, wish, actor=actor)

    async def reroute(self, ids: Sequence[str], wish: Reroute, *, actor: str) -> ActReport:
        """Send messages to a target a person names."""
        return await self.act(ids, wish, actor=actor)

    async def attach(self, ids: Sequence[str], wish: Attach, *, actor: str) -> ActReport:
        """Put messages into a conversation; later replies find it by themselves."""
        return await self.act(ids, wish, actor=actor)

    async def discard(self, ids: Sequence[str], *, actor: str, note: str = "") -> ActReport:
        """Put messages away; they are kept."""
        return await self.act(ids, Discard(note=note), actor=actor)

    async def restore(self, ids: Sequence[str], *, actor: str, note: str = "") -> ActReport:
        """Take discarded messages, and those marked as spam, back to where they were."""
        return await self.act(ids, Restore(note=note), actor=actor)

    async def mark_spam(self, ids: Sequence[str], wish: MarkSpam, *, actor: str) -> ActReport:
        """Put messages away as spam, and their senders on the blocklist if asked to."""
        return await self.act(ids, wish, actor=actor)

    async def act(self, ids: Sequence[str], act: Act, *, actor: str) -> ActReport:
        """Do one act to a selection; raises InvalidInputError when the act itself is wrong."""
        wanted = _wanted(ids)
        check(act)
        report = ActReport()
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            mails = await self._mails(batch) if isinstance(act, Attach) else {}
            part = await self._inbound.db.write(carry_out, self._hand(actor), batch, act, mails)
            report = ActReport(done=report.done + part.done, refused=report.refused + part.refused)
        if any(one.changed for one in report.done):
            self._nudge()
        return report

    async def preview(self, ids: Sequence[str], act: Act) -> Sequence[Foreseen]:
        """Tell of each message what an act would make of it; writes nothing.

        Raises InvalidInputError and, while the store of raw messages is away, TransientError.
        """
        return [one async for one in self.foresee(ids, act)]

    async def foresee(self, ids: Sequence[str], act: Act) -> AsyncIterator[Foreseen]:
        """Preview message by message, for a long selection."""
        check(act)
        for inbound_id in _wanted(ids):
            yield await self._foresee(inbound_id, act)

    async def _foresee(self, inbound_id: str, act: Act) -> Foreseen:
        message, plan = await self._inbound.db.read(_plan, self._hand(""), inbound_id, act)
        if isinstance(plan, Refused) or message is None:
            why = plan.why if isinstance(plan, Refused) else ""
            return Foreseen(id=inbound_id, message=message, why=why)
        if not plan.changed:
            return Foreseen(id=inbound_id, message=message)
        after = Foreseen(
            id=inbound_id,
            message=message,
            status=plan.after.status,
            reason=plan.after.reason,
            route=plan.after.route,
        )
        return await self._decided(after, plan, act) if plan.anew else after

    async def _decided(self, foreseen: Foreseen, plan: Plan, act: Act) -> Foreseen:
        """Decide over the message as it would be, on the live configuration."""
        mail = await self._read(plan.after)
        if mail is None:
            return replace(foreseen, why="its raw message is gone", status=None)
        allowed = isinstance(act, Release) and act.allow is not None
        waived = _EXCUSED if allowed else frozenset()
        decision = await conclude(self._inbound, plan.after, mail, waived=waived)
        ready = prepared(decision, self._inbound)
        return replace(
            foreseen,
            status=ready.rest.status if ready.rest else InboundStatus.FORWARDING,
            reason=ready.rest.reason if ready.rest else ready.steps[-1].reason,
            route=ready.message.route,
            warning=_warning(ready, allowed=allowed),
        )

    async def _mails(self, ids: Sequence[str]) -> dict[str, ParsedMail]:
        found: dict[str, ParsedMail] = {}
        for inbound_id in ids:
            message = await self._inbound.db.read(store.get, inbound_id)
            mail = await self._read(message) if message else None
            if mail is not None:
                found[inbound_id] = mail
        return found

    async def _read(self, message: InboundMessage) -> ParsedMail | None:
        """Read the raw message again; None when it is gone."""
        try:
            raw = await self._inbound.blobs.get(message.blob_key)
        except NotFoundError:
            return None
        return await self._inbound.reader.read(raw)

    def _hand(self, actor: str) -> Hand:
        return Hand(actor=actor, at=self._inbound.clock.now(), ids=self._inbound.ids)


def _wanted(ids: Sequence[str]) -> list[str]:
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MAX_IDS:
        raise InvalidInputError(f"at most {MAX_IDS} messages at once; select fewer", field="ids")
    return wanted


def _plan(
    tx: Tx, hand: Hand, inbound_id: str, act: Act
) -> tuple[InboundMessage | None, Plan | Refused]:
    message = store.get(tx, inbound_id)
    if message is None:
        return None, missing(inbound_id)
    return message, make_plan(tx, hand, message, act)


def _warning(ready: Decision, *, allowed: bool) -> str:
    """Give what a person should weigh before they say yes."""
    said = [
        f"without {step.evidence.get('attachments', '')}"
        for step in ready.steps
        if step.reason is Reason.ATTACHMENT_LEFT_OUT
    ]
    message = ready.message
    if allowed and not read_sender(message.from_address, message.verdicts).proven:
        said.append("its sender is not proven: whoever forges this From is allowed too")
    return "; ".join(said)
