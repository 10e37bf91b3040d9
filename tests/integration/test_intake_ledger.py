"""One ledger for every source: the same mail is one row, the same Message-ID is not enough."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from backend.inbound.intake import Intake
from backend.model.inbound import Arrival, Finding, Reason
from backend.model.stats import Counter
from backend.model.views import InboundQuery
from backend.store import arrivals as ledger
from backend.store import counters, explanations
from backend.store import inbound as store
from backend.store.arrivals import SourceEvent
from backend.store.blobs import FolderBlobs
from tests.integration.inbound_world import SHARED, mail

if TYPE_CHECKING:
    from pathlib import Path

    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock

DESK = f"ticket+1@{SHARED}"
MAIL = mail("Printer", "Message-ID: <one@client.example>")


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "blobs")


@pytest.fixture
def intake(any_db: Database, blobs: FolderBlobs, clock: SettableClock, ids: CountingIds) -> Intake:
    return Intake(any_db, blobs, clock, ids, inbound_domain=SHARED)


def _arrival(clock: SettableClock, key: str, *recipients: str, source: str = "ses") -> Arrival:
    return Arrival(source=source, blob_key=key, recipients=recipients, received_at=clock.now())


async def test_the_same_mail_by_two_sources_is_one_row_and_both_objects_are_known(
    any_db: Database, intake: Intake, blobs: FolderBlobs, clock: SettableClock
) -> None:
    await blobs.put("in/1", b"Received: from a by b; now\r\n" + MAIL)
    await blobs.put("http/2", MAIL.replace(b"\r\n", b"\n"))
    (first,) = await intake.take_in(_arrival(clock, "in/1", DESK))
    second = await intake.take(_arrival(clock, "http/2", DESK.upper(), source="http"))

    assert (second.new, second.known) == ((), (first,))
    assert await any_db.read(ledger.duplicates_of, first) == [("http", "http/2")]
    assert await any_db.read(ledger.known_blobs, ["in/1", "http/2", "x"]) == {"in/1", "http/2"}
    assert await any_db.read(counters.totals) == {Counter.RECEIVED: 1}
    row = await any_db.read(store.get, first)
    assert row is not None
    assert (row.message_id, len(row.content_sha256)) == ("one@client.example", 64)


async def test_the_same_mail_to_two_recipients_is_two_rows_by_either_way(
    any_db: Database, intake: Intake, blobs: FolderBlobs, clock: SettableClock
) -> None:
    await blobs.put("in/1", MAIL)
    await blobs.put("in/2", MAIL)
    other = f"crm+2@{SHARED}"
    first = await intake.take(_arrival(clock, "in/1", DESK))
    second = await intake.take(_arrival(clock, "in/2", DESK, other))

    assert (len(first.new), len(second.new), second.known) == (1, 1, first.new)
    assert await any_db.read(store.count, InboundQuery()) == 2


async def test_the_same_message_id_with_other_content_is_a_new_message_with_a_flag(
    any_db: Database, intake: Intake, blobs: FolderBlobs, clock: SettableClock
) -> None:
    await blobs.put("in/1", MAIL)
    await blobs.put("in/2", MAIL.replace(b"stripes", b"dots"))
    (first,) = await intake.take_in(_arrival(clock, "in/1", DESK))
    (second,) = await intake.take_in(_arrival(clock, "in/2", DESK))

    (_, flag) = await any_db.read(explanations.newest, second)
    assert (flag.reason, flag.finding) == (Reason.MESSAGE_ID_COLLISION, Finding.NOTE)
    assert flag.evidence == {"message_id": "one@client.example", "other": first}
    assert len(await any_db.read(explanations.newest, first)) == 1


async def test_the_same_message_id_in_another_tenant_is_no_collision(
    any_db: Database, intake: Intake, blobs: FolderBlobs, clock: SettableClock
) -> None:
    await blobs.put("in/1", MAIL)
    await blobs.put("in/2", MAIL.replace(b"stripes", b"dots"))
    await intake.take_in(_arrival(clock, "in/1", DESK))
    await any_db.write(_give_to_acme)
    (second,) = await intake.take_in(_arrival(clock, "in/2", DESK))

    assert len(await any_db.read(explanations.newest, second)) == 1


def _give_to_acme(tx: object) -> None:
    from sqlalchemy import update

    from backend.store.schema import inbound

    tx.execute(update(inbound).values(tenant_id="acme"))  # type: ignore[attr-defined]


async def test_mail_without_a_message_id_is_told_apart_by_its_object_only(
    any_db: Database, intake: Intake, blobs: FolderBlobs, clock: SettableClock
) -> None:
    alarm = b"From: monitor@client.example\r\nSubject: disk full\r\n\r\n95 %\r\n"
    for key in ("in/1", "in/2"):
        await blobs.put(key, alarm)
        await intake.take_in(_arrival(clock, key, DESK))
    await intake.take_in(_arrival(clock, "in/2", DESK))

    assert await any_db.read(store.count, InboundQuery()) == 2


async def test_a_repeated_notice_changes_nothing_and_reads_nothing(
    any_db: Database, intake: Intake, blobs: FolderBlobs, clock: SettableClock, tmp_path: Path
) -> None:
    await blobs.put("in/1", MAIL)
    taken = await intake.take(_arrival(clock, "in/1", DESK))
    (tmp_path / "blobs" / "in" / "1").unlink()
    before = await any_db.version()
    again = await intake.take(_arrival(clock, "in/1", DESK))

    assert (again.new, again.known) == ((), taken.new)
    assert await any_db.version() == before
    assert await any_db.read(ledger.duplicates_of, taken.new[0]) == []


async def test_mail_whose_bytes_are_late_is_taken_in_all_the_same(
    any_db: Database, intake: Intake, clock: SettableClock
) -> None:
    (taken,) = await intake.take_in(_arrival(clock, "in/late", DESK))

    row = await any_db.read(store.get, taken)
    assert row is not None
    assert row.content_sha256 == ""


async def test_twenty_announcements_at_once_by_two_sources_make_one_row(
    any_db: Database, intake: Intake, blobs: FolderBlobs, clock: SettableClock
) -> None:
    keys = [f"in/{number}" for number in range(2)] * 10
    for key in set(keys):
        await blobs.put(key, MAIL)
    taken = await asyncio.gather(*(intake.take(_arrival(clock, key, DESK)) for key in keys))

    assert sum(len(one.new) for one in taken) == 1
    assert await any_db.read(store.count, InboundQuery()) == 1
    assert await any_db.read(counters.totals) == {Counter.RECEIVED: 1}


async def test_an_event_is_recorded_with_its_rows_and_acted_on_once(
    any_db: Database, intake: Intake, blobs: FolderBlobs, clock: SettableClock
) -> None:
    event = SourceEvent(source="http:p", event_id="e1", outcome="", seen_at=clock.now())
    for key in ("http/1", "http/2"):
        await blobs.put(key, mail("x"))
    first = await intake.take(_arrival(clock, "http/1", DESK), event)
    second = await intake.take(_arrival(clock, "http/2", DESK), event)

    assert (len(first.new), second.new) == (1, ())
    recorded = await any_db.read(ledger.event, "http:p", "e1")
    assert recorded is not None
    assert (recorded.outcome, recorded.inbound_ids) == ("processed", first.new)
    assert await any_db.write(ledger.forget_events, clock.advance(1)) == 1
    assert await any_db.read(ledger.event, "http:p", "e1") is None


async def test_forwarded_mail_is_for_the_address_of_ours_and_not_for_delivered_to(
    any_db: Database, intake: Intake, blobs: FolderBlobs, clock: SettableClock
) -> None:
    await blobs.put("in/1", mail("x", "Delivered-To: jo@elsewhere.example", f"Cc: {DESK}"))

    (taken,) = await intake.take_in(_arrival(clock, "in/1"))

    row = await any_db.read(store.get, taken)
    assert row is not None
    assert row.recipient == DESK
