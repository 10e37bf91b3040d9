"""Work that only one process may do at a time: roles, held as leases in the database.

``RoleKeeper.run_as`` runs a loop while its role is held here, and stops it before anyone else can
take the role over. The holder renews every third of the lease.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.errors import TransientError
from backend.queue.owner import is_gone
from backend.queue.supervisor import first_to_end
from backend.store.schema import roles as t

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from backend.ports import Clock
    from backend.store.engine import Database
    from backend.store.types import Tx

log = structlog.get_logger("queue.roles")

LEASE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A role held by ``owner``; ``fence`` rises whenever a role changes hands."""

    role: str
    owner: str
    lease_until: datetime
    fence: int


def acquire(tx: Tx, role: str, owner: str, *, now: datetime, lease: timedelta) -> Holding | None:
    """Take a role that is free, has run out or is ours already; None when another holds it."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    until = now + lease
    row = insert(t).values(name=role, owner=owner, lease_until=until, fence=1)
    taken = row.on_conflict_do_update(
        index_elements=[t.c.name],
        set_={"owner": owner, "lease_until": until, "fence": t.c.fence + 1},
        where=or_(t.c.lease_until < now, t.c.owner == owner),
    )
    tx.execute(taken)
    now_held = holder(tx, role)  # an upsert's rowcount is not to be had on PostgreSQL
    return now_held if now_held is not None and now_held.owner == owner else None


def renew(tx: Tx, holding: Holding, *, now: datetime, lease: timedelta) -> bool:
    """Extend a role; False when it has changed hands."""
    mine = (t.c.name == holding.role, t.c.fence == holding.fence, t.c.owner == holding.owner)
    return tx.execute(update(t).where(*mine).values(lease_until=now + lease)).rowcount == 1


def give_up(tx: Tx, role: str, owner: str, *, now: datetime) -> None:
    """Let others take a role at once; nothing happens when ``owner`` does not hold it."""
    ended = now - timedelta(milliseconds=1)
    tx.execute(update(t).where(t.c.name == role, t.c.owner == owner).values(lease_until=ended))


def holder(tx: Tx, role: str) -> Holding | None:
    """Read who holds or last held a role."""
    row = tx.execute(select(t).where(t.c.name == role)).one_or_none()
    if row is None:
        return None
    return Holding(role=row.name, owner=row.owner, lease_until=row.lease_until, fence=row.fence)


def all_holders(tx: Tx) -> list[Holding]:
    """Read who holds or last held each role, by its name."""
    return [
        Holding(role=row.name, owner=row.owner, lease_until=row.lease_until, fence=row.fence)
        for row in tx.execute(select(t).order_by(t.c.name))
    ]


class RoleKeeper:
    """Takes roles for one process and keeps them."""

    def __init__(self, db: Database, clock: Clock, *, owner: str, lease: timedelta = LEASE) -> None:
        self._db = db
        self._clock = clock
        self._owner = owner
        self._lease = lease
        self._held: set[str] = set()

    @property
    def held(self) -> frozenset[str]:
        """Give the roles whose loops run here now."""
        return frozenset(self._held)

    async def run_as(self, role: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Run ``loop`` whenever this process holds ``role``; returns once ``loop`` returns.

        What ``loop`` raises is passed on after the role is given up.
        """
        while True:
            try:
                holding = await self._take(role)
            except TransientError as error:
                log.warning("role not taken", role=role, reason=str(error))
                holding = None
            if holding is None:
                await asyncio.sleep(self._pause)
            elif await self._run_while_held(holding, loop):
                return

    @property
    def _pause(self) -> float:
        return self._lease.total_seconds() / 3

    async def _take(self, role: str) -> Holding | None:
        now = self._clock.now()
        present = await self._db.read(holder, role)
        if present is not None and present.owner != self._owner:
            if is_gone(present.owner):
                await self._db.write(give_up, role, present.owner, now=now)
            elif present.lease_until >= now:
                return None
        return await self._db.write(acquire, role, self._owner, now=now, lease=self._lease)

    async def _run_while_held(self, holding: Holding, loop: Callable[[], Awaitable[None]]) -> bool:
        """Run ``loop`` until it ends (True) or the role is lost (False)."""
        ended = False

        async def run() -> None:
            nonlocal ended
            await loop()
            ended = True

        log.info("role taken", role=holding.role, fence=holding.fence)
        self._held.add(holding.role)
        try:
            await first_to_end(run, partial(self._renew_until_lost, holding))
        finally:
            self._held.discard(holding.role)
            await self._let_go(holding)
        return ended

    async def _renew_until_lost(self, holding: Holding) -> None:
        """Return when the role is lost, or may be: before the lease can run out unrenewed."""
        try:
            while True:
                async with asyncio.timeout(self._lease.total_seconds() * 2 / 3):
                    if not await self._renew(holding):
                        break
        except TimeoutError:
            pass
        log.warning("role lost", role=holding.role, fence=holding.fence)

    async def _renew(self, holding: Holding) -> bool:
        """Renew after a pause, however often that takes; False when another holds the role."""
        while True:
            await asyncio.sleep(self._pause)
            try:
                now = self._clock.now()
                return await self._db.write(renew, holding, now=now, lease=self._lease)
            except TransientError as error:
                log.warning("role not renewed", role=holding.role, reason=str(error))

    async def _let_go(self, holding: Holding) -> None:
        try:
            now = self._clock.now()
            await self._db.write(give_up, holding.role, holding.owner, now=now)
        except TransientError as error:
            log.warning("role not given up", role=holding.role, reason=str(error))
