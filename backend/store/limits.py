"""Rate limits of tenants and keys: what was set, and what they have used of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.limits import SendLimits
from backend.store.schema_limits import send_limits as t

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy import Row

    from backend.store.types import Tx

Owner = tuple[str, str]
"""A tenant and a key of it; the key "" is the tenant itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """The limits set for an owner, and what it has used (see outbound/windows.py)."""

    own: SendLimits
    used: dict[str, list[list[int]]]


NOTHING = Limited(own=SendLimits(), used={})


def lock(tx: Tx, owners: Collection[Owner], now: datetime) -> dict[Owner, Limited]:
    """Read owners and let nobody else count for them before this transaction ends."""
    found = _locked(tx, owners)
    missing = [owner for owner in owners if owner not in found]
    if missing:
        rows = [_fresh(owner, now) for owner in missing]
        tx.execute(_ADD[tx.dialect.name], rows)
        found = _locked(tx, owners)
    return found


def save_used(tx: Tx, used: Mapping[Owner, dict[str, list[list[int]]]]) -> None:
    """Write what owners have used by now; they must have been locked."""
    if used:
        tx.execute(
            _SAVE,
            [
                {"b_tenant": tenant_id, "b_key": key_id, "used": counts}
                for (tenant_id, key_id), counts in used.items()
            ],
        )


def get(tx: Tx, owner: Owner) -> Limited:
    """Read one owner; nothing set and nothing used when there is no row."""
    row = tx.execute(select(t).where(*_is(owner))).one_or_none()
    return NOTHING if row is None else _limited(row)


def keys_of(tx: Tx, tenant_id: str) -> list[Owner]:
    """Give the tenant and its keys that have a row, the tenant first."""
    rows = select(t.c.tenant_id, t.c.key_id).where(t.c.tenant_id == tenant_id)
    return [(row.tenant_id, row.key_id) for row in tx.execute(rows.order_by(t.c.key_id))]


def set_own(tx: Tx, owner: Owner, own: SendLimits, now: datetime) -> None:
    """Write the limits of an owner; what it has used stays."""
    lock(tx, [owner], now)
    values = {
        "per_second": own.second,
        "per_minute": own.minute,
        "per_hour": own.hour,
        "per_day": own.day,
        "updated_at": now,
    }
    tx.execute(update(t).where(*_is(owner)).values(values))


def hand_down(tx: Tx, owner: Owner, heir: Owner, now: datetime) -> None:
    """Give an heir the limits set for an owner, with what is used of them; none without any."""
    found = get(tx, owner)
    if found.own != SendLimits():
        set_own(tx, heir, found.own, now)
        save_used(tx, {heir: found.used})


def _locked(tx: Tx, owners: Collection[Owner]) -> dict[Owner, Limited]:
    # in one order, so that two servers cannot wait for each other
    wanted = tuple_(t.c.tenant_id, t.c.key_id).in_(sorted(owners))
    query = select(t).where(wanted).order_by(t.c.tenant_id, t.c.key_id).with_for_update()
    return {(row.tenant_id, row.key_id): _limited(row) for row in tx.execute(query)}


def _is(owner: Owner) -> tuple[Any, Any]:
    return t.c.tenant_id == owner[0], t.c.key_id == owner[1]


def _fresh(owner: Owner, now: datetime) -> dict[str, object]:
    return {"tenant_id": owner[0], "key_id": owner[1], "used": {}, "updated_at": now}


def _limited(row: Row[Any]) -> Limited:
    own = SendLimits(
        second=row.per_second, minute=row.per_minute, hour=row.per_hour, day=row.per_day
    )
    return Limited(own=own, used=row.used)


_ADD = {
    "postgresql": postgresql.insert(t).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(t).on_conflict_do_nothing(),
}
_SAVE = (
    update(t)
    .where(t.c.tenant_id == bindparam("b_tenant"), t.c.key_id == bindparam("b_key"))
    .values(used=bindparam("used"))
)
