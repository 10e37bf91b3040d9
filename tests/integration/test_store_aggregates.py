"""Threads, counters, the outbox and the audit log, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert

from backend.model.bus import BusEvent
from backend.model.inbound import Route, TargetAction, TargetName
from backend.model.stats import Counter
from backend.store import audit, counters, outbox, threads
from backend.store.schema import tenants
from tests.settable import START

if TYPE_CHECKING:
    from backend.store.engine import Database
    from backend.store.types import Tx

MINUTE = timedelta(minutes=1)


def add_tenant(tx: Tx) -> None:
    """Insert the tenant that the rows of these tests belong to."""
    tx.execute(insert(tenants).values(id="ten_1", name="Acme", created_at=START))


async def test_a_thread_comes_back_as_it_was_stored(any_db: Database) -> None:
    route = Route(
        target=TargetName.PSA, action=TargetAction.ADD_NOTE, tenant_id="ten_1", ref="12345"
    )
    thread = threads.Thread(
        id="thr_1", tenant_id="ten_1", subject="Ünïcode 🎫", created_at=START, route=route
    )
    await any_db.write(add_tenant)
    await any_db.write(threads.add, thread)

    assert await any_db.read(threads.get, "thr_1") == thread


async def test_a_thread_follows_the_route_set_last(any_db: Database) -> None:
    route = Route(
        target=TargetName.PORTAL, action=TargetAction.ADD_REPLY, tenant_id="ten_1", ref="7"
    )
    thread = threads.Thread(id="thr_1", tenant_id="ten_1", subject="Hello", created_at=START)
    await any_db.write(add_tenant)
    await any_db.write(threads.add, thread)
    await any_db.write(threads.set_route, "thr_1", route)

    found = await any_db.read(threads.get, "thr_1")

    assert found is not None
    assert found.route == route


async def test_an_unknown_thread_is_none(any_db: Database) -> None:
    assert await any_db.read(threads.get, "thr_9") is None


async def test_counters_add_up_within_a_minute(any_db: Database) -> None:
    name = next(iter(Counter))
    await any_db.write(counters.bump, "ten_1", name, START)
    await any_db.write(counters.bump, "ten_1", name, START + timedelta(seconds=59), 4)
    await any_db.write(counters.bump, "ten_1", name, START + MINUTE)

    points = await any_db.read(counters.series, START, START + 3 * MINUTE)

    assert [point.counts.get(name, 0) for point in points] == [5, 1, 0]


async def test_a_series_starts_and_ends_where_it_was_asked_to(any_db: Database) -> None:
    points = await any_db.read(
        counters.series, START + timedelta(seconds=1), START + 2 * MINUTE + timedelta(seconds=1)
    )

    assert [point.at for point in points] == [START + MINUTE, START + 2 * MINUTE]


async def test_a_series_of_a_tenant_leaves_out_the_others(any_db: Database) -> None:
    name = next(iter(Counter))
    await any_db.write(counters.bump, "ten_1", name, START, 2)
    await any_db.write(counters.bump, "ten_2", name, START, 3)

    mine = await any_db.read(counters.series, START, START + MINUTE, "ten_2")
    everyone = await any_db.read(counters.series, START, START + MINUTE)

    assert [mine[0].counts, everyone[0].counts] == [{name: 3}, {name: 5}]


async def test_totals_sum_over_time_and_tenants(any_db: Database) -> None:
    first, second = list(Counter)[:2]
    for n, tenant in enumerate(("ten_1", "ten_2"), start=1):
        await any_db.write(counters.bump, tenant, first, START + n * MINUTE, n)
    await any_db.write(counters.bump, "ten_1", second, START)

    assert await any_db.read(counters.totals) == {first: 3, second: 1}


def event(number: int) -> BusEvent:
    """Make a bus event of this number."""
    return BusEvent(
        id=f"evt_{number}",
        type="relay.email.sent",
        tenant_id="ten_1",
        created_at=START,
        data={"email_id": "msg_1", "to": ["änne@example.com"], "n": number},
    )


async def test_an_event_comes_back_as_it_was_stored(any_db: Database) -> None:
    await any_db.write(outbox.add, event(1))

    assert await any_db.read(outbox.get, "evt_1") == event(1)


async def test_unpublished_events_come_oldest_first_until_published(any_db: Database) -> None:
    for number in (3, 1, 2):
        await any_db.write(outbox.add, event(number))
    await any_db.write(outbox.mark_published, "evt_1", START)

    assert await any_db.read(outbox.unpublished, 10) == [event(2), event(3)]


async def test_an_audit_entry_comes_back_newest_first(any_db: Database) -> None:
    entries = [
        audit.AuditEntry(
            id=f"aud_{n}",
            at=START + n * MINUTE,
            actor="anna",
            action="release",
            subject=f"inb_{n}",
            tenant_id="ten_1",
            detail={"reason": "asked by phone"},
        )
        for n in range(3)
    ]
    for entry in entries:
        await any_db.write(audit.add, entry)

    assert await any_db.read(audit.newest, 2) == [entries[2], entries[1]]
