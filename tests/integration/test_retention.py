"""Retention: the old goes, the too much goes, nothing on its way goes, nothing comes back."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import func, select

from backend.config import Config
from backend.errors import ConfigError, ServiceUnavailableError
from backend.inbound.quarantine_desk import QuarantineDesk
from backend.inbound.retention import MARKS_KEPT, Retention
from backend.inbound.retention_settings import RetentionSettings, retention_settings
from backend.inbound.sources.own_keys import file_key
from backend.inbound.sources.sweeper import Sweeper, SweepSettings
from backend.model.inbound import Arrival, InboundStatus, ScanVerdict
from backend.model.jobs import JobKind, JobWish
from backend.model.quarantine import Discard
from backend.model.retention import RetentionCause
from backend.model.work import WorkKind
from backend.queue import items
from backend.queue.jobs_desk import JobDesk
from backend.store import audit, gone, idempotency
from backend.store import inbound as store
from backend.store import jobs as job_rows
from backend.store.blobs import FolderBlobs
from backend.store.gone import erase
from backend.store.idempotency import Kept
from backend.store.schema import (
    deliveries,
    explanation_steps,
    inbound,
    inbound_attachments,
)
from backend.store.schema import idempotency as answers
from backend.store.schema_arrivals import inbound_duplicates
from backend.store.schema_jobs import inbound_gone
from tests.integration.inbound_world import PASSED, LoopbackTarget, World, answer, mail
from tests.waiting import until_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy import Table

    from backend.model.retention import RetentionReport
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock

DAY = timedelta(days=1)
SPAM = replace(PASSED, spam=ScanVerdict.FAIL)
ALL = RetentionSettings(kept=dict.fromkeys(InboundStatus, 10 * DAY))
HELP = "support@acme.example"


@asynccontextmanager
async def built(
    db: Database, clock: SettableClock, ids: CountingIds, folder: Path
) -> AsyncIterator[World]:
    target = LoopbackTarget()
    await target.start()
    async with httpx.AsyncClient() as client:
        made = World(db, clock, ids, FolderBlobs(folder / "blobs"), target, client)
        await made.settle_tenants()
        yield made
    await target.stop()


@pytest.fixture
async def world(
    db: Database, clock: SettableClock, ids: CountingIds, tmp_path: Path
) -> AsyncIterator[World]:
    async with built(db, clock, ids, tmp_path) as made:
        yield made


@pytest.fixture
async def any_world(
    any_db: Database, clock: SettableClock, ids: CountingIds, tmp_path: Path
) -> AsyncIterator[World]:
    async with built(any_db, clock, ids, tmp_path) as made:
        yield made


def retention(world: World, settings: RetentionSettings = ALL) -> Retention:
    return Retention(world.db, world.blobs, world.clock, world.ids, settings=settings)


async def count(world: World, table: Table) -> int:
    def counted(tx: Tx) -> int:
        return tx.execute(select(func.count()).select_from(table)).scalar_one()

    return await world.db.read(counted)


async def keys(world: World) -> set[str]:
    return {one.key for page in [p async for p in world.blobs.pages()] for one in page}


def told(report: RetentionReport) -> list[tuple[str, str, int]]:
    return [(one.status.value, one.cause.value, one.messages) for one in report.gone]


async def test_old_mail_goes_with_all_that_hangs_on_it_and_is_not_taken_in_again(
    any_world: World,
) -> None:
    world = any_world
    raw = mail("Old", "Content-Type: text/plain")
    old = await world.receive(raw, HELP)
    other = Arrival(
        source="ses", blob_key="in/twin", recipients=(HELP,), received_at=world.clock.now()
    )
    await world.blobs.put("in/twin", raw)
    assert (await world.intake.take(other)).known == (old.id,)
    world.clock.advance(9 * DAY)
    young = await world.receive(mail("Young"), HELP)
    world.target.script.append(answer(503))
    waiting = await world.receive(mail("Waits"), HELP)
    world.clock.advance(1 * DAY + timedelta(minutes=1))

    plan = await retention(world).plan()
    report = await retention(world).delete(actor="ann")

    assert told(plan) == told(report) == [("forwarded", "age", 1)]
    assert (plan.stored, report.stored) == (young.size + waiting.size,) * 2
    assert report.raw_deleted == 2
    assert await keys(world) == {young.blob_key, waiting.blob_key}
    assert await world.db.read(store.get, old.id) is None
    assert await count(world, inbound) == 2
    assert await count(world, inbound_duplicates) == 0
    assert await count(world, deliveries) == 2
    entry = (await world.db.read(audit.newest, 1))[0]
    assert (entry.actor, entry.action) == ("ann", "retention.run")
    assert entry.detail == {"forwarded by age": "1", "raw": "2"}

    # late notices, with and without the envelope, and the sweeper
    arrival = replace(other, blob_key=old.blob_key)
    assert (await world.intake.take(arrival)).new == ()
    assert (await world.intake.take(other)).new == ()
    assert (await world.intake.take(replace(arrival, recipients=()))).new == ()
    await world.blobs.put(old.blob_key, raw)  # a bucket that keeps its objects
    sweeper = Sweeper(
        world.db, world.blobs, world.intake, world.clock,
        settings=SweepSettings(horizon=timedelta(days=9999)),
    )  # fmt: skip
    world.clock.set(world.clock.now() + timedelta(days=3650))  # files have the machine's time
    assert await sweeper.sweep() == []


async def test_mail_on_its_way_never_goes_however_old_it_is(world: World) -> None:
    world.target.script.append(answer(503))
    trying = await world.receive(mail("Trying"), HELP)
    fresh = await world.arrive(mail("Fresh"), HELP)
    world.clock.advance(1000 * DAY)

    small = replace(ALL, limit=1)
    report = await retention(world, small).delete(actor="retention")

    assert report.messages == 0
    assert report.too_large
    assert (await world.row(trying.id)).status is InboundStatus.FORWARDING
    assert (await world.row(fresh)).status is InboundStatus.RECEIVED
    assert (
        await world.db.write(gone.erase, [trying.id, fresh], world.clock.now(), with_raw=True) == []
    )


async def test_each_state_is_kept_its_own_time_and_zero_is_for_ever(world: World) -> None:
    for verdicts in (SPAM, PASSED):
        await world.receive(mail(), HELP, verdicts=verdicts)
    lost = await world.receive(mail(), "lost@acme.example")
    kept = {
        InboundStatus.QUARANTINED: 5 * DAY,
        InboundStatus.FORWARDED: 20 * DAY,
    }
    settings = RetentionSettings(kept=kept)
    world.clock.advance(6 * DAY)
    first = await retention(world, settings).delete(actor="retention")
    world.clock.advance(1000 * DAY)
    second = await retention(world, settings).delete(actor="retention")

    assert told(first) == [("quarantined", "age", 1)]
    assert told(second) == [("forwarded", "age", 1)]
    assert (await world.row(lost.id)).status is InboundStatus.UNROUTED


async def test_too_much_mail_goes_by_worth_then_age_until_the_rest_fits(any_world: World) -> None:
    world = any_world
    sizes: dict[str, int] = {}
    for subject, address, verdicts in (
        ("q1", HELP, SPAM),
        ("f1", HELP, PASSED),
        ("u1", "lost@acme.example", PASSED),
        ("f2", HELP, PASSED),
    ):
        row = await world.receive(mail(subject), address, verdicts=verdicts)
        sizes[subject] = row.size
        world.clock.advance(DAY)
    total = sum(sizes.values())

    one_less = RetentionSettings(limit=total - 1)
    plan = await retention(world, one_less).plan()
    report = await retention(world, one_less).delete(actor="retention")
    assert told(plan) == told(report) == [("forwarded", "size", 1)]
    assert plan.stored == report.stored == total - sizes["f1"]

    last = await retention(world, RetentionSettings(limit=1)).delete(actor="retention")
    assert told(last) == [("forwarded", "size", 1), ("quarantined", "size", 1)]
    assert last.too_large
    assert last.stored == sizes["u1"]
    assert [cause.value for cause in RetentionCause] == ["age", "size"]


async def test_raw_mail_that_another_recipient_needs_stays_until_he_needs_it_no_more(
    world: World,
) -> None:
    key, raw = "in/both", mail("To both")
    await world.blobs.put(key, raw)
    both = (HELP, "lost@acme.example")
    arrival = Arrival(
        source="ses",
        blob_key=key,
        recipients=both,
        received_at=world.clock.now(),
        verdicts=PASSED,
    )
    await world.intake.take_in(arrival)
    await world.work()
    world.clock.advance(11 * DAY)

    forwarded = RetentionSettings(kept={InboundStatus.FORWARDED: 10 * DAY}, limit=1)
    first = await retention(world, forwarded).delete(actor="retention")
    assert (told(first)[0], first.raw_deleted) == (("forwarded", "age", 1), 0)
    assert await keys(world) == {key}
    last = await retention(world).delete(actor="retention")
    assert (told(last), last.raw_deleted) == ([("unrouted", "age", 1)], 1)
    assert await keys(world) == set()


@dataclass(slots=True)
class Stubborn:
    """A store that will not delete some objects for now."""

    blobs: FolderBlobs
    refuses: set[str] = field(default_factory=set)

    async def delete(self, key: str) -> None:
        if key in self.refuses:
            raise ServiceUnavailableError("slow down")
        await self.blobs.delete(key)


async def test_a_run_cut_short_is_ended_by_the_next_and_marks_go_in_the_end(world: World) -> None:
    rows = [await world.receive(mail(f"n{n}"), HELP) for n in range(3)]
    world.clock.advance(11 * DAY)
    stubborn = Stubborn(world.blobs, {rows[1].blob_key})
    half = Retention(world.db, stubborn, world.clock, world.ids, settings=ALL)

    report = await half.delete(actor="retention")
    assert (report.raw_deleted, report.raw_waiting) == (2, 1)
    assert await keys(world) == {rows[1].blob_key}
    ended = await retention(world).delete(actor="retention")
    assert (ended.messages, ended.raw_deleted, ended.raw_waiting) == (0, 1, 0)
    assert await keys(world) == set()

    assert await count(world, inbound_gone) == 3
    world.clock.advance(MARKS_KEPT + DAY)
    assert (await retention(world).delete(actor="retention")).marks == 3
    assert await count(world, inbound_gone) == 0


async def test_a_file_may_be_taken_in_again_by_the_one_who_has_it(world: World) -> None:
    raw = mail("A file")
    arrival = Arrival(
        source="file",
        blob_key=file_key(raw),
        recipients=(HELP,),
        received_at=world.clock.now(),
        verdicts=PASSED,
    )
    await world.blobs.put(arrival.blob_key, raw)
    await world.intake.take_in(arrival)
    await world.work()
    world.clock.advance(11 * DAY)
    await retention(world).delete(actor="retention")
    assert await keys(world) == set()

    await world.blobs.put(arrival.blob_key, raw)
    assert len(await world.intake.take_in(arrival)) == 1


async def test_linked_files_go_with_their_message_or_when_their_links_have_ended(
    world: World, tmp_path: Path
) -> None:
    gone, kept = [await world.receive(mail(name), HELP) for name in ("Gone", "Kept")]
    now = world.clock.now()
    for key, age in (
        (f"attachments/{gone.id}/aa", 1 * DAY),
        (f"attachments/{kept.id}/bb", 7 * DAY),
        (f"attachments/{kept.id}/cc", 9 * DAY),
        ("attachments/inb_of_nobody/dd", 9 * DAY),
        ("http/not-a-file", 99 * DAY),
    ):
        await world.blobs.put(key, b"x")
        os.utime(tmp_path / "blobs" / key, ((now - age).timestamp(),) * 2)
    await world.db.write(erase, [gone.id], now, with_raw=True)

    def run(settings: RetentionSettings) -> Retention:
        return Retention(
            world.db,
            world.blobs,
            world.clock,
            world.ids,
            settings=settings,
            linked=world.blobs,
        )

    left_alone = await run(RetentionSettings(with_raw=False)).delete(actor="ann")
    report = await run(RetentionSettings()).delete(actor="ann")

    assert (left_alone.files_deleted, report.files_deleted) == (0, 3)
    assert {key for key in await keys(world) if key != kept.blob_key} == {
        f"attachments/{kept.id}/bb",
        "http/not-a-file",
    }
    entry = (await world.db.read(audit.newest, 1))[0]
    assert entry.detail == {"files": "3"}


async def test_what_has_served_its_time_is_dropped(world: World) -> None:
    now = world.clock.now()
    desk = JobDesk(world.db, world.clock, world.ids, lambda: None)
    job = await desk.start(JobWish(kind=JobKind.REPROCESS, params={}), actor="ann")
    running = await desk.start(JobWish(kind=JobKind.REPROCESS, params={}), actor="ann")
    await desk.cancel(job.id, actor="ann")
    await world.db.write(items.enqueue, WorkKind.SEND, "msg_dead", run_at=now, now=now)
    (dead,) = await world.db.write(items.claim, [WorkKind.SEND], "a", now=now, lease=DAY, limit=1)
    await world.db.write(items.bury, dead, "no")
    kept = Kept(claim=("acme", "k"), body_hash="h", answer={"id": "msg_1"}, at=now)
    await world.db.write(idempotency.keep, [kept])
    world.clock.advance(91 * DAY)

    report = await retention(world).delete(actor="retention")

    assert (report.jobs, report.work_items, report.answers) == (1, 1, 1)
    assert await world.db.read(job_rows.get, job.id) is None
    assert await world.db.read(job_rows.get, running.id) is not None
    assert await count(world, answers) == 0


async def test_it_runs_by_itself_until_cancelled(world: World) -> None:
    await world.receive(mail(), HELP)
    world.clock.advance(11 * DAY)
    often = replace(ALL, every=timedelta(milliseconds=5))
    running = asyncio.ensure_future(retention(world, often).run())

    async def is_empty() -> bool:
        return await count(world, inbound) == 0

    await until_async(is_empty)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await count(world, explanation_steps) == 0
    assert await count(world, inbound_attachments) == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"retention_deletes_raw": False, "retention_suppressed_days": 3}, "swept in again"),
        ({"retention_deletes_raw": False, "retention_size_mb": 5}, "or the size to 0"),
    ],
)
def test_settings_that_would_bring_deleted_mail_back_are_refused(
    settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        retention_settings(Config(**settings))
    fine = retention_settings(Config(**(settings | {"retention_deletes_raw": True})))
    assert InboundStatus.RECEIVED not in fine.kept
    assert fine.kept[InboundStatus.HELD] == 180 * DAY


async def test_what_was_put_away_is_kept_from_that_day_on(world: World) -> None:
    spam = await world.receive(mail("Win"), HELP, verdicts=SPAM)
    world.clock.advance(9 * DAY)
    quarantine = QuarantineDesk(world.inbound, lambda: None)
    await quarantine.act([spam.id], Discard(), actor="ann")
    world.clock.advance(9 * DAY)
    assert (await retention(world).plan()).messages == 0
    world.clock.advance(2 * DAY)
    assert told(await retention(world).delete(actor="retention")) == [("discarded", "age", 1)]
