"""kill -9 in the middle of many commits: whatever was acknowledged is there, the file is sound."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.pool import NullPool

from backend.store.schema import tenants as t

if TYPE_CHECKING:
    from pathlib import Path

WRITE_FOR_EVER = """
import asyncio, sys
from datetime import UTC, datetime
START = datetime(2026, 1, 1, tzinfo=UTC)
from sqlalchemy import insert
from backend.store.engine import open_database
from backend.store.schema import tenants

def add(tx, name):
    tx.execute(insert(tenants).values(id=name, name=name, created_at=START))

async def produce(db, producer):
    n = 0
    while True:
        name = f"{producer}-{n}"
        await db.write(add, name)
        sys.stdout.write(name + "\\n")
        sys.stdout.flush()
        n += 1

async def checkpoint(db):
    while True:
        await db.checkpoint()
        await asyncio.sleep(0.01)

async def main():
    db = open_database(sys.argv[1])
    prefix = sys.argv[2]
    await asyncio.gather(*(produce(db, f"{prefix}{i}") for i in range(8)), checkpoint(db))

asyncio.run(main())
"""
ENOUGH = 150  # acknowledgements to wait for before the kill


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_everything_acknowledged_survives_kill_9(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = str(request.getfixturevalue(f"{kind}_url"))
    acknowledged: set[str] = set()
    for life in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITE_FOR_EVER, url, f"life{life}-"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdout is not None
        for _ in range(ENOUGH + 37 * life):
            acknowledged.add(writer.stdout.readline().strip())
        writer.kill()
        # the last line may have been cut by the kill
        acknowledged |= {line[:-1] for line in writer.stdout.readlines() if line.endswith("\n")}
        writer.wait()
        writer.stdout.close()

    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        stored = set(connection.execute(select(t.c.id)).scalars())
    engine.dispose()
    assert acknowledged - stored == set()
    if kind == "sqlite":
        with closing(sqlite3.connect(tmp_path / "relay.db")) as file:
            assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
