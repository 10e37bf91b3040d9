"""Usage: counted with what causes it, on its own day, and told to Books once for each revision."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from backend.bus.books import Books
from backend.desk import Desk, DeskSettings
from backend.errors import InvalidInputError
from backend.model.stats import Counter
from backend.model.tenant import Tenant
from backend.model.usage import UsageKind, UsageQuery, month_of
from backend.store import counters, migrate, tenants, usage
from tests.settable import START

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from backend.store.engine import Database
    from tests.settable import SettableClock

KEY = "integration-key"
MARCH = month_of("2026-03")


async def bump(db: Database, counter: Counter, at: datetime, n: int = 1, **late: Any) -> None:
    await db.write(counters.bump, "ten_1", counter, at, n, **late)


async def test_what_is_billed_is_counted_beside_its_counter_on_the_day_it_happened(
    any_db: Database,
) -> None:
    db, midnight = any_db, START.replace(hour=0, minute=5)
    await bump(db, Counter.SENT, START, 3)
    await bump(db, Counter.SENT, START, 2)
    await bump(db, Counter.DELIVERED, midnight, occurred_at=midnight - timedelta(minutes=10))
    await bump(db, Counter.FORWARDED_PSA, START)
    await bump(db, Counter.FORWARDED_CRM, START)
    await bump(db, Counter.BOUNCED, START)
    await db.write(counters.bump, "ten_2", Counter.RECEIVED, START)

    days = await db.read(usage.days, MARCH)
    assert [(one.tenant_id, one.day, dict(one.counts)) for one in days] == [
        ("ten_1", date(2026, 3, 1), {UsageKind.DELIVERED: 1}),
        ("ten_1", date(2026, 3, 2), {UsageKind.SENT: 5, UsageKind.FORWARDED: 2}),
        ("ten_2", date(2026, 3, 2), {UsageKind.INBOUND: 1}),
    ]
    one = UsageQuery(since=MARCH.since, until=MARCH.until, tenant_id="ten_2")
    assert len(await db.read(usage.days, one)) == 1
    assert await db.read(usage.days, month_of("2026-04")) == []


@asynccontextmanager
async def books_over(
    db: Database, clock: SettableClock, folder: Path
) -> AsyncIterator[tuple[Books, httpx.AsyncClient]]:
    """Run a desk and give the poster to it, and a client of its views."""
    desk = Desk(DeskSettings(folder=folder, integration_key=KEY), clock)
    at = await desk.start()
    async with httpx.AsyncClient(base_url=at.desk_url, trust_env=False) as http:
        try:
            yield Books(db, http, clock, url=at.books_url, key=SecretStr(KEY)), http
        finally:
            await desk.stop()


async def billed(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await http.get("/usage")).json()["usage"]
    return rows


async def test_books_gets_a_day_once_it_is_over_and_a_new_revision_when_it_changed(
    any_db: Database, clock: SettableClock, tmp_path: Path
) -> None:
    db = any_db
    await db.write(tenants.add, Tenant(id="ten_1", name="One", created_at=START))
    await bump(db, Counter.SENT, START, 5)
    await db.write(counters.bump, "", Counter.RECEIVED, START)  # mail to nobody we know
    async with books_over(db, clock, tmp_path) as (books, http):
        assert (await books.post_due()).taken == 0, "the day is not over"
        clock.set(START.replace(day=3, hour=2))
        assert (await books.post_due()).taken == 1
        assert (await books.post_due()).taken == 0
        (first,) = await billed(http)
        assert (first["tenant"], first["day"], first["revision"]) == ("One", "2026-03-02", 1)
        assert first["counts"] == {
            "sent": 5,
            "delivered": 0,
            "inbound": 0,
            "forwarded": 0,
            "webhooks": 0,
        }

        await bump(db, Counter.DELIVERED, clock.now(), 4, occurred_at=START)
        (day,) = [one for one in await db.read(usage.days, MARCH) if one.tenant_id]
        assert (day.revision, day.posted) == (1, False)
        assert (await books.post_due()).taken == 1
        (corrected,) = await billed(http)
        assert (corrected["revision"], corrected["counts"]["delivered"]) == (2, 4)


async def test_a_statement_whose_answer_was_lost_is_repeated_as_it_was(
    db: Database, clock: SettableClock, tmp_path: Path
) -> None:
    await db.write(tenants.add, Tenant(id="ten_1", name="One", created_at=START))
    await bump(db, Counter.SENT, START, 5)
    clock.set(START.replace(day=3, hour=2))
    async with books_over(db, clock, tmp_path) as (books, http):
        await http.post("/_desk/outage", json={"target": "books", "seconds": 60, "status": 503})
        refused = await books.post_due()
        assert refused.refused == {"usage/ten_1/2026-03-02/1": "Books answered 503"}

        # it changed before it could be told; what was written down is told first
        await bump(db, Counter.SENT, clock.now(), 2, occurred_at=START)
        clock.advance(61)
        assert (await books.post_due()).taken == 1
        assert [row["counts"]["sent"] for row in await billed(http)] == [5]
        assert (await books.post_due()).taken == 1
        assert [(row["counts"]["sent"], row["revision"]) for row in await billed(http)] == [(7, 2)]

        # as after a crash between Books' answer and our noting it
        (post,) = await db.read(usage.newest_posts, MARCH)
        await db.write(usage.settle_post, post, taken_at=None)
        assert (await books.post_due()).taken == 1
        assert [(row["revision"], row["repeats"]) for row in await billed(http)] == [(2, 1)]


async def test_without_books_usage_is_counted_and_posting_is_refused(
    db: Database, clock: SettableClock
) -> None:
    async with httpx.AsyncClient() as http:
        books = Books(db, http, clock, url="", key=SecretStr(KEY))
        with pytest.raises(InvalidInputError, match="BOOKS_API_URL"):
            await books.post_due()

        assert not books.configured


@pytest.mark.parametrize("month", ["2026-13", "2026", "03-2026", "2026-3", ""])
def test_a_month_is_written_as_year_and_month(month: str) -> None:
    with pytest.raises(InvalidInputError, match="2026-11"):
        month_of(month)

    assert month_of("2026-12").until == date(2027, 1, 1)


def test_what_was_counted_before_there_was_usage_is_taken_over(any_url: str) -> None:
    engine = create_engine(any_url, poolclass=NullPool)
    last, first = START.replace(hour=23, minute=59), START.replace(day=3, hour=0, minute=0)
    with engine.begin() as tx:
        for tenant in ("ten_1", "ten_2"):
            for at in (START, last, first):
                counters.bump(tx, tenant, Counter.SENT, at, 2)
        counters.bump(tx, "ten_1", Counter.FORWARDED_PSA, START)
        counters.bump(tx, "ten_1", Counter.FORWARDED_CRM, START)
        counters.bump(tx, "ten_1", Counter.BOUNCED, START)
        counted = usage.days(tx, MARCH)
        tx.execute(text("DELETE FROM usage_days"))
        revision = ScriptDirectory(migrate.FOLDER).get_revision("0006").module
        with Operations.context(MigrationContext.configure(tx)):
            revision._usage_so_far()

        assert usage.days(tx, MARCH) == counted
        assert len(counted) == 4
    engine.dispose()
