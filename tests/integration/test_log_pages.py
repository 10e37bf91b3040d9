"""The log: both directions in one list, filtered, paged, newest first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from backend.model.views import Direction, LogQuery
from backend.outbound.accept import accept
from backend.store import log
from backend.store.schema import inbound
from tests.outbound_world import DRAFT, OTHER_TENANT, TENANT, World, make_world

if TYPE_CHECKING:
    from datetime import datetime

    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock


@pytest.fixture
async def world(any_db: Database, clock: SettableClock, ids: CountingIds) -> World:
    """Two mails out, two in, one a minute: out, in, out of another tenant, in unread."""
    world = await make_world(any_db, clock, ids)
    await accept(world.outbound, TENANT, replace(DRAFT, cc=("bob_1@client.example",)))
    await world.db.write(_received, "inb_1", clock.advance(60), TENANT, "ann@client.example")
    clock.advance(60)
    globex = replace(DRAFT, sender="a@globex.example", subject="Invoice 100%")
    await accept(world.outbound, OTHER_TENANT, globex)
    await world.db.write(_received, "inb_2", clock.advance(60), "", "")
    return world


def _received(tx: Tx, inbound_id: str, at: datetime, tenant_id: str, sender: str) -> None:
    tx.execute(
        insert(inbound).values(
            id=inbound_id,
            tenant_id=tenant_id,
            source="test",
            blob_key=inbound_id,
            recipient="support+1@relay.example",
            envelope_from="bounce@client.example",
            verdicts={},
            status="received",
            reason="stored",
            received_at=at,
            from_address=sender,
            subject="Re: Your ticket" if sender else "",
        )
    )


async def lines(world: World, query: LogQuery, start: int = 0, size: int = 50) -> list[str]:
    page = await world.db.read(log.page, query, start, size)
    return [f"{entry.direction} {entry.sender} > {entry.recipient}" for entry in page]


async def test_both_directions_are_one_list_newest_first(world: World) -> None:
    assert await lines(world, LogQuery()) == [
        "in bounce@client.example > support+1@relay.example",
        "out a@globex.example > ann@client.example",
        "in ann@client.example > support+1@relay.example",
        "out Help Desk <help@acme.example> > ann@client.example",
    ]


async def test_further_recipients_are_counted(world: World) -> None:
    page = await world.db.read(log.page, LogQuery(tenant_id=TENANT), 0, 9)

    assert [entry.more_recipients for entry in page] == [0, 1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (LogQuery(), 4),
        (LogQuery(direction=Direction.OUT), 2),
        (LogQuery(direction=Direction.IN), 2),
        (LogQuery(tenant_id=TENANT), 2),
        (LogQuery(status="queued"), 2),
        (LogQuery(status="received", tenant_id=TENANT), 1),
        (LogQuery(text="YOUR TICKET"), 2),
        (LogQuery(text="bob_1@"), 1),
        (LogQuery(text="bobx1@"), 0),
        (LogQuery(text="100%"), 1),
        (LogQuery(text="inb_2"), 1),
        (LogQuery(text="ann@client"), 3),
        (LogQuery(text="'; DROP TABLE emails; --"), 0),
    ],
    ids=str,
)
async def test_count_and_page_agree_on_every_filter(
    world: World, query: LogQuery, expected: int
) -> None:
    assert await world.db.read(log.count, query) == expected
    assert len(await lines(world, query)) == expected


async def test_pages_follow_each_other_without_gap_or_overlap(world: World) -> None:
    whole = await lines(world, LogQuery())

    assert [
        line for start in range(4) for line in await lines(world, LogQuery(), start, 1)
    ] == whole
    assert await lines(world, LogQuery(), 4, 10) == []
