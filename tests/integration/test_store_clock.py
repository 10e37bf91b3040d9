"""The time that all processes on one database share."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from backend.clock import SystemClock
from backend.store.database_clock import DatabaseClock
from backend.store.engine import open_database

if TYPE_CHECKING:
    from backend.store.engine import Database
    from tests.settable import SettableClock


async def test_on_postgresql_time_is_the_servers_whatever_the_machine_believes(
    postgresql_url: str, clock: SettableClock
) -> None:
    shared = DatabaseClock(clock)
    assert shared.now() == clock.now()
    db = open_database(postgresql_url)
    await shared.sync(db)
    db.close()
    assert abs(shared.now() - SystemClock().now()) < timedelta(minutes=1)

    before = shared.now()
    clock.set(clock.now() - timedelta(hours=5))  # an administrator's hand changes nothing
    assert shared.now() == before
    clock.advance(7.25)
    assert shared.now() - before == timedelta(seconds=7.25)


async def test_on_sqlite_time_is_the_machines(db: Database, clock: SettableClock) -> None:
    shared = DatabaseClock(clock)
    await shared.sync(db)
    clock.advance(timedelta(hours=1))
    assert (shared.now(), shared.monotonic()) == (clock.now(), clock.monotonic())
