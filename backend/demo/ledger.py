"""The world's own book: what it handed over, and what must have become of it.

Loss and duplication are judged by this book against what the SES stand-in accepted and what the
desk received. The program under test is asked only whether it shows what it keeps. No I/O.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


class Fate(Explained):
    """What must become of something the world handed over."""

    SENT = "sent", "SES must have it exactly once."
    LATER = "later", "It is scheduled; SES must not have it yet."
    SPARED = "spared", "Its reader bounces or complains: SES has it once, or it is left out."
    FORWARDED = "forwarded", "The desk must have it exactly once."
    KEPT = "kept", "It must be stored and shown, and the desk must not have it."


@dataclass(frozen=True, slots=True)
class Audit:
    """What is missing and what came twice, by the world's own markers."""

    lost: tuple[str, ...]
    duplicates: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Tell whether nothing was lost and nothing came twice."""
        return not self.lost and not self.duplicates


@dataclass(slots=True)
class Ledger:
    """Everything handed over, by marker: outbound by the ``world`` tag, inbound by Message-ID.

    ``ids`` are those the API gave to what was handed to it.
    """

    outbound: dict[str, Fate] = field(default_factory=dict)
    inbound: dict[str, Fate] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Ledger:
        """Give the book as it is now."""
        return Ledger(dict(self.outbound), dict(self.inbound), dict(self.ids))

    def audit(
        self,
        *,
        at_ses: Iterable[str],
        at_desk: Iterable[str],
        stored: Mapping[str, bool],
        left_out: Collection[str] = (),
    ) -> Audit:
        """Compare with the markers seen at SES and at the desk.

        ``stored`` tells, per Message-ID, whether the program shows the message and has settled it;
        ``left_out`` is the mail that it shows as not sent because of the suppression list.
        """
        sent, delivered = Counter(at_ses), Counter(at_desk)
        excused = {m for m in left_out if self.outbound.get(m) is Fate.SPARED}
        due = {Fate.SENT, Fate.SPARED}
        lost = [
            m
            for m, fate in self.outbound.items()
            if fate in due and not sent[m] and m not in excused
        ]
        doubled = [m for m in self.outbound if sent[m] > 1]
        for marker, fate in self.inbound.items():
            seen = delivered[marker]
            if (fate is Fate.FORWARDED and not seen) or not stored.get(marker):
                lost.append(marker)
            if seen > (1 if fate is Fate.FORWARDED else 0):
                doubled.append(marker)
        return Audit(tuple(lost), tuple(doubled))
