"""Our list and the account's list at SES, brought together over real HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from backend.aws.suppression import SesSuppressions
from backend.errors import InvalidInputError, NotFoundError, ServiceUnavailableError
from backend.model.suppression import Suppression, SuppressionReason, SuppressionWish, SyncWay
from backend.model.views import SuppressionQuery
from backend.model.work import WorkKind
from backend.ports import HeldAddress
from backend.queue import items
from backend.store import audit, ses_suppressions, suppressions
from backend.suppression.desk import SuppressionDesk
from backend.suppression.free import free
from tests.settable import CountingIds, SettableClock

if TYPE_CHECKING:
    from backend.model.suppression import SyncReport
    from backend.store.engine import Database
    from tests.integration.aws.reading import Reader

BOUNCE, COMPLAINT = SuppressionReason.BOUNCE, SuppressionReason.COMPLAINT


@pytest.fixture
def at_ses(world: Reader) -> Any:
    """A client of an account whose list is empty."""
    client = world.clients.service("sesv2")
    for row in client.list_suppressed_destinations(PageSize=1000)["SuppressedDestinationSummaries"]:
        client.delete_suppressed_destination(EmailAddress=row["EmailAddress"])
    return client


@pytest.fixture
def account(world: Reader) -> SesSuppressions:
    return SesSuppressions(world.clients, space=0.0, page=2)


@pytest.fixture
def desk(db: Database, ids: CountingIds, account: SesSuppressions, later: SettableClock) -> Any:
    return SuppressionDesk(db, later, ids, account)


@pytest.fixture
def later() -> SettableClock:
    """A clock after anything the sandbox has done, whose own is the machine's."""
    clock = SettableClock()
    clock.advance(timedelta(days=3650))
    return clock


def held(at_ses: Any) -> list[tuple[str, str]]:
    rows = at_ses.list_suppressed_destinations(PageSize=1000)["SuppressedDestinationSummaries"]
    return sorted((row["EmailAddress"], row["Reason"]) for row in rows)


async def put(db: Database, clock: SettableClock, number: int, address: str, **more: Any) -> None:
    entry = Suppression(
        id=f"sup_own{number}",
        tenant_id="ten_1",
        address=address,
        reason=BOUNCE,
        created_at=clock.now(),
    )
    await db.write(suppressions.insert, replace(entry, **more))


async def ours(desk: SuppressionDesk) -> list[tuple[str, str]]:
    entries = await desk.older(SuppressionQuery(), "", 99)
    return sorted((one.address, one.tenant_id) for one in entries)


def counts(report: SyncReport) -> tuple[int, int, int, int, int, int]:
    d = report.drift
    return (d.in_both, d.only_there, d.freed_here, d.only_here, d.freed_there, d.kept_here)


def changes(report: SyncReport) -> tuple[int, int, int, int]:
    r = report
    return (r.added_here, r.removed_here, r.added_there, r.removed_there)


async def test_a_dry_run_tells_the_drift_and_both_sides_give_way(
    any_db: Database, account: SesSuppressions, later: SettableClock, at_ses: Any
) -> None:
    db, desk = any_db, SuppressionDesk(any_db, later, CountingIds(), account)
    for address, reason in (
        ("Both@client.example", "BOUNCE"),
        ("Only.There@client.example", "COMPLAINT"),
        ("freed.here@client.example", "BOUNCE"),
        ("Freed.Here@client.example", "BOUNCE"),
    ):
        at_ses.put_suppressed_destination(EmailAddress=address, Reason=reason)
    await put(db, later, 1, "both@client.example")
    await put(db, later, 2, "only.here@client.example", spelling="Only.Here@client.example")
    await put(db, later, 3, "by.hand@client.example", reason=SuppressionReason.MANUAL)
    await put(db, later, 4, "whole.example")
    await put(db, later, 5, "freed.here@client.example")
    await put(db, later, 6, "ended@client.example", expires_at=later.now())
    await put(db, later, 7, "only.here@client.example", tenant_id="ten_2")
    await desk.remove("sup_own5", actor="ann")
    before = held(at_ses)

    dry = await desk.sync(SyncWay.BOTH, dry_run=True, actor="ann")
    assert counts(dry) == (1, 1, 1, 1, 0, 2)
    assert dry.drift.examples["freed_here"] == ("freed.here@client.example",)
    assert (held(at_ses), changes(dry)) == (before, (0, 0, 0, 0))
    done = await desk.sync(SyncWay.BOTH, dry_run=False, actor="ann")

    assert changes(done) == (1, 0, 1, 2)
    assert held(at_ses) == [
        ("Both@client.example", "BOUNCE"),
        ("Only.Here@client.example", "BOUNCE"),
        ("Only.There@client.example", "COMPLAINT"),
    ]
    pulled = await desk.get("only.there@client.example", "")
    assert (pulled.reason, pulled.spelling) == (COMPLAINT, "Only.There@client.example")
    assert counts(await desk.sync(SyncWay.BOTH, dry_run=True, actor="ann")) == (3, 0, 0, 0, 0, 2)
    # freed at SES by somebody else: only now is it known that SES once held it
    at_ses.delete_suppressed_destination(EmailAddress="Both@client.example")
    pushed = await desk.sync(SyncWay.PUSH, dry_run=False, actor="ann")
    assert (counts(pushed)[4], changes(pushed)) == (1, (0, 0, 0, 0))
    again = await desk.sync(SyncWay.PULL, dry_run=False, actor="ann")
    assert (counts(again), changes(again)) == ((2, 0, 0, 0, 1, 2), (0, 1, 0, 0))
    assert ("both@client.example", "ten_1") not in await ours(desk)
    lines = [e.detail for e in await db.read(audit.newest, 9) if e.action == "suppression.sync"]
    assert [line["way"] for line in lines] == ["pull", "push", "both"]


async def test_one_way_leaves_the_other_side_alone(
    desk: SuppressionDesk, db: Database, later: SettableClock, at_ses: Any
) -> None:
    at_ses.put_suppressed_destination(EmailAddress="there@client.example", Reason="BOUNCE")
    await put(db, later, 1, "here@client.example", reason=COMPLAINT)

    pushed = await desk.sync(SyncWay.PUSH, dry_run=False, actor="ann")
    assert (changes(pushed), await ours(desk)) == ((0, 0, 1, 0), [("here@client.example", "ten_1")])
    assert ("here@client.example", "COMPLAINT") in held(at_ses)
    pulled = await desk.sync(SyncWay.PULL, dry_run=False, actor="ann")
    assert changes(pulled) == (1, 0, 0, 0)
    assert ("there@client.example", "") in await ours(desk)


async def test_who_is_taken_off_our_list_is_soon_freed_at_ses_in_every_known_spelling(
    desk: SuppressionDesk, account: SesSuppressions, db: Database, later: SettableClock, at_ses: Any
) -> None:
    for address in ("kim@held.example", "Kim@Held.example", "KIM@held.example"):
        at_ses.put_suppressed_destination(EmailAddress=address, Reason="BOUNCE")
    await desk.sync(SyncWay.PUSH, dry_run=True, actor="ann")  # so that the spellings are known
    wish = SuppressionWish(address="Kim@Held.example")
    entry = await desk.add(wish, actor="ann")
    await desk.remove(entry.id, actor="ann")
    (item,) = await db.write(
        items.claim,
        [WorkKind.UNSUPPRESS],
        "me",
        now=later.now(),
        lease=timedelta(seconds=30),
        limit=9,
    )
    await free(item, db, account, later)

    assert held(at_ses) == []
    assert not await db.read(items.is_due, [WorkKind.UNSUPPRESS], later.now())


class Stopping(SesSuppressions):
    """The account, until it has been asked to put so many addresses."""

    left = 2

    async def put(self, address: str, reason: SuppressionReason) -> None:
        """Put an address, or be away."""
        if not self.left:
            raise ServiceUnavailableError("SES is away")
        self.left -= 1
        await super().put(address, reason)


async def test_a_sync_that_was_stopped_goes_on_where_it_was(
    world: Reader, desk: SuppressionDesk, db: Database, later: SettableClock, at_ses: Any
) -> None:
    for number in range(5):
        await put(db, later, number, f"p{number}@client.example")
    broken = Stopping(world.clients, space=0.0)
    with pytest.raises(ServiceUnavailableError):
        await SuppressionDesk(db, later, CountingIds(), broken).sync(
            SyncWay.BOTH, dry_run=False, actor="ann"
        )
    half = len(held(at_ses))
    again = await desk.sync(SyncWay.BOTH, dry_run=False, actor="ann")

    assert (half, changes(again)) == (2, (0, 0, 3, 0))
    assert len(held(at_ses)) == 5


async def test_an_account_that_looks_like_another_one_empties_no_list_unasked(
    desk: SuppressionDesk, db: Database, later: SettableClock, at_ses: Any
) -> None:
    people = [f"p{number:02}@client.example" for number in range(21)]
    seen = [HeldAddress(spelling=one, reason=BOUNCE, updated_at=later.now()) for one in people]
    await db.write(ses_suppressions.see, seen, "lst_before")
    for number, one in enumerate(people):
        await put(db, later, number, one)
    with pytest.raises(InvalidInputError, match="account and region") as refused:
        await desk.sync(SyncWay.BOTH, dry_run=False, actor="ann")
    kept = len(await ours(desk))
    sure = await desk.sync(SyncWay.PULL, dry_run=False, actor="ann", sure=True)

    assert "21 addresses no more" in str(refused.value)
    assert (kept, changes(sure), await ours(desk)) == (21, (0, 21, 0, 0), [])


async def test_what_ends_here_is_not_put_at_ses_and_what_has_ended_does_not_come_back(
    desk: SuppressionDesk, db: Database, later: SettableClock, at_ses: Any
) -> None:
    soon = later.now() + timedelta(days=1)
    for name in ("there", "here"):
        await put(db, later, len(name), f"{name}@client.example", expires_at=soon)
    at_ses.put_suppressed_destination(EmailAddress="there@client.example", Reason="BOUNCE")
    before = await desk.sync(SyncWay.BOTH, dry_run=False, actor="ann")
    later.advance(timedelta(days=2))
    after = await desk.sync(SyncWay.BOTH, dry_run=False, actor="ann")

    assert (counts(before), changes(before)) == ((1, 0, 0, 0, 0, 1), (0, 0, 0, 0))
    assert (counts(after), changes(after)) == ((0, 0, 1, 0, 0, 0), (0, 0, 0, 1))
    assert held(at_ses) == []
    assert len(await ours(desk)) == 2


async def test_an_address_that_bounced_again_before_its_turn_stays_at_ses(
    desk: SuppressionDesk, account: SesSuppressions, db: Database, later: SettableClock, at_ses: Any
) -> None:
    at_ses.put_suppressed_destination(EmailAddress="kim@client.example", Reason="BOUNCE")
    await put(db, later, 1, "kim@client.example")
    await desk.remove("sup_own1", actor="ann")
    await put(db, later, 2, "kim@client.example")
    (item,) = await db.write(
        items.claim,
        [WorkKind.UNSUPPRESS],
        "me",
        now=later.now(),
        lease=timedelta(seconds=30),
        limit=9,
    )
    await free(item, db, account, later)

    assert held(at_ses) == [("kim@client.example", "BOUNCE")]


async def test_who_removes_an_entry_is_told_what_keeps_the_mail_back_nevertheless(
    desk: SuppressionDesk, db: Database, later: SettableClock
) -> None:
    await put(db, later, 1, "kim@client.example")
    await put(db, later, 2, "kim@client.example", tenant_id="ten_2")
    await put(db, later, 3, "client.example", tenant_id="")
    told = []
    for name in ("sup_own1", "sup_own3", "sup_own2"):
        removed = await desk.remove(name, actor="ann")
        told.append(await desk.still_held(removed))
        if name == "sup_own3":
            told.append(await desk.still_held(replace(removed, address="kim@client.example")))

    assert "client.example is on the list (sup_own3)" in told[0]
    assert (told[1], "bounced or complained to another tenant" in told[2]) == ("", True)
    assert told[3] == ""


async def test_the_account_is_read_in_pages_and_asked_by_exact_spelling(
    account: SesSuppressions, at_ses: Any
) -> None:
    for number in range(5):
        await account.put(f"P{number}@page.example", BOUNCE)

    pages = [[one.spelling for one in page] async for page in account.pages()]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(chain.from_iterable(pages)) == [f"P{number}@page.example" for number in range(5)]
    assert await account.holds("P1@page.example")
    assert not await account.holds("p1@page.example")
    assert not await account.delete("p1@page.example")
    assert await account.delete("P1@page.example")


async def test_calls_are_spaced(world: Reader, at_ses: Any) -> None:
    slow = SesSuppressions(world.clients, space=0.15)
    loop_time = asyncio.get_running_loop().time
    began = loop_time()
    for _ in range(3):
        assert not await slow.delete("nobody@client.example")

    assert loop_time() - began >= 0.3


async def test_an_entry_that_is_gone_is_not_found(desk: SuppressionDesk) -> None:
    with pytest.raises(NotFoundError, match="removed already"):
        await desk.remove("sup_404", actor="ann")
