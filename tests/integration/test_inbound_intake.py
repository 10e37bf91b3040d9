"""Taking arrivals in, once each, on both databases; and the questions the console asks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from backend.errors import NotFoundError
from backend.inbound.intake import Intake
from backend.model.inbound import (
    Arrival,
    AttachmentInfo,
    Finding,
    InboundStatus,
    Reason,
    Stage,
    Step,
    TargetAction,
    TargetName,
)
from backend.model.stats import Counter
from backend.model.views import InboundQuery
from backend.model.work import WorkKind
from backend.queue import items
from backend.store import counters, deliveries, explanations
from backend.store import inbound as store
from backend.store.blobs import FolderBlobs
from backend.store.deliveries import Delivery, DeliveryState
from tests.integration.inbound_world import SHARED, mail

if TYPE_CHECKING:
    from pathlib import Path

    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "blobs")


@pytest.fixture
def intake(any_db: Database, blobs: FolderBlobs, clock: SettableClock, ids: CountingIds) -> Intake:
    return Intake(any_db, blobs, clock, ids, inbound_domain=SHARED)


def _arrival(clock: SettableClock, *recipients: str, key: str = "in/1") -> Arrival:
    return Arrival(
        source="ses", blob_key=key, recipients=recipients, received_at=clock.now(), size=10
    )


def _due(tx: Tx, clock: SettableClock) -> bool:
    return items.is_due(tx, [WorkKind.INBOUND], clock.now())


async def test_an_arrival_makes_a_row_and_an_item_for_each_recipient_once(
    any_db: Database, intake: Intake, clock: SettableClock
) -> None:
    arrival = _arrival(clock, f"ticket+1@{SHARED}", f"crm+2@{SHARED.upper()}")
    first = await intake.take_in(arrival)
    again = await asyncio.gather(*(intake.take_in(arrival) for _ in range(5)))

    assert (len(first), [ids for ids in again if ids]) == (2, [])
    assert await any_db.read(store.count, InboundQuery()) == 2
    assert await any_db.read(_due, clock)
    assert await any_db.read(counters.totals) == {Counter.RECEIVED: 2}
    found = await any_db.read(store.get, first[1])
    assert found is not None
    assert found.recipient == f"crm+2@{SHARED}"


async def test_an_s3_event_reads_the_recipient_from_the_trace_header_of_ses(
    any_db: Database, intake: Intake, blobs: FolderBlobs, clock: SettableClock
) -> None:
    trace = (
        "Received: from mx (mx [192.0.2.1])\r\n by inbound-smtp.us-east-1.amazonaws.com with SMTP"
        " id o3v\r\n for ticket+7@relay.example;\r\n Mon, 02 Mar 2026 09:00:00 +0000 (UTC)\r\n"
    )
    await blobs.put("in/1", trace.encode() + mail("x", "Delivered-To: other@relay.example"))

    (taken,) = await intake.take_in(_arrival(clock))

    found = await any_db.read(store.get, taken)
    assert found is not None
    assert found.recipient == "ticket+7@relay.example"


@pytest.mark.parametrize(
    ("extra", "recipient"),
    [
        ("Delivered-To: <crm+1@relay.example>", "crm+1@relay.example"),
        ("X-Original-To: crm+2@relay.example", "crm+2@relay.example"),
        ("Cc: stranger@else.example, Desk <crm+3@relay.example>", "crm+3@relay.example"),
        ("X-Nothing: here", ""),
    ],
)
async def test_without_a_trace_header_the_other_headers_are_asked_in_turn(
    any_db: Database,
    intake: Intake,
    blobs: FolderBlobs,
    clock: SettableClock,
    extra: str,
    recipient: str,
) -> None:
    await blobs.put("in/1", mail("x", extra))

    (taken,) = await intake.take_in(_arrival(clock))

    found = await any_db.read(store.get, taken)
    assert found is not None
    assert found.recipient == recipient


async def test_an_s3_event_for_a_blob_already_taken_in_adds_nothing(
    intake: Intake, clock: SettableClock
) -> None:
    await intake.take_in(_arrival(clock, f"ticket+1@{SHARED}"))

    assert await intake.take_in(_arrival(clock)) == []


async def test_an_s3_event_without_its_object_is_not_taken_in(
    any_db: Database, intake: Intake, clock: SettableClock
) -> None:
    with pytest.raises(NotFoundError):
        await intake.take_in(_arrival(clock))
    assert await any_db.read(store.count, InboundQuery()) == 0


async def test_pages_count_and_search_agree(
    any_db: Database, intake: Intake, clock: SettableClock
) -> None:
    for number in range(5):
        await intake.take_in(_arrival(clock, f"ticket+{number}@{SHARED}", key=f"in/{number}"))
    every = await any_db.read(store.page, InboundQuery(), 0, 10)

    assert [row.recipient[7] for row in every] == ["4", "3", "2", "1", "0"]
    assert await any_db.read(store.page, InboundQuery(), 1, 2) == every[1:3]
    found = InboundQuery(text="TICKET+3@")
    assert await any_db.read(store.page, found, 0, 10) == [every[1]]
    assert await any_db.read(store.count, found) == 1
    assert await any_db.read(store.count, InboundQuery(text="%")) == 0
    assert await any_db.read(store.count, InboundQuery(tenant_id="nobody")) == 0
    waiting = InboundQuery(statuses=frozenset({InboundStatus.HELD}))
    assert await any_db.read(store.count, waiting) == 0
    ids = [row.id for row in every[:2]]
    assert await any_db.read(store.statuses, [*ids, "no"]) == dict.fromkeys(
        ids, InboundStatus.RECEIVED
    )


async def test_explanations_deliveries_and_attachments_come_back_as_written(
    any_db: Database, intake: Intake, clock: SettableClock
) -> None:
    (inbound_id,) = await intake.take_in(_arrival(clock, f"ticket+1@{SHARED}"))
    step = Step(
        stage=Stage.SCREEN, finding=Finding.OK, reason=Reason.CLEAN, evidence={"a": "b \u20ac"}
    )
    files = (AttachmentInfo(name="a", content_type="x/y", size=1, sha256="0", inline=True),)
    delivery = Delivery(
        id="dlv_1",
        inbound_id=inbound_id,
        target=TargetName.PSA,
        action=TargetAction.ADD_NOTE,
        ref="1",
        idempotency_key=f"{inbound_id}/psa",
        state=DeliveryState.PENDING,
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    await any_db.write(explanations.append, inbound_id, [step], clock.now())
    run = await any_db.write(explanations.add_run, inbound_id, [step], clock.now())
    await any_db.write(store.set_attachments, inbound_id, files)
    await any_db.write(deliveries.open_anew, delivery)
    await any_db.write(deliveries.open_anew, delivery)

    assert run == 2
    assert await any_db.read(explanations.newest, inbound_id) == (step,)
    assert len(await any_db.read(explanations.of_run, inbound_id, 1)) == 2
    assert await any_db.read(store.attachments, inbound_id) == files
    assert await any_db.read(deliveries.pending, [inbound_id]) == {inbound_id: delivery}
    assert await any_db.read(deliveries.of_message, inbound_id) == [delivery]
