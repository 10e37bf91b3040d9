"""What becomes of mail to an address: the mailbox simulator, and rules of our own. No I/O.

An outcome is a word with an optional subtype: ``delivery``, ``bounce``, ``bounce:MailboxFull``,
``delay:SpamDetected``, ``complaint:not-spam``, ``open``, ``click``, ``reject``,
``rendering_failure``, ``ooto``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.model.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIMULATOR = "simulator.amazonses.com"


class OutcomeKind(Explained):
    """What SES can report of a mail it has taken."""

    DELIVERY = "delivery", "The receiving server takes it."
    BOUNCE = "bounce", "The receiving server refuses it."
    COMPLAINT = "complaint", "The reader calls it spam."
    DELAY = "delay", "The receiving server puts it off."
    OPEN = "open", "The reader opens it."
    CLICK = "click", "The reader follows a link."
    REJECT = "reject", "SES finds a virus."
    RENDERING_FAILURE = "rendering_failure", "A template variable is missing."
    OOTO = "ooto", "The reader is out of office."


Outcomes = tuple[tuple[OutcomeKind, str], ...]

_SIMULATED = {
    "success": "delivery",
    "bounce": "bounce",
    "ooto": "ooto",
    "complaint": "complaint",
    "suppressionlist": "bounce:OnAccountSuppressionList",
}
# SES: a complaint and an absence note come from a mailbox, so the mail was delivered first.
_AFTER_DELIVERY = frozenset(
    {OutcomeKind.COMPLAINT, OutcomeKind.OOTO, OutcomeKind.OPEN, OutcomeKind.CLICK}
)


def read_outcomes(words: Sequence[str]) -> Outcomes:
    """Read outcome words; raises InvalidInputError for one that is not known."""
    found = []
    for word in words:
        kind, _, subtype = word.partition(":")
        try:
            found.append((OutcomeKind(kind), subtype))
        except ValueError:
            raise InvalidInputError(
                f"outcome {word!r} is not known; the words are " + ", ".join(OutcomeKind),
                field="outcomes",
            ) from None
    return tuple(found)


def outcomes_for(address: str, rules: Mapping[str, Outcomes]) -> Outcomes:
    """Decide by exact address, then simulator, then ``@domain``; else it is delivered."""
    local, _, domain = address.lower().rpartition("@")
    if found := rules.get(f"{local}@{domain}"):
        return found
    if domain == SIMULATOR:
        word = _SIMULATED.get(local.partition("+")[0], "bounce")
        return _delivered_first(read_outcomes([word]))
    return rules.get(f"@{domain}", ((OutcomeKind.DELIVERY, ""),))


def _delivered_first(outcomes: Outcomes) -> Outcomes:
    if outcomes[0][0] in _AFTER_DELIVERY:
        return ((OutcomeKind.DELIVERY, ""), *outcomes)
    return outcomes
