"""What AWS rates us by, per tenant and day; brakes of tenants; alerts."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.compliance import Alert, AlertKind, Brake, Level, ReputationDay
from backend.model.outbound import EmailStatus
from backend.model.usage import UsageKind
from backend.store.schema import emails, events
from backend.store.schema_compliance import alerts as a
from backend.store.schema_compliance import brakes as b
from backend.store.schema_compliance import reputation_days as t
from backend.store.schema_webhooks import usage_days as u

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row

    from backend.store.types import Tx

_REASON = select(b.c.reason).where(b.c.tenant_id == bindparam("tenant"))


def count(
    tx: Tx,
    tenant_id: str,
    at: datetime,
    *,
    hard_bounces: int = 0,
    complaints: int = 0,
    simulated: int = 0,
) -> None:
    """Add to what a tenant's day, in UTC, counts for."""
    into = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    more = {"hard_bounces": hard_bounces, "complaints": complaints, "simulated": simulated}
    row = into(t).values(tenant_id=tenant_id, day=at.date().isoformat(), **more)
    added = {name: t.c[name] + n for name, n in more.items() if n}
    tx.execute(row.on_conflict_do_update(index_elements=list(t.primary_key), set_=added))


def days(tx: Tx, since: date) -> list[ReputationDay]:
    """Give every day of every tenant with mail sent, bounced or complained about, in order."""
    sent = select(u.c.tenant_id, u.c.day, u.c.n).where(
        u.c.kind == UsageKind.SENT.value, u.c.day >= since.isoformat()
    )
    taken = {(row.tenant_id, row.day): row.n for row in tx.execute(sent)}
    rated = {
        (row.tenant_id, row.day): row
        for row in tx.execute(select(t).where(t.c.day >= since.isoformat()))
    }
    found = []
    for tenant_id, day in sorted(taken.keys() | rated.keys(), key=lambda key: key[::-1]):
        row = rated.get((tenant_id, day))
        found.append(
            ReputationDay(
                tenant_id=tenant_id,
                day=date.fromisoformat(day),
                eligible=max(0, taken.get((tenant_id, day), 0) - (row.simulated if row else 0)),
                hard_bounces=row.hard_bounces if row else 0,
                complaints=row.complaints if row else 0,
            )
        )
    return found


def brakes(tx: Tx) -> list[Brake]:
    """Give every tenant whose mail waits."""
    rows = tx.execute(select(b).where(b.c.reason != "").order_by(b.c.since))
    return [_brake(row) for row in rows]


def brake_of(tx: Tx, tenant_id: str) -> str:
    """Give why the mail of a tenant waits, empty when it does not."""
    return tx.execute(_REASON, {"tenant": tenant_id}).scalar() or ""


def lifted(tx: Tx, since: datetime) -> frozenset[str]:
    """Give the tenants whose brake a person lifted since then."""
    rows = tx.execute(select(b.c.tenant_id).where(b.c.reason == "", b.c.since >= since))
    return frozenset(rows.scalars())


def put_brake(tx: Tx, brake: Brake) -> None:
    """Hold the mail of a tenant back, or with an empty reason let it go on."""
    tx.execute(delete(b).where(b.c.tenant_id == brake.tenant_id))
    tx.execute(
        insert(b).values(
            tenant_id=brake.tenant_id,
            reason=brake.reason,
            since=brake.since,
            actor=brake.actor,
            automatic=brake.automatic,
        )
    )


def open_alerts(tx: Tx) -> list[Alert]:
    """Give the alerts that are not over, oldest first."""
    rows = tx.execute(select(a).where(a.c.cleared_at.is_(None)).order_by(a.c.raised_at))
    return [_alert(row) for row in rows]


def past_alerts(tx: Tx, size: int) -> list[Alert]:
    """Give the newest alerts, over or not."""
    return [_alert(row) for row in tx.execute(select(a).order_by(a.c.raised_at.desc()).limit(size))]


def raise_alert(tx: Tx, alert: Alert) -> None:
    """Insert an alert."""
    tx.execute(
        insert(a).values(
            id=alert.id,
            kind=alert.kind.value,
            subject=alert.subject,
            level=alert.level.value,
            sentence=alert.sentence,
            raised_at=alert.raised_at,
        )
    )


def change_alert(tx: Tx, alert: Alert) -> None:
    """Write an alert's level, its sentence and whether it is over."""
    values = {"level": alert.level.value, "sentence": alert.sentence}
    row = update(a).where(a.c.id == alert.id)
    tx.execute(row.values(**values, cleared_at=alert.cleared_at))


def unheard_of(tx: Tx, since: datetime, until: datetime) -> tuple[int, datetime | None]:
    """Count mail of this time that was sent after SES last told anything, and stands at sent.

    Give when the first of it was sent too. One straggler that was sent before does not hide that
    nothing comes any more.
    """
    e, last = emails, last_event_at(tx)
    query = select(func.count(), func.min(e.c.sent_at)).where(
        e.c.status == EmailStatus.SENT.value,
        e.c.created_at >= since,
        e.c.created_at < until,  # implied by the next; for the index
        e.c.sent_at < until,
        e.c.sent_at > (last or since),
    )
    n, first = tx.execute(query).one()
    return n, first


def last_event_at(tx: Tx) -> datetime | None:
    """Give when SES last told us anything, None when it never did."""
    # ids sort by time; a maximum over received_at would read the whole table
    newest = select(events.c.received_at).order_by(events.c.id.desc()).limit(1)
    found: datetime | None = tx.execute(newest).scalar()
    return found


def _brake(row: Row[Any]) -> Brake:
    return Brake(
        tenant_id=row.tenant_id,
        reason=row.reason,
        since=row.since,
        actor=row.actor,
        automatic=row.automatic,
    )


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        id=row.id,
        kind=AlertKind(row.kind),
        subject=row.subject,
        level=Level(row.level),
        sentence=row.sentence,
        raised_at=row.raised_at,
        cleared_at=row.cleared_at,
    )
