"""Bring our list and the account's list at SES together, and tell how they differ.

The whole list of SES is read first, at its own pace, and written down beside ours; what differs is
then a question to the database. SES knows bounces and complaints of mailboxes only: what else is on
our list stays here. What is pulled holds for every tenant, as the account's list does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.model.suppression import Drift, Suppression, SyncReport, SyncWay
from backend.ports import HeldAddress
from backend.store import audit, ses_suppressions, suppressions
from backend.store.ses_suppressions import Side

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import datetime

    from backend.ports import AccountSuppressions, Clock, Ids
    from backend.store.engine import Database
    from backend.store.types import Tx

FEW = 20  # addresses that may be gone from SES without a question
NAMED = 20  # addresses a report names for each way to differ
_PAGE = 500
BY_SES = "ses"
"""Who has put a pulled entry on our list."""


def _unheard(_what: str, _done: int) -> None:
    return


class Sync:
    """One sync in the name of ``actor``; ``heard`` is told what was done and how often."""

    def __init__(
        self,
        db: Database,
        account: AccountSuppressions,
        clock: Clock,
        ids: Ids,
        *,
        heard: Callable[[str, int], None] = _unheard,
    ) -> None:
        self._db = db
        self._account = account
        self._clock = clock
        self._ids = ids
        self._heard = heard
        self._listing = ids.new("lst")
        self._at = clock.now()

    async def run(
        self, way: SyncWay, *, dry_run: bool, actor: str, sure: bool = False
    ) -> SyncReport:
        """Compare, and unless it is a dry run let one side or both give way.

        Raises TransientError when SES does not answer; what was done until then stays done, and
        another sync goes on from there. Raises InvalidInputError when most of what SES held is
        gone and the caller is not ``sure``: another account or region would look like that.
        """
        await self._list()
        drift = await self._db.read(_drift, self._listing, self._at)
        if dry_run:
            return SyncReport(drift=drift, way=way, dry_run=True)
        pull, push = way is not SyncWay.PUSH, way is not SyncWay.PULL
        if pull and not sure and drift.freed_there > max(FEW, drift.in_both):
            raise InvalidInputError(
                f"sync: SES holds {drift.freed_there:,} addresses no more that it held when last"
                f" asked, and only {drift.in_both:,} of ours; nothing was changed. Look whether"
                " the AWS account and region are the right ones; --sure takes those off our list,"
                " --push puts them on that of SES",
                field="sure",
            )
        added_here = await self._pull() if pull else 0
        removed_here = await self._let_go() if pull else 0
        removed_there = await self._free() if push else 0
        added_there = await self._push() if push else 0
        await self._db.write(ses_suppressions.forget, self._listing, self._at)
        report = SyncReport(
            drift=drift,
            way=way,
            dry_run=False,
            added_here=added_here,
            removed_here=removed_here,
            added_there=added_there,
            removed_there=removed_there,
        )
        await self._db.write(audit.add, self._note(report, actor))
        return report

    async def _list(self) -> None:
        """Write down all that SES holds."""
        seen = 0
        async for held in self._account.pages():
            await self._db.write(ses_suppressions.see, held, self._listing)
            seen += len(held)
            self._heard("listed", seen)

    async def _pull(self) -> int:
        """Put on our list what only SES holds."""
        added = 0
        async for addresses in self._pages(Side.ONLY_THERE):
            added += await self._db.write(self._take_over, addresses)
            self._heard("added here", added)
        return added

    def _take_over(self, tx: Tx, addresses: Sequence[str]) -> int:
        held = ses_suppressions.held(tx, addresses, self._listing)
        entries = [
            Suppression(
                id=self._ids.new("sup"),
                tenant_id="",
                address=one.spelling.lower(),
                reason=one.reason,
                created_at=one.updated_at,
                detail="on the account's list at SES",
                created_by=BY_SES,
                spelling=one.spelling if one.spelling != one.spelling.lower() else "",
            )
            for one in held
        ]
        return suppressions.insert_many(tx, entries, self._at)

    async def _let_go(self) -> int:
        """Take off our list what SES has freed since it was last asked."""
        removed = 0
        async for addresses in self._pages(Side.FREED_THERE):
            removed += await self._db.write(_take_off, addresses)
            self._heard("removed here", removed)
        return removed

    async def _push(self) -> int:
        """Put on the list of SES what only ours holds."""
        added = 0
        async for addresses in self._pages(Side.ONLY_HERE):
            # several tenants may hold one address; the account holds it once, as it was spelt
            entries = await self._db.read(ses_suppressions.ours, addresses)
            for one in {entry.address: entry for entry in entries}.values():
                spelling = one.spelling or one.address
                await self._account.put(spelling, one.reason)
                held = HeldAddress(
                    spelling=spelling, reason=one.reason, updated_at=self._clock.now()
                )
                await self._db.write(ses_suppressions.see, [held], self._listing)
                added += 1
                self._heard("added at SES", added)
        return added

    async def _free(self) -> int:
        """Delete at SES what we removed, in every spelling SES holds it in."""
        removed = 0
        async for addresses in self._pages(Side.FREED_HERE):
            for one in await self._db.read(ses_suppressions.held, addresses, self._listing):
                removed += await self._account.delete(one.spelling)
                await self._db.write(ses_suppressions.freed, [one.spelling])
                self._heard("removed at SES", removed)
        return removed

    async def _pages(self, side: Side) -> AsyncIterator[list[str]]:
        after = ""
        while addresses := await self._db.read(
            ses_suppressions.page, side, self._listing, self._at, after=after, size=_PAGE
        ):
            yield addresses
            after = addresses[-1]

    def _note(self, report: SyncReport, actor: str) -> audit.AuditEntry:
        return audit.AuditEntry(
            id=self._ids.new("aud"),
            at=self._clock.now(),
            actor=actor,
            action="suppression.sync",
            subject=self._listing,
            detail={
                "way": report.way.value,
                "added_here": str(report.added_here),
                "removed_here": str(report.removed_here),
                "added_there": str(report.added_there),
                "removed_there": str(report.removed_there),
            },
        )


def _drift(tx: Tx, listing: str, at: datetime) -> Drift:
    sides = {side.value: ses_suppressions.count(tx, side, listing, at) for side in Side}
    pages = {side: ses_suppressions.page(tx, side, listing, at, size=NAMED) for side in Side}
    return Drift(
        listed_at=at,
        in_both=ses_suppressions.count_both(tx, listing, at),
        examples={side.value: tuple(page) for side, page in pages.items() if page},
        **sides,
    )


def _take_off(tx: Tx, addresses: Sequence[str]) -> int:
    entries = ses_suppressions.ours(tx, addresses)
    for entry in entries:
        suppressions.remove(tx, entry.id)
    ses_suppressions.freed(tx, ses_suppressions.spellings(tx, addresses))
    return len(entries)
