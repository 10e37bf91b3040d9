"""The verbs of handing mail in: batches, and what may still be done to scheduled mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.outbound.accept import accept_batch
from backend.outbound.schedule import Change, cancel, reschedule
from backend.outbound.when import check_when, read_when

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from backend.errors import InvalidInputError
    from backend.model.outbound import BatchAccepted, Email, EmailDraft
    from backend.outbound.context import Outbound


class MailDesk:
    """Mail that is handed in by many, and mail that waits; every verb may raise a RelayError."""

    def __init__(self, outbound: Outbound, nudge: Callable[[], None]) -> None:
        self._outbound = outbound
        self._nudge = nudge

    async def send_batch(
        self,
        tenant_id: str,
        wanted: Sequence[EmailDraft | InvalidInputError],
        *,
        idempotency_key: str | None = None,
        key_id: str = "",
        partly: bool = False,
    ) -> BatchAccepted:
        """Accept a batch in one transaction (see outbound/accept.py); ``partly``: what is right."""
        answer = await accept_batch(
            self._outbound,
            tenant_id,
            wanted,
            idempotency_key=idempotency_key,
            key_id=key_id,
            partly=partly,
        )
        self._nudge()
        return answer

    async def cancel_email(
        self, email_id: str, *, actor: str, tenant_id: str | None = None
    ) -> Email:
        """Call a scheduled mail off; raises NotFoundError, and TooLateError once it is sent."""
        return await self._outbound.db.write(cancel, self._change(email_id, tenant_id, actor))

    async def reschedule_email(
        self, email_id: str, at: datetime | str, *, actor: str, tenant_id: str | None = None
    ) -> Email:
        """Give a scheduled mail another time, in words too; raises as ``cancel_email`` does."""
        now = self._outbound.clock.now()
        moment = read_when(at, now) if isinstance(at, str) else check_when(at, now)
        change = self._change(email_id, tenant_id, actor)
        changed = await self._outbound.db.write(reschedule, change, moment)
        self._nudge()
        return changed

    def _change(self, email_id: str, tenant_id: str | None, actor: str) -> Change:
        return Change(
            email_id=email_id,
            tenant_id=tenant_id,
            actor=actor,
            at=self._outbound.clock.now(),
            ids=self._outbound.ids,
        )
