"""The verbs of compliance for the console, the command line and the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.analytics.standing import LONGEST, standings
from backend.analytics.watch import note, renew
from backend.errors import InvalidInputError, NotFoundError
from backend.model.compliance import Brake, Compliance
from backend.model.work import WorkKind
from backend.queue import items
from backend.store import account, compliance, emails, tenants

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from backend.model.compliance import Alert
    from backend.ports import Clock, Ids
    from backend.store.engine import Database
    from backend.store.types import Tx

MAX_REASON = 200
WOKEN = 5_000  # mails; whatever is beyond wakes by itself within minutes


class ComplianceDesk:
    """Rates, alerts and brakes; every verb may raise a RelayError."""

    def __init__(self, db: Database, clock: Clock, ids: Ids, nudge: Callable[[], None]) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._nudge = nudge

    async def report(self) -> Compliance:
        """Give the rates of the account and of every tenant, brakes and open alerts."""
        return await self._db.read(_report, self._clock.now())

    async def alerts(self) -> Sequence[Alert]:
        """Give the alerts that are open, oldest first."""
        return await self._db.read(compliance.open_alerts)

    async def look(self) -> None:
        """Raise and clear alerts now, as the watch does once a minute; it sets no brake."""
        await renew(self._db, self._clock.now(), self._ids)

    async def past_alerts(self, size: int = 100) -> Sequence[Alert]:
        """Give the newest alerts, over or not."""
        return await self._db.read(compliance.past_alerts, size)

    async def brake(self, tenant_id: str, *, reason: str, actor: str) -> Brake:
        """Hold the mail of a tenant back until the brake is lifted; what comes in is accepted."""
        reason = reason.strip()
        if not reason or len(reason) > MAX_REASON or not reason.isprintable():
            raise InvalidInputError(
                f"reason: say why in 1 to {MAX_REASON} printable characters", field="reason"
            )
        brake = self._brake(tenant_id, reason, actor)
        await self._db.write(_set, brake, self._ids)
        return brake

    async def lift(self, tenant_id: str, *, actor: str) -> int:
        """Let the mail of a tenant go on and give how many mails were woken.

        The watch leaves the tenant alone for a day. Raises NotFoundError when it has no brake.
        """
        woken = await self._db.write(_lift, self._brake(tenant_id, "", actor), self._ids)
        self._nudge()
        return woken

    def _brake(self, tenant_id: str, reason: str, actor: str) -> Brake:
        return Brake(
            tenant_id=tenant_id,
            reason=reason,
            since=self._clock.now(),
            actor=actor,
            automatic=False,
        )


def _report(tx: Tx, now: datetime) -> Compliance:
    whole, own = standings(compliance.days(tx, (now - LONGEST).date()), now.date())
    return Compliance(
        account=account.get(tx),
        standing=whole,
        tenants=own,
        brakes=tuple(compliance.brakes(tx)),
        alerts=tuple(compliance.open_alerts(tx)),
    )


def _set(tx: Tx, brake: Brake, ids: Ids) -> None:
    if tenants.get(tx, brake.tenant_id) is None:
        raise NotFoundError(f"there is no tenant {brake.tenant_id}")
    if compliance.brake_of(tx, brake.tenant_id):
        raise InvalidInputError("tenant: its mail is held back already", field="tenant")
    compliance.put_brake(tx, brake)
    note(tx, brake, "tenant.braked", ids)


def _lift(tx: Tx, brake: Brake, ids: Ids) -> int:
    if not compliance.brake_of(tx, brake.tenant_id):
        raise NotFoundError(f"the mail of tenant {brake.tenant_id} is not held back")
    compliance.put_brake(tx, brake)
    note(tx, brake, "tenant.released", ids)
    waiting = emails.queued_of(tx, brake.tenant_id, WOKEN)
    for email_id in waiting:
        items.enqueue(tx, WorkKind.SEND, email_id, run_at=brake.since, now=brake.since)
    return len(waiting)
