"""Joins the loops of this package to the supervisor; backend/app.py calls it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.analytics.indexer import INDEXER, Indexer
from backend.analytics.rollups import ROLLUPS, Rollups
from backend.analytics.standing import BrakeRule
from backend.analytics.watch import WATCH, Watch
from backend.clock import UlidIds

if TYPE_CHECKING:
    from backend.config import Config
    from backend.ports import Clock
    from backend.queue.roles import RoleKeeper
    from backend.queue.supervisor import Supervisor
    from backend.store.engine import Database


def add_loops(
    supervisor: Supervisor, keeper: RoleKeeper, db: Database, clock: Clock, config: Config
) -> None:
    """Add the indexer, the rollups and the watch, each under its role."""
    ids = UlidIds()
    rule = BrakeRule(
        bounce_rate=config.brake_bounce_percent / 100,
        complaint_rate=config.brake_complaint_percent / 100,
    )
    indexer, rollups = Indexer(db), Rollups(db, clock)

    async def index() -> None:
        await keeper.run_as(INDEXER, indexer.run)

    async def sum_up() -> None:
        await keeper.run_as(ROLLUPS, rollups.run)

    async def watch() -> None:
        await keeper.run_as(WATCH, Watch(db=db, clock=clock, ids=ids, rule=rule).run)

    supervisor.add(INDEXER, index)
    supervisor.add(WATCH, watch)
    supervisor.add(ROLLUPS, sum_up)
