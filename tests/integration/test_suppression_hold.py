"""Who is held back: by address and domain, of a tenant and of all, while an entry lasts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backend.errors import InvalidInputError, NotFoundError
from backend.feedback.apply import Stamp, apply_event
from backend.feedback.events import read_event
from backend.model.feedback import EventKind, FeedbackEvent, RecipientNews
from backend.model.suppression import (
    Suppression,
    SuppressionKind,
    SuppressionReason,
    SuppressionState,
    SuppressionWish,
)
from backend.model.views import SuppressionQuery
from backend.outbound.accept import accept as accept_mail
from backend.store import suppressions
from backend.store.audit import Hand
from backend.suppression import by_hand
from backend.suppression.check import held_back
from tests.outbound_world import DRAFT, TENANT, World, make_world
from tests.settable import START, CountingIds, SettableClock

if TYPE_CHECKING:
    from backend.store.engine import Database

GOLDEN = Path(__file__).parent.parent / "golden"
REASON, STATE = SuppressionReason, SuppressionState
ENTRY = Suppression(
    id="sup_1",
    tenant_id="ten_1",
    address="ann@client.example",
    reason=REASON.MANUAL,
    created_at=START,
)
REVIEW = SuppressionQuery(state=STATE.REVIEW)


def entry(number: int, address: str, **more: Any) -> Suppression:
    return replace(ENTRY, id=f"sup_{number}", address=address, **more)


async def test_addresses_domains_and_the_common_list_hold_each_in_their_way(
    any_db: Database,
) -> None:
    listed = [
        entry(1, "ann@client.example"),
        entry(2, "blocked.example"),
        entry(3, "*.wild.example"),
        entry(4, "bob@client.example", tenant_id=""),
        entry(5, "cut@blocked.example", reason=REASON.BOUNCE),
        entry(6, "other@client.example", tenant_id="ten_2"),
        entry(7, "ended@client.example", expires_at=START - timedelta(seconds=1)),
        entry(8, "lasts@client.example", expires_at=START + timedelta(days=1)),
        entry(9, "review@client.example", state=STATE.REVIEW),
        entry(10, "ann@client.example", tenant_id=""),
    ]
    for one in listed:
        await any_db.write(suppressions.insert, one)
    asked = {
        "ann@client.example": "sup_1",  # its own entry before the common one
        "x@blocked.example": "sup_2",
        "cut@blocked.example": "sup_5",  # an address before its domain
        "x@sub.blocked.example": None,
        "x@wild.example": None,
        "x@a.wild.example": "sup_3",
        "x@b.a.wild.example": "sup_3",
        "bob@client.example": "sup_4",
        "other@client.example": None,
        "ended@client.example": None,
        "lasts@client.example": "sup_8",
        "review@client.example": None,
        "free@client.example": None,
    }

    held = await any_db.read(held_back, "ten_1", list(asked), START)

    assert {address: held[address].id if address in held else None for address in asked} == asked
    assert held["lasts@client.example"] == listed[7]
    assert await any_db.read(held_back, "ten_1", [], START) == {}


@pytest.mark.parametrize(
    ("old", "new", "wins"),
    [
        ({}, {"reason": REASON.BOUNCE}, "old"),
        ({"expires_at": START}, {}, "new"),
        ({"expires_at": START + timedelta(days=1)}, {"reason": REASON.BOUNCE}, "new"),
        (
            {"expires_at": START + timedelta(days=2)},
            {"expires_at": START + timedelta(days=1)},
            "old",
        ),
        (
            {"expires_at": START + timedelta(days=1)},
            {"expires_at": START + timedelta(days=2)},
            "new",
        ),
        ({}, {"expires_at": START + timedelta(days=2)}, "old"),
        ({"state": STATE.REVIEW}, {"reason": REASON.BOUNCE}, "new"),
        ({}, {"state": STATE.REVIEW}, "old"),
        ({"import_id": "imp_1"}, {"reason": REASON.BOUNCE}, "new"),
        ({"import_id": "imp_1"}, {"import_id": "imp_2"}, "old"),
        ({"expires_at": START + timedelta(days=1)}, {"import_id": "imp_2"}, "old"),
    ],
)
async def test_the_older_entry_stays_unless_the_newer_says_more(
    db: Database, old: dict[str, Any], new: dict[str, Any], wins: str
) -> None:
    await db.write(suppressions.insert, entry(1, "ann@client.example", **old))
    written = await db.write(suppressions.insert, entry(2, "ann@client.example", **new))

    left = await db.read(suppressions.find, "ten_1", ["ann@client.example"])
    assert left["ann@client.example"].id == {"old": "sup_1", "new": "sup_2"}[wins]
    assert written is (wins == "new")


@pytest.fixture
async def world(db: Database, clock: SettableClock, ids: CountingIds) -> World:
    return await make_world(db, clock, ids)


def hand(world: World) -> Hand:
    return Hand(actor="ann", at=world.clock.now(), ids=world.ids)


async def test_a_mail_skips_copies_held_by_domain_or_for_all_and_names_them(world: World) -> None:
    wishes = [
        SuppressionWish(address="*.held.example", tenant_id=TENANT),
        SuppressionWish(address="hidden@client.example"),
        SuppressionWish(
            address="soon@client.example", expires_at=world.clock.now() + timedelta(hours=1)
        ),
    ]
    for wish in wishes:
        await world.db.write(by_hand.add, hand(world), wish)
    draft = replace(
        DRAFT,
        cc=("Kim@Mail.held.example", "soon@client.example"),
        bcc=("hidden@client.example",),
    )

    first = await accept_mail(world.outbound, TENANT, draft)
    world.clock.advance(timedelta(hours=1))
    second = await accept_mail(world.outbound, TENANT, draft)

    always = ["kim@mail.held.example", "hidden@client.example"]
    assert [one.address for one in first.skipped] == [always[0], "soon@client.example", always[1]]
    assert [one.address for one in second.skipped] == always
    assert await world.statuses(second.email_id) == ["queued", "suppressed", "queued", "suppressed"]


async def test_what_comes_on_the_list_by_domain_after_acceptance_is_left_out(world: World) -> None:
    email_id = (
        await accept_mail(world.outbound, TENANT, replace(DRAFT, cc=("b@late.example",)))
    ).email_id
    wish = SuppressionWish(address="late.example")
    await world.db.write(by_hand.add, hand(world), wish)
    await world.work()

    assert sorted(await world.statuses(email_id)) == ["sent", "suppressed"]


def test_an_event_tells_the_case_in_which_ses_knows_an_address() -> None:
    text = (GOLDEN / "feedback" / "03-bounce-permanent.json").read_text(encoding="utf-8")
    event = read_event(text.replace("ann@client.example", "Ann@client.example"), notice_id="n")

    assert event is not None
    assert [(n.address, n.spelling) for n in event.recipients] == [
        ("ann@client.example", "Ann@client.example")
    ]


async def complaint(world: World, *who: str) -> None:
    event = FeedbackEvent(
        source_id="sns-1",
        kind=EventKind.COMPLAINT,
        ses_message_id="ses-1",
        attempt_id=None,
        occurred_at=START,
        recipients=tuple(RecipientNews(address=a, spelling=a.title()) for a in who),
        subtype="abuse",
        feedback_id="fb-1",
    )
    await world.db.write(apply_event, event, Stamp(at=world.clock.now(), ids=world.ids))


async def test_a_complaint_that_may_be_of_several_waits_until_a_person_decides(
    world: World,
) -> None:
    ann, bob = "ann@client.example", "bob@client.example"
    draft = replace(DRAFT, to=(ann,), cc=(bob,))
    email_id = (await accept_mail(world.outbound, TENANT, draft)).email_id
    await world.work()
    await complaint(world, ann, bob)

    waiting = await world.db.read(suppressions.page, REVIEW, 0, 9)
    assert sorted(one.address for one in waiting) == [ann, bob]
    assert sorted(one.spelling for one in waiting) == [ann.title(), bob.title()]
    assert {(one.source_email_id, one.source_event_id, one.reason) for one in waiting} == {
        (email_id, "sns-1", REASON.COMPLAINT)
    }
    assert await world.db.read(held_back, TENANT, [ann, bob], world.clock.now()) == {}
    by_address = {one.address: one.id for one in waiting}
    accepted = await world.db.write(by_hand.accept, hand(world), by_address[ann])
    await world.db.write(by_hand.dismiss, hand(world), by_address[bob])

    assert list(await world.db.read(held_back, TENANT, [ann, bob], world.clock.now())) == [ann]
    assert await world.db.read(suppressions.count, REVIEW) == 0
    with pytest.raises(NotFoundError, match="does not wait for review"):
        await world.db.write(by_hand.dismiss, hand(world), accepted.id)


async def test_an_end_in_the_past_and_a_long_note_are_refused(world: World) -> None:
    for more, field in (({"expires_at": START}, "expires"), ({"note": "x" * 501}, "note")):
        wish = SuppressionWish(address="a@client.example", **more)
        with pytest.raises(InvalidInputError) as told:
            await world.db.write(by_hand.add, hand(world), wish)
        assert told.value.field == field


async def test_a_list_is_filtered_and_read_in_both_directions(any_db: Database) -> None:
    for one in (
        entry(1, "a@client.example", reason=REASON.BOUNCE),
        entry(2, "client.example"),
        entry(3, "b@client.example", tenant_id="", import_id="imp_1"),
        entry(4, "c@client.example", expires_at=START),
        entry(5, "d@client.example", reason=REASON.COMPLAINT),
    ):
        await any_db.write(suppressions.insert, one)

    async def ids(query: SuppressionQuery) -> list[int]:
        found = await any_db.read(suppressions.older, query, "", 9)
        assert await any_db.read(suppressions.count, query) == len(found)
        return [int(one.id[4:]) for one in found]

    assert await ids(SuppressionQuery(reason=REASON.BOUNCE)) == [1]
    assert await ids(SuppressionQuery(reasons=frozenset({REASON.BOUNCE, REASON.COMPLAINT}))) == [
        5,
        1,
    ]
    assert await ids(SuppressionQuery(kind=SuppressionKind.DOMAIN)) == [2]
    assert await ids(SuppressionQuery(tenant_id="")) == [3]
    assert await ids(SuppressionQuery(import_id="imp_1")) == [3]
    assert await ids(SuppressionQuery(live_at=START)) == [5, 3, 2, 1]
    everything = SuppressionQuery()
    older = await any_db.read(suppressions.older, everything, "sup_4", 2)
    newer = await any_db.read(suppressions.newer, everything, "sup_2", 2)
    assert [one.id for one in older] == ["sup_3", "sup_2"]
    assert [one.id for one in newer] == ["sup_4", "sup_3"]
