"""Durable writes per second, one commit each against group commit, in one run.

Trust the ratio, not the figures. Run: python benchmarks/store_group_commit.py
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import insert

from backend.store.engine import Database, open_database
from backend.store.schema import tenants

if TYPE_CHECKING:
    from backend.store.types import Tx

ROWS = 4000
PRODUCERS = 64
AT = datetime(2026, 1, 1, tzinfo=UTC)


def add(tx: Tx, name: str) -> None:
    tx.execute(insert(tenants).values(id=name, name=name, created_at=AT))


async def produce(db: Database, producer: str, rows: int) -> None:
    for n in range(rows):
        await db.write(add, f"{producer}-{n}")


async def rate(db: Database, label: str, producers: int) -> float:
    began = time.perf_counter()
    await asyncio.gather(*(produce(db, f"{label}{p}", ROWS // producers) for p in range(producers)))
    return ROWS / (time.perf_counter() - began)


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        db = open_database(f"sqlite:///{folder}/relay.db")
        alone = [await rate(db, f"alone{n}-", 1) for n in range(3)]
        grouped = [await rate(db, f"group{n}-", PRODUCERS) for n in range(3)]
        db.close()
    each, group = sorted(alone)[1], sorted(grouped)[1]
    print(f"commit each  {each:9,.0f} writes/s (synchronous=FULL, 1 producer)")
    print(f"group commit {group:9,.0f} writes/s (synchronous=FULL, {PRODUCERS} producers)")
    print(f"ratio        {group / each:9.1f}")


if __name__ == "__main__":
    asyncio.run(main())
