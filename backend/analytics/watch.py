"""The watch: once a minute it reckons the rates, sets brakes, and raises and clears alerts.

It runs under the role WATCH, in one process only.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from backend.analytics.standing import (
    LONGEST,
    QUIET,
    BrakeRule,
    Finding,
    Silence,
    findings,
    standings,
)
from backend.errors import TransientError
from backend.model.bus import BusEvent, EventType
from backend.model.compliance import Alert, Brake
from backend.queue.announce import announce
from backend.store import account, audit, compliance, tenants
from backend.store.audit import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.model.compliance import Standing
    from backend.ports import Clock, Ids
    from backend.store.engine import Database
    from backend.store.types import Tx

WATCH = "watch"
EVERY = timedelta(minutes=1)
LOOK_BACK = timedelta(hours=6)  # mail older than this is no news
LEFT_ALONE = timedelta(days=1)
_BY_ITSELF = "relay"
_log = structlog.get_logger("analytics.watch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Looks after the rates; ``rule`` says when a tenant is held back by itself."""

    db: Database
    clock: Clock
    ids: Ids
    rule: BrakeRule = BrakeRule()  # noqa: RUF009  # frozen

    async def run(self) -> None:
        """Look every minute until cancelled."""
        while True:
            await asyncio.sleep(EVERY.total_seconds())
            try:
                await self.look()
            except TransientError as error:
                _log.warning("look given up", error=str(error))

    async def look(self) -> None:
        """Look once; raises TransientError. Writes only when something has changed."""
        await renew(self.db, self.clock.now(), self.ids, rule=self.rule)


async def renew(db: Database, now: datetime, ids: Ids, *, rule: BrakeRule | None = None) -> None:
    """Raise, change and clear alerts and, with a rule, set brakes; writes only what has changed."""
    if (await db.read(reckon, now, rule)).differs:
        await db.write(_settle, now, ids, rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """What a look has found: the brakes to set, the alerts to be open, and those that are."""

    brakes: tuple[Brake, ...]
    wanted: tuple[Finding, ...]
    open: tuple[Alert, ...]

    @property
    def differs(self) -> bool:
        """Tell whether there is something to write."""
        told = {(one.kind, one.subject, one.level, one.sentence) for one in self.open}
        wanted = {(one.kind, one.subject, one.level, one.sentence) for one in self.wanted}
        return bool(self.brakes) or told != wanted


def reckon(tx: Tx, now: datetime, rule: BrakeRule | None = None) -> Reckoning:
    """Look at the rates, the brakes and the events."""
    whole, own = standings(compliance.days(tx, (now - LONGEST).date()), now.date())
    held = compliance.brakes(tx)
    more = [] if rule is None else _to_hold(tx, own, held, rule, now)
    waiting, first = compliance.unheard_of(tx, now - LOOK_BACK, now - QUIET)
    silence = Silence(waiting=waiting, first_sent_at=first)
    names = {tenant.id: tenant.name for tenant in tenants.all_by_name(tx)}
    wanted = findings(account.get(tx), (whole, *own), (*held, *more), silence, names)
    return Reckoning(
        brakes=tuple(more), wanted=tuple(wanted), open=tuple(compliance.open_alerts(tx))
    )


def _to_hold(
    tx: Tx, rates: Sequence[Standing], held: Sequence[Brake], rule: BrakeRule, now: datetime
) -> list[Brake]:
    """Give the brakes that rates call for, but for tenants that have one or were released."""
    spared = compliance.lifted(tx, now - LEFT_ALONE) | {one.tenant_id for one in held}
    return [
        Brake(tenant_id=one.tenant_id, reason=reason, since=now, actor=_BY_ITSELF, automatic=True)
        for one in rates
        if one.tenant_id not in spared and (reason := rule.reason(one))
    ]


def note(tx: Tx, brake: Brake, action: str, ids: Ids) -> None:
    """Write the audit entry of a brake."""
    audit.add(
        tx,
        AuditEntry(
            id=ids.new("aud"),
            at=brake.since,
            actor=brake.actor,
            action=action,
            subject=brake.tenant_id,
            tenant_id=brake.tenant_id,
            detail={"reason": brake.reason},
        ),
    )


def _settle(tx: Tx, now: datetime, ids: Ids, rule: BrakeRule | None) -> None:
    """Set brakes, raise what is new, change what reads differently, clear what is over.

    Looks again, for a person may have set or lifted a brake since.
    """
    found = reckon(tx, now, rule)
    for brake in found.brakes:
        compliance.put_brake(tx, brake)
        note(tx, brake, "tenant.braked", ids)
    before = {(one.kind, one.subject): one for one in found.open}
    for finding in found.wanted:
        known = before.pop((finding.kind, finding.subject), None)
        if known is not None:
            compliance.change_alert(
                tx, replace(known, level=finding.level, sentence=finding.sentence)
            )
            continue
        alert = Alert(
            id=ids.new("alr"),
            kind=finding.kind,
            subject=finding.subject,
            level=finding.level,
            sentence=finding.sentence,
            raised_at=now,
        )
        compliance.raise_alert(tx, alert)
        _tell(tx, alert, EventType.ALERT_RAISED, ids.new("evt"), now)
    for alert in before.values():
        compliance.change_alert(tx, replace(alert, cleared_at=now))
        _tell(tx, alert, EventType.ALERT_CLEARED, ids.new("evt"), now)


def _tell(tx: Tx, alert: Alert, what: EventType, event_id: str, now: datetime) -> None:
    announce(
        tx,
        BusEvent(
            id=event_id,
            type=what.value,
            created_at=now,
            tenant_id=alert.subject,
            data={
                "alert_id": alert.id,
                "kind": alert.kind.value,
                "level": alert.level.value,
                "sentence": alert.sentence,
            },
        ),
    )
