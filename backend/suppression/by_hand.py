"""Changes of the suppression list by a person, each with its line in the audit log."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError, NotFoundError
from backend.model.patterns import read_pattern
from backend.model.storable import storable
from backend.model.suppression import (
    Suppression,
    SuppressionKind,
    SuppressionState,
    SuppressionWish,
)
from backend.model.work import WorkKind
from backend.queue import items
from backend.store import audit, ses_suppressions, suppressions, tenants

if TYPE_CHECKING:
    from backend.store.audit import Hand
    from backend.store.types import Tx

MAX_NOTE = 500


def normalise(address: str) -> str:
    """Give the form the list keeps, of an address or a domain; raises InvalidInputError."""
    return read_pattern(address, field="address", what="address or domain")


def add(tx: Tx, hand: Hand, wish: SuppressionWish) -> Suppression:
    """Suppress an address or a domain; what is on the list already keeps its older entry.

    An older entry that ends sooner gives way. Raises InvalidInputError for what is no address
    and NotFoundError for an unknown tenant.
    """
    if len(wish.note) > MAX_NOTE:
        raise InvalidInputError(f"note: more than {MAX_NOTE} characters", field="note")
    if wish.expires_at is not None and wish.expires_at <= hand.at:
        raise InvalidInputError("expires: the moment is past; give a later one", field="expires")
    if wish.tenant_id and tenants.get(tx, wish.tenant_id) is None:
        raise NotFoundError(f"there is no tenant {wish.tenant_id}")
    entry = Suppression(
        id=hand.ids.new("sup"),
        tenant_id=wish.tenant_id,
        address=normalise(wish.address),
        reason=wish.reason,
        created_at=hand.at,
        note=storable(wish.note),
        expires_at=wish.expires_at,
        created_by=hand.actor,
        spelling=_spelling(wish.address),
    )
    if not suppressions.insert(tx, entry):
        return suppressions.find(tx, wish.tenant_id, [entry.address])[entry.address]
    _note(tx, hand, "suppression.add", entry)
    return entry


def remove(tx: Tx, hand: Hand, suppression_id: str, tenant_id: str | None = None) -> Suppression:
    """Take an entry off the list, here and soon at SES, and give it.

    With ``tenant_id`` an entry of another tenant is as if it were not there. Raises NotFoundError.
    """
    entry = suppressions.get(tx, suppression_id)
    if entry is None or tenant_id not in (None, entry.tenant_id):
        raise NotFoundError(f"there is no suppression {suppression_id}; was it removed already?")
    suppressions.remove(tx, entry.id)
    if entry.kind is SuppressionKind.ADDRESS and entry.state is SuppressionState.ACTIVE:
        ses_suppressions.removed(tx, [entry.address], hand.at)
        # the list of SES is all tenants': one must not free what refused the mail of another
        if not suppressions.is_refused(tx, entry.address, hand.at):
            ref = entry.spelling or entry.address
            items.enqueue(tx, WorkKind.UNSUPPRESS, ref, run_at=hand.at, now=hand.at)
    _note(tx, hand, "suppression.remove", entry)
    return entry


def restore(tx: Tx, hand: Hand, entry: Suppression) -> None:
    """Put a removed entry back as it was; a newer entry for the address gives way to it."""
    newer = suppressions.find(tx, entry.tenant_id, [entry.address]).get(entry.address)
    if newer is not None:
        suppressions.remove(tx, newer.id)
    suppressions.insert(tx, entry)
    _note(tx, hand, "suppression.restore", entry)


def accept(tx: Tx, hand: Hand, suppression_id: str, tenant_id: str | None = None) -> Suppression:
    """Let an entry that waits for review count; raises NotFoundError."""
    entry = _waiting(tx, suppression_id, tenant_id)
    suppressions.remove(tx, entry.id)
    counted = replace(entry, state=SuppressionState.ACTIVE)
    suppressions.insert(tx, counted, now=hand.at)
    _note(tx, hand, "suppression.accept", counted)
    return counted


def dismiss(tx: Tx, hand: Hand, suppression_id: str, tenant_id: str | None = None) -> Suppression:
    """Drop an entry that waits for review: it was another who complained; raises NotFoundError."""
    entry = _waiting(tx, suppression_id, tenant_id)
    suppressions.remove(tx, entry.id)
    _note(tx, hand, "suppression.dismiss", entry)
    return entry


def _waiting(tx: Tx, suppression_id: str, tenant_id: str | None) -> Suppression:
    entry = suppressions.get(tx, suppression_id)
    foreign = entry is not None and tenant_id not in (None, entry.tenant_id)
    if entry is None or foreign or entry.state is not SuppressionState.REVIEW:
        raise NotFoundError(f"{suppression_id} does not wait for review; was it decided already?")
    return entry


def _spelling(address: str) -> str:
    bare = address.strip()
    return bare if "@" in bare and bare != bare.lower() and "<" not in bare else ""


def _note(tx: Tx, hand: Hand, action: str, entry: Suppression) -> None:
    detail = {"address": entry.address, "reason": entry.reason.value}
    audit.add(tx, hand.entry(action, entry.id, tenant_id=entry.tenant_id, detail=detail))
