"""The checkpointer folds the WAL when writing pauses, and now and then when it does not."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

from sqlalchemy import insert

from backend.clock import SystemClock
from backend.queue.checkpointer import Checkpointer
from backend.store.engine import open_database
from backend.store.schema import tenants
from tests.settable import START
from tests.waiting import until_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from backend.store.engine import Database
    from backend.store.types import Tx


def add(tx: Tx, number: int) -> None:
    """Insert a tenant of this number."""
    tx.execute(insert(tenants).values(id=f"ten_{number}", name=f"T{number}", created_at=START))


@asynccontextmanager
async def folding(db: Database, fold_seconds: float) -> AsyncIterator[None]:
    """Run a hasty checkpointer."""
    loop = Checkpointer(db, SystemClock(), look_seconds=0.02, fold_seconds=fold_seconds)
    task = asyncio.ensure_future(loop.run())
    yield
    task.cancel()
    await asyncio.wait([task])


def folded(path: Path) -> int:
    """Count the tenants in the database file itself, without its WAL."""
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    with closing(sqlite3.connect(copy)) as connection:
        return int(connection.execute("SELECT count(*) FROM tenants").fetchone()[0])


async def test_the_wal_is_folded_once_writing_pauses(db: Database, tmp_path: Path) -> None:
    await db.write(add, 1)
    async with folding(db, fold_seconds=3600):

        async def is_folded() -> bool:
            return folded(tmp_path / "relay.db") > 0

        await until_async(is_folded)

    assert folded(tmp_path / "relay.db") == 1


async def test_the_wal_is_folded_now_and_then_while_writing_goes_on(
    db: Database, tmp_path: Path
) -> None:
    written = 0
    async with folding(db, fold_seconds=0.1):

        async def is_folded() -> bool:
            nonlocal written
            written += 1
            await db.write(add, written)
            return folded(tmp_path / "relay.db") > 0

        await until_async(is_folded)

    assert 0 < folded(tmp_path / "relay.db") <= written


async def test_on_postgresql_there_is_nothing_to_do(postgresql_url: str) -> None:
    db = open_database(postgresql_url)
    async with asyncio.timeout(10):
        await Checkpointer(db, SystemClock()).run()

    assert not db.is_sqlite
    db.close()
