"""What people see of sending and decide about it: the state of the account, mail nobody is sure of.

``backend.sending`` is one of these.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError, NotFoundError
from backend.model.outbound import AttemptState, EmailStatus
from backend.model.sending import SendState
from backend.model.sending_status import SendingStatus
from backend.model.work import WorkKind
from backend.outbound.decide import unresolved
from backend.outbound.record import fail
from backend.queue import items
from backend.queue.roles import all_holders
from backend.queue.troubles import revive, troubles
from backend.store import account, attempts, audit, emails, holds, pace
from backend.store.audit import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from backend.model.outbound import Attempt, Email
    from backend.ports import Clock, Ids
    from backend.queue.items import QueueCounts
    from backend.queue.roles import Holding
    from backend.queue.troubles import Trouble
    from backend.store.engine import Database
    from backend.store.types import Tx


class SendingDesk:
    """The state of sending, and what a person does with mail whose fate nobody knows."""

    def __init__(
        self, db: Database, clock: Clock, ids: Ids, nudge: Callable[[], None] | None = None
    ) -> None:
        """``nudge`` wakes the worker of this process."""
        self._db = db
        self._clock = clock
        self._ids = ids
        self._nudge = nudge or (lambda: None)

    async def status(self) -> SendingStatus:
        """Tell whether mail goes out, and if not, why, since when and when that is tried."""
        return await self._db.read(_status, self._clock.now())

    async def troubles(self) -> Sequence[Trouble]:
        """Give the work that failed: dead, or waiting to be tried again, the dead first."""
        return await self._db.read(troubles)

    async def revive(self, kind: WorkKind, *, actor: str) -> int:
        """Let the dead work of one kind be tried once more; give how much there was."""
        entry = self._entry("work.revived", kind.value, actor)
        revived = await self._db.write(_revive, kind, entry)
        self._nudge()
        return revived

    async def queue(self) -> Sequence[QueueCounts]:
        """Count the work of every kind: due, scheduled, in hand and dead."""
        return await self._db.read(items.counts, self._clock.now())

    async def roles(self) -> Sequence[Holding]:
        """Give who holds or last held each single role."""
        return await self._db.read(all_holders)

    async def send_again(self, email_id: str, *, actor: str) -> None:
        """Send a mail of unknown fate once more, which may make it arrive twice.

        Raises NotFoundError, and InvalidInputError for a mail whose fate is known.
        """
        await self._db.write(_send_again, self._entry("email.sent_again", email_id, actor))
        self._nudge()

    async def give_up(self, email_id: str, *, actor: str) -> None:
        """Let a mail of unknown fate count as failed; raises as ``send_again`` does."""
        entry = self._entry("email.given_up", email_id, actor)
        await self._db.write(_give_up, entry, self._ids.new("evt"))
        self._nudge()

    def _entry(self, action: str, email_id: str, actor: str) -> AuditEntry:
        return AuditEntry(
            id=self._ids.new("aud"),
            at=self._clock.now(),
            actor=actor,
            action=action,
            subject=email_id,
        )


def _status(tx: Tx, now: datetime) -> SendingStatus:
    hold = holds.get(tx)
    state = SendState.OPEN if hold is None else hold.state
    share = pace.share(tx, now)
    return SendingStatus(state=state, hold=hold, account=account.get(tx), share=share)


def _revive(tx: Tx, kind: WorkKind, entry: AuditEntry) -> int:
    revived = revive(tx, kind, entry.at)
    if revived:
        audit.add(tx, replace(entry, detail={"items": str(revived)}))
    return revived


def _send_again(tx: Tx, entry: AuditEntry) -> None:
    email, lost = _unknown(tx, entry)
    said = f"sent again by {entry.actor}; SES may have it"
    attempts.settle(tx, replace(lost, state=AttemptState.DEFERRED, error=said), entry.at)
    emails.flag_duplicate(tx, email.id)
    emails.set_status(tx, email.id, EmailStatus.QUEUED, said)
    items.enqueue(tx, WorkKind.SEND, email.id, run_at=entry.at, now=entry.at)


def _give_up(tx: Tx, entry: AuditEntry, event_id: str) -> None:
    email, _ = _unknown(tx, entry)
    fail(tx, email, entry.at, event_id, f"given up by {entry.actor}; SES may have it")
    # the worker finds nothing to send and ends the work item
    items.enqueue(tx, WorkKind.SEND, email.id, run_at=entry.at, now=entry.at)


def _unknown(tx: Tx, entry: AuditEntry) -> tuple[Email, Attempt]:
    """Find the mail an entry is about and its lost attempt, and write the entry."""
    email = emails.lock(tx, entry.subject)
    if email is None:
        raise NotFoundError(f"there is no mail {entry.subject}")
    lost = unresolved(attempts.of_email(tx, email.id))
    if email.status is not EmailStatus.UNKNOWN or lost is None:
        raise InvalidInputError(f"{email.id} is {email.status}, not unknown; nothing to decide")
    audit.add(tx, replace(entry, tenant_id=email.tenant_id))
    return email, lost
