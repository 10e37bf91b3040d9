"""What became of the mail of some days: figures, rates, thresholds. No I/O.

Figures count recipients. Those of a day belong to the mail accepted on it, whenever the answer
came: so a rate never exceeds 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime


class Figure(Explained):
    """What is counted; the value is the wire name."""

    ACCEPTED = "accepted", "Recipients accepted for sending."
    SENT = "sent", "Recipients SES has taken."
    DELIVERED = "delivered", "Recipients whose server took it, those who complained later included."
    BOUNCED = "bounced", "Recipients whose server refused it for good."
    COMPLAINED = "complained", "Recipients who marked it as spam."
    OPENED = "opened", "Mails opened at least once, machines left out where SES names them."
    CLICKED = "clicked", "Mails of which a link was followed at least once."
    SUPPRESSED = "suppressed", "Recipients skipped by the suppression list."
    FAILED = "failed", "Recipients that could not be sent to."


class Rate(Explained):
    """A share of what SES has taken."""

    DELIVERY = "delivery_rate", "Delivered of sent."
    BOUNCE = "bounce_rate", "Bounced of sent."
    COMPLAINT = "complaint_rate", "Complained of sent."
    OPEN = "open_rate", "Opened of delivered."
    CLICK = "click_rate", "Clicked of delivered."


_PARTS = {
    Rate.DELIVERY: (Figure.DELIVERED, Figure.SENT),
    Rate.BOUNCE: (Figure.BOUNCED, Figure.SENT),
    Rate.COMPLAINT: (Figure.COMPLAINED, Figure.SENT),
    Rate.OPEN: (Figure.OPENED, Figure.DELIVERED),
    Rate.CLICK: (Figure.CLICKED, Figure.DELIVERED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """From where a rate is worth a warning, and from where it endangers the account."""

    warning: float
    danger: float
    below: bool = False

    def state(self, value: float | None) -> str:
        """Give ok, warning or danger; ok while there is no rate."""
        if value is None:
            return "ok"
        for name, limit in (("danger", self.danger), ("warning", self.warning)):
            if value < limit if self.below else value > limit:
                return name
        return "ok"


THRESHOLDS: Mapping[Rate, Threshold] = {
    # AWS reviews an account above 5 % bounces or 0.1 % complaints, may pause it at 10 % or 0.5 %
    Rate.DELIVERY: Threshold(warning=0.95, danger=0.90, below=True),
    Rate.BOUNCE: Threshold(warning=0.05, danger=0.10),
    Rate.COMPLAINT: Threshold(warning=0.001, danger=0.005),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts by figure; what is not in it is 0."""

    counts: Mapping[Figure, int] = field(default_factory=dict)

    def __getitem__(self, figure: Figure) -> int:
        """Give one count."""
        return self.counts.get(figure, 0)

    def rate(self, rate: Rate) -> float | None:
        """Give a rate from 0 to 1, None when there is nothing to take a share of."""
        part, whole = _PARTS[rate]
        return self[part] / self[whole] if self[whole] else None


def added(figures: Iterable[Figures]) -> Figures:
    """Add figures up."""
    total: dict[Figure, int] = {}
    for one in figures:
        for figure, n in one.counts.items():
            total[figure] = total.get(figure, 0) + n
    return Figures(counts=total)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """The figures of one day, which begins at ``day`` (midnight, UTC)."""

    day: datetime
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Analytics:
    """What became of the mail accepted from ``since`` to ``until``, both midnights, UTC.

    ``days`` has every day, oldest first. ``products`` is by the tag ``product``; mail without it is
    under the empty name. Days that are over may be a minute behind.
    """

    since: datetime
    until: datetime
    days: Sequence[DayFigures]
    products: Mapping[str, Figures]

    @property
    def total(self) -> Figures:
        """The figures of all days."""
        return added(one.figures for one in self.days)
