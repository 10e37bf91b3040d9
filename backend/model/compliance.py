"""How AWS sees our sending: rates, their limits, brakes and alerts. No I/O.

Limits and counting rules: the SES FAQ on enforcement (facts: 5 % and 10 % hard bounces, 0.1 % and
0.5 % complaints). Over how much mail AWS reckons is not published.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from datetime import date, datetime

    from backend.model.views import AccountState


class Level(Explained):
    """How near a rate is to the limit at which AWS reviews an account."""

    GOOD = "good", "Below 40 % of the limit for a review."
    NOTICE = "notice", "At 40 % of the limit for a review, or above."
    WARNING = "warning", "At 80 % of the limit for a review, or above."
    REVIEW = "review", "At the limit: AWS may put the account under review."
    PAUSE = "pause", "So high that AWS may stop all sending."


_SEVERITY = list(Level).index


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """Shares of the eligible mail at which AWS reviews, and at which it may pause."""

    review: float
    pause: float

    def level(self, rate: float) -> Level:
        """Give how near a rate is."""
        steps = (
            (self.pause, Level.PAUSE),
            (self.review, Level.REVIEW),
            (round(self.review * 0.8, 9), Level.WARNING),
            (round(self.review * 0.4, 9), Level.NOTICE),
        )
        return next((level for limit, level in steps if rate >= limit), Level.GOOD)


BOUNCES = RateLimit(review=0.05, pause=0.10)
COMPLAINTS = RateLimit(review=0.001, pause=0.005)
FEW = 100  # recipients, below which a rate is worth a notice and no more


@dataclass(frozen=True, slots=True, kw_only=True)
class ReputationDay:
    """What one day of one tenant counts for: recipients SES took, simulator left out."""

    tenant_id: str
    day: date
    eligible: int
    hard_bounces: int
    complaints: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The rates of a tenant, or with tenant "" of the account, over the days from ``since``."""

    tenant_id: str
    since: date
    eligible: int
    hard_bounces: int
    complaints: int

    @property
    def bounce_rate(self) -> float:
        """Give hard bounces by eligible mail, 0 without any."""
        return self.hard_bounces / self.eligible if self.eligible else 0.0

    @property
    def complaint_rate(self) -> float:
        """Give complaints by eligible mail, 0 without any."""
        return self.complaints / self.eligible if self.eligible else 0.0

    @property
    def bounce_level(self) -> Level:
        """Give how near the bounce rate is; of few recipients never more than a notice."""
        return self._capped(BOUNCES.level(self.bounce_rate))

    @property
    def complaint_level(self) -> Level:
        """Give how near the complaint rate is; of few recipients never more than a notice."""
        return self._capped(COMPLAINTS.level(self.complaint_rate))

    @property
    def level(self) -> Level:
        """Give the worse of the two levels."""
        return max(self.bounce_level, self.complaint_level, key=_SEVERITY)

    def _capped(self, level: Level) -> Level:
        return min(level, Level.NOTICE, key=_SEVERITY) if self.eligible < FEW else level

    @property
    def bounces_left(self) -> int:
        """Give how many more mails may bounce, and none arrive, before the rate is at 5 %."""
        # (b + n) / (e + n) >= limit, solved for n: each further bounce is eligible mail as well
        limit = BOUNCES.review
        return max(0, ceil((limit * self.eligible - self.hard_bounces) / (1 - limit)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Brake:
    """A tenant whose mail waits; ``automatic`` when the watch set it."""

    tenant_id: str
    reason: str
    since: datetime
    actor: str
    automatic: bool


class AlertKind(Explained):
    """What an alert is about."""

    ENFORCEMENT = "enforcement", "AWS reviews the account or has stopped its sending."
    BOUNCES = "bounces", "The bounce rate nears or has passed a limit of AWS."
    COMPLAINTS = "complaints", "The complaint rate nears or has passed a limit of AWS."
    BRAKE = "brake", "The mail of a tenant waits."
    NO_EVENTS = "no_events", "Mail was sent and SES tells nothing of it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something a person should look at; ``subject`` is a tenant's id, "" for the account."""

    id: str
    kind: AlertKind
    subject: str
    level: Level
    sentence: str
    raised_at: datetime
    cleared_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """Everything the compliance view shows; standings are worst first."""

    account: AccountState | None
    standing: Standing
    tenants: tuple[Standing, ...]
    brakes: tuple[Brake, ...]
    alerts: tuple[Alert, ...]
