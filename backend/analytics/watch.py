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
        now = self.clock.now()
        held = await self.db.read(_to_hold, now, self.rule)
        if held:
            await self.db.write(_hold, held, now, self.ids)
        await renew_alerts(self.db, now, self.ids)


async def renew_alerts(db: Database, now: datetime, ids: Ids) -> None:
    """Raise, change and clear alerts; writes only when something has changed."""
    wanted = await db.read(wanted_alerts, now)
    if _differ(await db.read(compliance.open_alerts), wanted):
        await db.write(_settle, wanted, now, ids)


def wanted_alerts(tx: Tx, now: datetime) -> list[Finding]:
    """Reckon which alerts ought to be open."""
    whole, own = standings(compliance.days(tx, (now - LONGEST).date()), now.date())
    waiting, first = compliance.waiting_for_events(tx, now - LOOK_BACK, now - QUIET)
    silence = Silence(
        waiting=waiting, first_sent_at=first, last_event_at=compliance.last_event_at(tx)
    )
    names = {tenant.id: tenant.name for tenant in tenants.all_by_name(tx)}
    return findings(account.get(tx), (whole, *own), compliance.brakes(tx), silence, names)


def _to_hold(tx: Tx, now: datetime, rule: BrakeRule) -> dict[str, str]:
    """Give the tenants whose rates call for a brake, with the reason."""
    _, own = standings(compliance.days(tx, (now - LONGEST).date()), now.date())
    spared = compliance.lifted(tx, now - LEFT_ALONE) | {
        one.tenant_id for one in compliance.brakes(tx)
    }
    reasons = {one.tenant_id: rule.reason(one) for one in own if one.tenant_id not in spared}
    return {tenant_id: reason for tenant_id, reason in reasons.items() if reason}


def _hold(tx: Tx, held: dict[str, str], now: datetime, ids: Ids) -> None:
    for tenant_id, reason in held.items():
        brake = Brake(
            tenant_id=tenant_id, reason=reason, since=now, actor=_BY_ITSELF, automatic=True
        )
        compliance.put_brake(tx, brake)
        note(tx, brake, "tenant.braked", ids)


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


def _differ(open_now: Sequence[Alert], wanted: Sequence[Finding]) -> bool:
    told = {(one.kind, one.subject, one.level, one.sentence) for one in open_now}
    return told != {(one.kind, one.subject, one.level, one.sentence) for one in wanted}


def _settle(tx: Tx, wanted: Sequence[Finding], now: datetime, ids: Ids) -> None:
    """Raise what is new, change what reads differently, clear what is over."""
    before = {(one.kind, one.subject): one for one in compliance.open_alerts(tx)}
    for finding in wanted:
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
