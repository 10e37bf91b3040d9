"""The verbs of handing mail in: batches, and what may still be done to scheduled mail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backend.errors import NotFoundError
from backend.outbound.accept import accept_batch
from backend.outbound.drafts import load_draft
from backend.outbound.schedule import Change, cancel, reschedule, restore
from backend.outbound.when import check_when, read_when
from backend.store import emails

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from backend.errors import InvalidInputError
    from backend.model.outbound import BatchAccepted, Email, EmailDraft
    from backend.outbound.context import Outbound
    from backend.store.types import Tx


MOST_READ = 4  # drafts of up to 40 MB in memory


class MailDesk:
    """Mail that is handed in by many, and mail that waits; every verb may raise a RelayError."""

    def __init__(self, outbound: Outbound, nudge: Callable[[], None]) -> None:
        self._outbound = outbound
        self._nudge = nudge
        self._reading = asyncio.Semaphore(MOST_READ)

    async def send_batch(
        self,
        tenant_id: str,
        wanted: Sequence[EmailDraft | InvalidInputError],
        *,
        idempotency_key: str | None = None,
        key_id: str = "",
        partly: bool = False,
        asked: str = "",
    ) -> BatchAccepted:
        """Accept a batch in one transaction (see outbound/accept.py); ``partly``: what is right."""
        answer = await accept_batch(
            self._outbound,
            tenant_id,
            wanted,
            idempotency_key=idempotency_key,
            key_id=key_id,
            partly=partly,
            asked=asked,
        )
        self._nudge()
        return answer

    async def draft(self, email_id: str, tenant_id: str | None = None) -> EmailDraft:
        """Give a mail as it was accepted; raises NotFoundError when it, or its text, is gone."""
        async with self._reading:
            stored = await self._outbound.db.read(_stored, email_id, tenant_id)
            return await asyncio.to_thread(load_draft, stored)

    async def cancel_email(
        self, email_id: str, *, actor: str, tenant_id: str | None = None
    ) -> Email:
        """Call a scheduled mail off; raises NotFoundError, and TooLateError once it is sent."""
        return await self._outbound.db.write(cancel, self._change(email_id, tenant_id, actor))

    async def restore_email(
        self, email_id: str, *, actor: str, tenant_id: str | None = None
    ) -> Email:
        """Undo ``cancel_email``; raises NotFoundError, and TooLateError if it is not called off."""
        restored = await self._outbound.db.write(restore, self._change(email_id, tenant_id, actor))
        self._nudge()
        return restored

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


def _stored(tx: Tx, email_id: str, tenant_id: str | None) -> bytes:
    stored = emails.draft(tx, email_id) if emails.get(tx, email_id, tenant_id) else b""
    if not stored:
        raise NotFoundError(f"there is no mail {email_id}, or its text is gone")
    return stored
