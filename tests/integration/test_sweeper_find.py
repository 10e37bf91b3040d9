"""Mail in the store that no notice announced: found in S3 and in a folder, once, in its time."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.aws.client import Clients
from backend.aws.s3 import S3Blobs
from backend.errors import ServiceUnavailableError
from backend.inbound.intake import Intake
from backend.inbound.sources.sweeper import SWEEPER, Sweeper, SweepSettings
from backend.model.inbound import Arrival, InboundMessage
from backend.model.views import InboundQuery
from backend.queue.roles import RoleKeeper, holder
from backend.sandbox import Sandbox, SandboxSettings
from backend.store import arrivals as ledger
from backend.store import inbound as store
from backend.store.arrivals import SourceEvent
from backend.store.blobs import FolderBlobs
from tests.integration.inbound_world import SHARED, mail
from tests.waiting import until_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from backend.ports import Stored
    from backend.sandbox import SandboxAddresses
    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock

DESK = f"ticket+1@{SHARED}"
TRACE = (
    b"Return-Path: <jo@client.example>\r\nReceived: from mx (mx [192.0.2.1])\r\n by"
    b" inbound-smtp.us-east-1.amazonaws.com with SMTP id o3v\r\n for ticket+7@relay.example;\r\n"
    b" Mon, 02 Mar 2026 09:00:00 +0000 (UTC)\r\n"
)


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "blobs")


@pytest.fixture
def intake(db: Database, blobs: FolderBlobs, clock: SettableClock, ids: CountingIds) -> Intake:
    return Intake(db, blobs, clock, ids, inbound_domain=SHARED)


@pytest.fixture
def sweeper(db: Database, blobs: FolderBlobs, intake: Intake, clock: SettableClock) -> Sweeper:
    return Sweeper(db, blobs, intake, clock, settings=SweepSettings())


async def _lay(
    blobs: FolderBlobs, tmp_path: Path, clock: SettableClock, key: str, raw: bytes = b""
) -> None:
    """Put an object as if it had come at the clock's present moment."""
    await blobs.put(key, raw or TRACE + mail(key))
    moment = clock.now().timestamp()
    os.utime(tmp_path / "blobs" / key, (moment, moment))


async def _rows(db: Database) -> list[InboundMessage]:
    return await db.read(store.page, InboundQuery(), 0, 50)


async def test_what_no_notice_announced_is_found_once_with_the_envelope_of_its_trace(
    db: Database, blobs: FolderBlobs, sweeper: Sweeper, clock: SettableClock, tmp_path: Path
) -> None:
    await _lay(blobs, tmp_path, clock, "in/lost")
    laid = clock.now()
    clock.advance(61)
    found = await sweeper.sweep()
    again = await sweeper.sweep()

    (row,) = await _rows(db)
    assert (found, again) == ([row.id], [])
    assert (row.source, row.recipient) == ("sweep", "ticket+7@relay.example")
    assert (row.envelope_from, row.received_at) == ("jo@client.example", laid)


async def test_what_is_young_is_left_to_its_notice(
    db: Database, blobs: FolderBlobs, sweeper: Sweeper, clock: SettableClock, tmp_path: Path
) -> None:
    await _lay(blobs, tmp_path, clock, "in/young")
    clock.advance(59)

    assert await sweeper.sweep() == []
    assert await _rows(db) == []


async def test_while_notices_wait_their_mail_is_left_to_them_for_an_hour(
    db: Database,
    blobs: FolderBlobs,
    intake: Intake,
    clock: SettableClock,
    tmp_path: Path,
) -> None:
    async def some() -> int:
        return 3

    sweeper = Sweeper(db, blobs, intake, clock, settings=SweepSettings(), backlog=some)
    await _lay(blobs, tmp_path, clock, "in/queued")
    clock.advance(timedelta(minutes=59))
    assert await sweeper.sweep() == []
    clock.advance(timedelta(minutes=2))

    assert len(await sweeper.sweep()) == 1


async def test_what_is_older_than_the_horizon_is_left_alone(
    blobs: FolderBlobs, sweeper: Sweeper, clock: SettableClock, tmp_path: Path
) -> None:
    await _lay(blobs, tmp_path, clock, "in/old")
    clock.advance(timedelta(days=8))

    assert await sweeper.sweep() == []


async def test_what_we_or_ses_put_beside_the_mail_is_no_mail(
    blobs: FolderBlobs, sweeper: Sweeper, clock: SettableClock, tmp_path: Path
) -> None:
    for key in ("http/1", "file/1", "inline/1", "in/AMAZON_SES_SETUP_NOTIFICATION"):
        await _lay(blobs, tmp_path, clock, key)
    clock.advance(61)

    assert await sweeper.sweep() == []


async def test_only_keys_with_the_prefix_are_swept(
    db: Database, blobs: FolderBlobs, intake: Intake, clock: SettableClock, tmp_path: Path
) -> None:
    for key in ("in/1", "other/1", "2"):
        await _lay(blobs, tmp_path, clock, key)
    clock.advance(61)
    settings = SweepSettings(prefix="in/")

    assert len(await Sweeper(db, blobs, intake, clock, settings=settings).sweep()) == 1
    assert (await _rows(db))[0].blob_key == "in/1"


async def test_a_copy_of_known_mail_is_recorded_as_such_and_not_looked_at_again(
    db: Database,
    blobs: FolderBlobs,
    intake: Intake,
    sweeper: Sweeper,
    clock: SettableClock,
    tmp_path: Path,
) -> None:
    raw = TRACE + mail("twice")
    await _lay(blobs, tmp_path, clock, "in/1", raw)
    await _lay(blobs, tmp_path, clock, "in/2", raw)
    known = ("ticket+7@relay.example",)
    arrival = Arrival(source="ses", blob_key="in/1", recipients=known, received_at=clock.now())
    await intake.take_in(arrival)
    clock.advance(61)
    assert await sweeper.sweep() == []
    version = await db.version()

    assert await sweeper.sweep() == []
    assert await db.version() == version


async def test_old_announcements_are_forgotten_and_fresh_ones_kept(
    db: Database, sweeper: Sweeper, clock: SettableClock
) -> None:
    for name in ("old", "fresh"):
        event = SourceEvent(source="http:p", event_id=name, outcome="x", seen_at=clock.now())
        await db.write(ledger.add_event, event)
        clock.advance(timedelta(days=16))
    await sweeper.sweep()
    version = await db.version()
    await sweeper.sweep()

    assert await db.read(ledger.event, "http:p", "old") is None
    assert await db.read(ledger.event, "http:p", "fresh") is not None
    assert await db.version() == version


async def test_links_and_unfinished_files_are_no_objects(
    blobs: FolderBlobs, clock: SettableClock, tmp_path: Path
) -> None:
    await _lay(blobs, tmp_path, clock, "in/1")
    folder = tmp_path / "blobs" / "in"
    (folder / "link").symlink_to("/etc/passwd")
    (folder / ".tmp-abc").write_bytes(b"half")

    assert [one.key async for page in blobs.pages() for one in page] == ["in/1"]


class AwayOnce:
    """A store whose first listing fails, as after a lost connection."""

    def __init__(self, blobs: FolderBlobs) -> None:
        self.blobs = blobs
        self.asked = 0

    async def pages(self, prefix: str = "") -> AsyncIterator[Sequence[Stored]]:
        self.asked += 1
        if self.asked == 1:
            raise ServiceUnavailableError("S3 did not answer")
        async for page in self.blobs.pages(prefix):
            yield page


async def test_under_its_role_the_sweeper_runs_again_after_an_outage(
    db: Database, blobs: FolderBlobs, intake: Intake, clock: SettableClock, tmp_path: Path
) -> None:
    await _lay(blobs, tmp_path, clock, "in/1")
    clock.advance(61)
    settings = SweepSettings(every=timedelta(milliseconds=20))
    sweeper = Sweeper(db, AwayOnce(blobs), intake, clock, settings=settings)
    keeper = RoleKeeper(db, clock, owner="test")
    running = asyncio.ensure_future(keeper.run_as(SWEEPER, sweeper.run))

    async def found() -> bool:
        return bool(await _rows(db))

    await until_async(found)
    held = await db.read(holder, SWEEPER)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert held is not None
    assert held.owner == "test"


@pytest.fixture(scope="module")
def at() -> Iterator[SandboxAddresses]:
    sandbox = Sandbox(SandboxSettings(receiving_domains=(SHARED,)))
    yield sandbox.start()
    sandbox.stop()


async def test_a_bucket_is_listed_page_by_page_and_swept(
    at: SandboxAddresses, db: Database, clock: SettableClock, ids: CountingIds
) -> None:
    clients = Clients(at.region, at.aws_endpoint)
    s3 = S3Blobs(clients, at.inbound_bucket)
    put = [s3.put(f"in/{number:04d}", b"Subject: x\r\n\r\n") for number in range(1003)]
    await asyncio.gather(*put)
    await s3.put("in/real", TRACE + mail("lost"))
    pages = [page async for page in s3.pages("in/")]
    settings = SweepSettings(prefix="in/real", horizon=timedelta(days=3650))
    intake = Intake(db, s3, clock, ids, inbound_domain=SHARED)
    clock.set(pages[-1][-1].stored_at + timedelta(minutes=2))
    found = await Sweeper(db, s3, intake, clock, settings=settings).sweep()
    clients.close()

    assert [len(page) for page in pages] == [1000, 4]
    assert len(found) == 1
