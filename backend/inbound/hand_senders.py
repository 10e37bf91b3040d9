"""The list entry that goes with a release or a spam mark: whose, for how long. Reads only.

An entry that says as much already is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.inbound.match_trust import PUBLIC_PROVIDERS
from backend.model.address import domain_of
from backend.model.patterns import read_pattern
from backend.model.quarantine import SenderPart
from backend.model.screening import ListEntry, ListKind
from backend.store import sender_lists

if TYPE_CHECKING:
    from datetime import datetime

    from backend.model.inbound import InboundMessage
    from backend.store.audit import Hand
    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderWish:
    """Which list the sender is to be on; ``part`` None is no list."""

    kind: ListKind
    part: SenderPart | None
    everywhere: bool
    until: datetime | None = None
    note: str = ""


def plan_entry(
    tx: Tx, hand: Hand, message: InboundMessage, wish: SenderWish
) -> ListEntry | str | None:
    """Make the entry, say why there can be none, or give None when none is needed."""
    if wish.part is None:
        return None
    if not (wish.everywhere or message.tenant_id):
        return f"its tenant is not known; {wish.kind.value} its sender for every tenant, or not"
    # only what is shown can be trusted; the envelope sender can be blocked (sender_lists.py)
    shown = message.from_address
    sender = shown if wish.kind is ListKind.ALLOW else shown or message.envelope_from
    wanted = sender if wish.part is SenderPart.ADDRESS else domain_of(sender)
    if wish.part is SenderPart.DOMAIN and wanted in PUBLIC_PROVIDERS:
        return f"{wanted} gives mailboxes to everybody; {wish.kind.value} the address instead"
    try:
        pattern = read_pattern(wanted)
    except InvalidInputError:
        return f"it names no sender that could be put on the {wish.kind.value}list"
    tenant_id = "" if wish.everywhere else message.tenant_id
    known = sender_lists.find(tx, wish.kind, pattern, tenant_id)
    if known is not None and _lasts(known, wish.until):
        return None
    return ListEntry(
        id=hand.ids.new("lst"),
        tenant_id=tenant_id,
        kind=wish.kind,
        pattern=pattern,
        created_at=hand.at,
        created_by=hand.actor,
        note=wish.note or f"with {message.id}",
        expires_at=wish.until,
    )


def _lasts(entry: ListEntry, until: datetime | None) -> bool:
    """Tell whether an entry holds at least until then; None is for good."""
    if entry.expires_at is None:
        return True
    return until is not None and entry.expires_at >= until
