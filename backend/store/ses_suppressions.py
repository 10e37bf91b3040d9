"""What SES held on the account's own list when it was last asked, and how ours differs from it.

A row that an older listing named and the newest did not is gone from SES; it stays until a sync
has acted on that. The questions below are answered in pages by address, so that a list of any
length can be compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, delete, exists, func, insert, not_, or_, select, update

from backend.model.explained import Explained
from backend.model.suppression import SuppressionReason, SuppressionState
from backend.ports import HeldAddress
from backend.store.schema_suppressions import ses_suppressions as there
from backend.store.schema_suppressions import suppression_removals as removals
from backend.store.schema_suppressions import suppressions as here

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from typing import Any

    from sqlalchemy import ColumnElement, Select

    from backend.store.types import Tx

AT_SES = (SuppressionReason.BOUNCE, SuppressionReason.COMPLAINT)
"""The only reasons SES knows."""
_REASONS = [reason.value for reason in AT_SES]


class Ours(NamedTuple):
    """One of our entries, as far as SES is concerned; ``spelling`` may be empty."""

    id: str
    address: str
    spelling: str
    reason: SuppressionReason


class Side(Explained):
    """The ways in which the two lists can differ."""

    ONLY_THERE = "only_there", "SES holds it and we never removed it."
    FREED_HERE = "freed_here", "We removed it and SES still holds it."
    ONLY_HERE = "only_here", "A bounce or complaint that SES does not hold."
    FREED_THERE = "freed_there", "SES held it when last asked and holds it no more."
    KEPT_HERE = "kept_here", "SES has no reason for it: by hand, by import; or it ends."


def see(tx: Tx, held: Sequence[HeldAddress], listing: str) -> None:
    """Write down a page of the listing with this id."""
    if not held:
        return
    spellings = [one.spelling for one in held]
    tx.execute(delete(there).where(there.c.spelling.in_(spellings)))
    by_spelling = {one.spelling: one for one in held}
    tx.execute(
        insert(there),
        [
            {
                "spelling": one.spelling,
                "address": one.spelling.lower(),
                "reason": one.reason.value,
                "updated_at": one.updated_at,
                "listing": listing,
            }
            for one in by_spelling.values()
        ],
    )


def freed(tx: Tx, spellings: Collection[str]) -> None:
    """Write down that SES holds these no more."""
    tx.execute(delete(there).where(there.c.spelling.in_(list(spellings))))


def spellings(tx: Tx, addresses: Collection[str]) -> list[str]:
    """Give every spelling under which SES was seen to hold these addresses."""
    rows = select(there.c.spelling).where(there.c.address.in_(list(addresses)))
    return list(tx.execute(rows.order_by(there.c.spelling)).scalars())


def removed(tx: Tx, addresses: Collection[str], at: datetime) -> None:
    """Remember that addresses were taken off our list on purpose."""
    known = {
        *tx.execute(
            select(removals.c.address).where(removals.c.address.in_(list(addresses)))
        ).scalars()
    }
    if known:
        again = update(removals).where(removals.c.address.in_(list(known)))
        tx.execute(again.values(removed_at=at))
    fresh = [address for address in dict.fromkeys(addresses) if address not in known]
    if fresh:
        tx.execute(insert(removals), [{"address": one, "removed_at": at} for one in fresh])


def forget(tx: Tx, listing: str, before: datetime) -> None:
    """Drop what a complete listing has settled: removals that SES shares, and rows that are gone.

    A row that is gone stays while we still hold the address: the next pull takes it off here.
    """
    now_there = exists().where(there.c.address == removals.c.address, there.c.listing == listing)
    tx.execute(delete(removals).where(removals.c.removed_at < before, not_(now_there)))
    ours = exists().where(here.c.address == there.c.address)
    tx.execute(delete(there).where(there.c.listing != listing, not_(ours)))


def count(tx: Tx, side: Side, listing: str, now: datetime) -> int:
    """Count the addresses that differ in one way."""
    return tx.execute(
        select(func.count()).select_from(_side(side, listing, now).subquery())
    ).scalar_one()


def count_both(tx: Tx, listing: str, now: datetime) -> int:
    """Count the addresses both sides hold."""
    both = select(there.c.address).where(there.c.listing == listing, _held_here(now)).distinct()
    return tx.execute(select(func.count()).select_from(both.subquery())).scalar_one()


def page(
    tx: Tx, side: Side, listing: str, now: datetime, *, after: str = "", size: int = 500
) -> list[str]:
    """Give addresses that differ in one way, by address, from the one after ``after``."""
    found = _side(side, listing, now).subquery()
    rows = select(found.c.address).where(found.c.address > after).order_by(found.c.address)
    return list(tx.execute(rows.limit(size)).scalars())


def held(tx: Tx, addresses: Collection[str], listing: str) -> list[HeldAddress]:
    """Give what the listing says of addresses, every spelling of each."""
    rows = select(there).where(there.c.address.in_(list(addresses)), there.c.listing == listing)
    return [
        HeldAddress(
            spelling=row.spelling, reason=SuppressionReason(row.reason), updated_at=row.updated_at
        )
        for row in tx.execute(rows)
    ]


def ours(tx: Tx, addresses: Collection[str]) -> list[Ours]:
    """Give our entries that SES could hold, those of every tenant."""
    rows = select(here.c.id, here.c.address, here.c.spelling, here.c.reason).where(
        here.c.address.in_(list(addresses)),
        here.c.reason.in_(_REASONS),
        here.c.state == SuppressionState.ACTIVE.value,
        here.c.expires_at.is_(None),
    )
    return [
        Ours(row.id, row.address, row.spelling, SuppressionReason(row.reason))
        for row in tx.execute(rows.order_by(here.c.address, here.c.spelling))
    ]


def _side(side: Side, listing: str, now: datetime) -> Select[Any]:
    if side in (Side.ONLY_THERE, Side.FREED_HERE):
        on_purpose = exists().where(
            removals.c.address == there.c.address, removals.c.removed_at >= there.c.updated_at
        )
        # SES knows no end: what has ended here is to be freed there, not to come back from there
        freed = or_(on_purpose, exists().where(here.c.address == there.c.address, _ended(now)))
        wanted = freed if side is Side.FREED_HERE else not_(freed)
        rows = select(there.c.address).where(there.c.listing == listing, wanted)
        return rows.where(not_(_held_here(now))).distinct()
    return select(here.c.address).where(_only_ours(side, listing, now)).distinct()


def _only_ours(side: Side, listing: str, now: datetime) -> ColumnElement[bool]:
    now_there = exists().where(there.c.address == here.c.address, there.c.listing == listing)
    once_there = exists().where(there.c.address == here.c.address, there.c.listing != listing)
    known_reason = and_(
        here.c.reason.in_(_REASONS), here.c.address.contains("@"), here.c.expires_at.is_(None)
    )
    wanted = {
        Side.ONLY_HERE: and_(known_reason, not_(once_there)),
        Side.FREED_THERE: and_(known_reason, once_there),
        Side.KEPT_HERE: not_(known_reason),
    }[side]
    return and_(_live(now), wanted, not_(now_there))


def _held_here(now: datetime) -> ColumnElement[bool]:
    return exists().where(here.c.address == there.c.address, _live(now))


def _ended(now: datetime) -> ColumnElement[bool]:
    return and_(here.c.expires_at <= now, there.c.updated_at <= here.c.expires_at)


def _live(now: datetime) -> ColumnElement[bool]:
    return and_(
        here.c.state == SuppressionState.ACTIVE.value,
        or_(here.c.expires_at.is_(None), here.c.expires_at > now),
    )
