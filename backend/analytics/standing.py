"""From counted days to rates, alerts and brakes. Pure.

AWS reckons over a "representative volume" that it does not tell; we take the fewest whole days back
that hold 10,000 eligible recipients, and 90 days at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.model.compliance import AlertKind, Level, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from backend.model.compliance import Brake, ReputationDay
    from backend.model.views import AccountState

VOLUME = 10_000
LONGEST = timedelta(days=90)
QUIET = timedelta(minutes=15)
_ENFORCED = {"PROBATION": Level.REVIEW, "SHUTDOWN": Level.PAUSE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An alert that ought to be open."""

    kind: AlertKind
    subject: str
    level: Level
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrakeRule:
    """When the mail of a tenant is held back by itself; a limit of 0 switches that off."""

    bounce_rate: float = 0.10
    complaint_rate: float = 0.005
    volume: int = 100  # recipients, below which a rate says too little

    def reason(self, standing: Standing) -> str:
        """Give why this tenant is to be held back, empty when it is not."""
        if standing.eligible < self.volume:
            return ""
        if 0 < self.bounce_rate <= standing.bounce_rate:
            return f"bounce rate {standing.bounce_rate:.1%} (brake at {self.bounce_rate:.1%})"
        # one person who presses a button says nothing of a sender
        lone = standing.complaints < 2
        if not lone and 0 < self.complaint_rate <= standing.complaint_rate:
            return (
                f"complaint rate {standing.complaint_rate:.2%} (brake at {self.complaint_rate:.2%})"
            )
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Mail of which SES tells nothing, since when: nothing at all has come since it was sent."""

    waiting: int
    first_sent_at: datetime | None


def standings(days: Sequence[ReputationDay], today: date) -> tuple[Standing, tuple[Standing, ...]]:
    """Give the rates of the account and of each tenant with mail, the worst first."""
    by_tenant: dict[str, list[ReputationDay]] = {}
    for day in days:
        by_tenant.setdefault(day.tenant_id, []).append(day)
    tenants = (_standing(tenant_id, own, today) for tenant_id, own in by_tenant.items())
    worst = sorted(
        tenants,
        key=lambda one: (
            -list(Level).index(one.level),
            -one.bounce_rate,
            -one.complaint_rate,
            one.tenant_id,
        ),
    )
    return _standing("", days, today), tuple(worst)


def findings(
    account: AccountState | None,
    rates: Iterable[Standing],
    brakes: Iterable[Brake],
    silence: Silence,
    names: Mapping[str, str],
) -> list[Finding]:
    """Give every alert that ought to be open now."""
    found: list[Finding] = []
    if account is not None and (level := _ENFORCED.get(account.enforcement)):
        said = f"AWS says {account.enforcement}: {level.sentence} Look into the AWS console."
        found.append(_finding(AlertKind.ENFORCEMENT, "", level, said))
    for one in rates:
        found += _rates(one, names)
    for brake in brakes:
        name = names.get(brake.tenant_id, brake.tenant_id)
        said = f"The mail of {name} waits: {brake.reason}."
        found.append(_finding(AlertKind.BRAKE, brake.tenant_id, Level.WARNING, said))
    if said := _silent(silence):
        found.append(_finding(AlertKind.NO_EVENTS, "", Level.WARNING, said))
    return found


def _standing(tenant_id: str, days: Sequence[ReputationDay], today: date) -> Standing:
    eligible = bounces = complaints = 0
    since = today
    for day in sorted(days, key=lambda one: one.day, reverse=True):
        # a day is taken whole: in the account's view it has several tenants
        if day.day < since and (eligible >= VOLUME or today - day.day > LONGEST):
            break
        since = min(since, day.day)
        eligible += day.eligible
        bounces += day.hard_bounces
        complaints += day.complaints
    return Standing(
        tenant_id=tenant_id,
        since=since,
        eligible=eligible,
        hard_bounces=bounces,
        complaints=complaints,
    )


def _rates(one: Standing, names: Mapping[str, str]) -> list[Finding]:
    whose = names.get(one.tenant_id, one.tenant_id) if one.tenant_id else "the account"
    found = []
    bounces, complaints = one.bounce_level, one.complaint_level
    if one.hard_bounces and bounces is not Level.GOOD:
        left = f"; {one.bounces_left} more until 5 %" if one.bounces_left else ""
        said = f"Bounces of {whose}: {one.bounce_rate:.1%} of {one.eligible}{left}."
        found.append(_finding(AlertKind.BOUNCES, one.tenant_id, bounces, said))
    if one.complaints and complaints is not Level.GOOD:
        said = f"Complaints about {whose}: {one.complaint_rate:.2%} of {one.eligible}."
        found.append(_finding(AlertKind.COMPLAINTS, one.tenant_id, complaints, said))
    return found


def _silent(silence: Silence) -> str:
    """Tell that mail went out and not one event came in since: the way of events is broken."""
    first = silence.first_sent_at
    if not silence.waiting or first is None:
        return ""
    mails = "1 mail was" if silence.waiting == 1 else f"{silence.waiting} mails were"
    return (
        f"{mails} sent since {first:%Y-%m-%d %H:%M}Z and SES has told nothing since:"
        " check the configuration set, its SNS topic and the queue (`relay-console doctor`)."
    )


def _finding(kind: AlertKind, subject: str, level: Level, sentence: str) -> Finding:
    return Finding(kind=kind, subject=subject, level=level, sentence=sentence)
