"""Changes of the suppression list by a person, each with its line in the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError, NotFoundError
from backend.model.address import parse_address
from backend.model.suppression import Suppression, SuppressionReason
from backend.store import audit, suppressions, tenants

if TYPE_CHECKING:
    from datetime import datetime

    from backend.ports import Ids
    from backend.store.types import Tx

MAX_DETAIL = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who acts, and when: ``actor`` is the OS, SSH or API user."""

    actor: str
    at: datetime
    ids: Ids


def normalise(address: str) -> str:
    """Give the form the list keeps: bare, lower case, punycode; raises InvalidInputError."""
    return parse_address(address, field="address").key


def add(tx: Tx, hand: Hand, tenant_id: str, address: str, detail: str = "") -> Suppression:
    """Suppress an address; one that is on the list already keeps its older entry.

    Raises InvalidInputError for what is no address and NotFoundError for an unknown tenant.
    """
    if len(detail) > MAX_DETAIL:
        raise InvalidInputError(f"detail: more than {MAX_DETAIL} characters", field="detail")
    if tenants.get(tx, tenant_id) is None:
        raise NotFoundError(f"there is no tenant {tenant_id}")
    entry = Suppression(
        id=hand.ids.new("sup"),
        tenant_id=tenant_id,
        address=normalise(address),
        reason=SuppressionReason.MANUAL,
        created_at=hand.at,
        detail=detail,
        created_by=hand.actor,
    )
    if not suppressions.insert(tx, entry):
        return suppressions.find(tx, tenant_id, [entry.address])[entry.address]
    _note(tx, hand, "suppression.add", entry)
    return entry


def remove(tx: Tx, hand: Hand, suppression_id: str) -> Suppression:
    """Take an entry off the list and give it; raises NotFoundError."""
    entry = suppressions.remove(tx, suppression_id)
    if entry is None:
        raise NotFoundError(f"there is no suppression {suppression_id}; was it removed already?")
    _note(tx, hand, "suppression.remove", entry)
    return entry


def restore(tx: Tx, hand: Hand, entry: Suppression) -> None:
    """Put a removed entry back as it was; a newer entry for the address gives way to it."""
    newer = suppressions.find(tx, entry.tenant_id, [entry.address]).get(entry.address)
    if newer is not None:
        suppressions.remove(tx, newer.id)
    suppressions.insert(tx, entry)
    _note(tx, hand, "suppression.restore", entry)


def _note(tx: Tx, hand: Hand, action: str, entry: Suppression) -> None:
    audit.add(
        tx,
        audit.AuditEntry(
            id=hand.ids.new("aud"),
            at=hand.at,
            actor=hand.actor,
            action=action,
            subject=entry.id,
            tenant_id=entry.tenant_id,
            detail={"address": entry.address, "reason": entry.reason.value},
        ),
    )
