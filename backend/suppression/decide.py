"""Who comes on the list for what SES told us, and whom the list keeps mail from. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.feedback import EventKind
from backend.model.patterns import candidates as patterns_of
from backend.model.suppression import SuppressionReason, SuppressionState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from backend.model.suppression import Suppression

_ON_ACCOUNT_LIST = "OnAccountSuppressionList"
NOT_SPAM = "not-spam"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """That a recipient comes on the list, why, and whether a person must look first."""

    reason: SuppressionReason
    state: SuppressionState = SuppressionState.ACTIVE


def listing(kind: EventKind, subtype: str, *, candidates: int) -> Listing | None:
    """Tell whether each recipient of an event comes on the list, None when they do not.

    ``subtype`` is FeedbackEvent.subtype; ``candidates`` is how many recipients the event names.
    """
    parts = subtype.split("/")
    # SES holds the address on its own list; that is no news about the mailbox
    if _ON_ACCOUNT_LIST in parts:
        return None
    if kind is EventKind.BOUNCE and parts[0] == "Permanent":
        return Listing(reason=SuppressionReason.BOUNCE)
    if kind is not EventKind.COMPLAINT or NOT_SPAM in parts:
        return None
    # a provider hides who complained: SES names everyone there who got the mail, so with more
    # than one of them most are innocent
    state = SuppressionState.ACTIVE if candidates == 1 else SuppressionState.REVIEW
    return Listing(reason=SuppressionReason.COMPLAINT, state=state)


def patterns(addresses: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Give for each address what on the list would name it, the closest first."""
    return {address: (address, *patterns_of(address)[1:]) for address in addresses}


def held_by(
    wanted: Mapping[str, tuple[str, ...]], entries: Iterable[Suppression], now: datetime
) -> dict[str, Suppression]:
    """Give the entry that keeps mail from an address, for each address that has one.

    An address beats a domain, a domain those above it, and a tenant's own entry the common one;
    all of them hold.
    """
    live: dict[str, Suppression] = {}
    for entry in entries:
        if entry.counts(now) and (entry.tenant_id or entry.address not in live):
            live[entry.address] = entry
    if not live:
        return {}
    found = {
        address: next((live[name] for name in names if name in live), None)
        for address, names in wanted.items()
    }
    return {address: entry for address, entry in found.items() if entry is not None}
