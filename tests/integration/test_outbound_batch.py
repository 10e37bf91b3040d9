"""Batches: one transaction, an answer for each mail, and all of it once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from backend.errors import (
    AllSuppressedError,
    BatchRefusedError,
    DomainNotVerifiedError,
    IdempotencyConflictError,
    InvalidInputError,
    RequestInFlightError,
)
from backend.model.inbound import TargetName
from backend.model.outbound import Accepted, Attachment, BatchAccepted, EmailDraft, Refused
from backend.model.stats import Counter
from backend.model.suppression import SuppressionWish
from backend.outbound.accept import accept, accept_batch
from backend.outbound.drafts import load_draft
from backend.store import counters, emails, outbox, threads
from backend.store.audit import Hand
from backend.store.engine import Database, open_database
from backend.suppression.by_hand import add
from tests.outbound_world import DRAFT, TENANT, World, make_world

if TYPE_CHECKING:
    from tests.settable import CountingIds, SettableClock

FILE = Attachment(filename="a.pdf", content=b"%PDF", content_type="application/pdf")
GOOD = [replace(DRAFT, subject=f"No. {n}") for n in range(3)]
WRONG: list[EmailDraft | InvalidInputError] = [
    replace(DRAFT, to=("nobody",)),
    replace(DRAFT, sender="a@nowhere.example"),
    InvalidInputError("subject: this field is needed", field="subject"),
]


@pytest.fixture
async def world(db: Database, clock: SettableClock, ids: CountingIds) -> World:
    return await make_world(db, clock, ids)


@pytest.fixture
async def any_world(any_db: Database, clock: SettableClock, ids: CountingIds) -> World:
    return await make_world(any_db, clock, ids)


async def accepted_ever(world: World) -> int:
    return (await world.db.read(counters.totals)).get(Counter.ACCEPTED, 0)


def ids_of(answer: BatchAccepted) -> list[str]:
    return [one.email_id for one in answer.results if isinstance(one, Accepted)]


async def test_each_mail_of_a_batch_is_a_mail_of_its_own_files_and_all(any_world: World) -> None:
    drafts = [*GOOD, replace(DRAFT, attachments=(FILE,)), replace(DRAFT, scheduled_at="in 1 hour")]
    answer = await accept_batch(any_world.outbound, TENANT, drafts)

    found = [await any_world.email(one) for one in ids_of(answer)]
    assert [one.subject for one in found] == ["No. 0", "No. 1", "No. 2", *["Your ticket"] * 2]
    stored = load_draft(await any_world.db.read(emails.draft, found[3].id))
    assert stored.attachments == (FILE,)
    assert found[4].status.value == "scheduled"
    assert len({one.thread_id for one in found}) == 5
    assert await accepted_ever(any_world) == 5
    assert len(await any_world.db.read(outbox.unpublished, 99)) == 5
    assert {item.ref for item in await any_world.claim()} == {one.id for one in found[:4]}


async def test_one_wrong_mail_refuses_the_batch_and_each_fault_is_told(world: World) -> None:
    with pytest.raises(BatchRefusedError) as refused:
        await accept_batch(world.outbound, TENANT, [GOOD[0], *WRONG])

    assert [place for place, _ in refused.value.faults] == [1, 2, 3]
    assert [fault.field for _, fault in refused.value.faults] == ["to", "from", "subject"]
    assert str(refused.value).startswith("[1].to: 'nobody' is not a mail address")
    assert "2 more of the 4 are wrong; no mail was accepted" in str(refused.value)
    assert await accepted_ever(world) == 0


async def test_what_is_right_is_taken_when_that_is_asked_and_repeats_alike(world: World) -> None:
    wanted = [GOOD[0], *WRONG, GOOD[1]]
    first = await accept_batch(world.outbound, TENANT, wanted, partly=True, idempotency_key="batch")
    again = await accept_batch(world.outbound, TENANT, wanted, partly=True, idempotency_key="batch")

    kinds = [type(one.error) if isinstance(one, Refused) else Accepted for one in first.results]
    assert kinds == [
        Accepted,
        InvalidInputError,
        DomainNotVerifiedError,
        InvalidInputError,
        Accepted,
    ]
    assert again.replayed
    assert ids_of(again) == ids_of(first)
    assert [repr(one.error) for one in again.results if isinstance(one, Refused)] == [
        repr(one.error) for one in first.results if isinstance(one, Refused)
    ]
    assert await accepted_ever(world) == 2


async def test_a_suppressed_recipient_is_one_mails_fault_only(world: World) -> None:
    wish = SuppressionWish(tenant_id=TENANT, address="gone@client.example")
    hand = Hand(actor="ann", at=world.clock.now(), ids=world.ids)
    await world.db.write(add, hand, wish)
    gone = replace(DRAFT, to=("gone@client.example",))
    both = replace(DRAFT, cc=("gone@client.example",))
    answer = await accept_batch(world.outbound, TENANT, [gone, both], partly=True)

    refused, taken = answer.results
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, AllSuppressedError)
    assert isinstance(taken, Accepted)
    assert [s.address for s in taken.skipped] == ["gone@client.example"]


async def test_the_key_of_a_batch_is_for_that_very_batch(world: World) -> None:
    await accept_batch(world.outbound, TENANT, GOOD[:1], idempotency_key="k")

    for other in (GOOD[:2], [GOOD[1]]):
        with pytest.raises(IdempotencyConflictError):
            await accept_batch(world.outbound, TENANT, other, idempotency_key="k")
    with pytest.raises(IdempotencyConflictError):
        await accept(world.outbound, TENANT, GOOD[0], idempotency_key="k")


async def test_two_servers_given_one_key_at_once_make_one_batch(
    any_world: World, any_url: str
) -> None:
    other = open_database(any_url)
    servers = [any_world.outbound, replace(any_world.outbound, db=other, in_flight=set())]
    calls = [
        accept_batch(server, TENANT, GOOD, idempotency_key="k")
        for _ in range(10)
        for server in servers
    ]
    ended = await asyncio.gather(*calls, return_exceptions=True)
    taken = [one for one in ended if isinstance(one, BatchAccepted)]
    other.close()

    assert {type(one) for one in ended} <= {BatchAccepted, RequestInFlightError}
    assert len({tuple(ids_of(one)) for one in taken}) == 1
    assert sum(not one.replayed for one in taken) == 1
    assert await accepted_ever(any_world) == 3


async def test_mails_about_one_ticket_share_a_conversation_also_within_a_batch(
    world: World,
) -> None:
    tagged = [replace(one, tags={"product": "psa", "ticket_id": "T-7"}) for one in GOOD]
    answer = await accept_batch(world.outbound, TENANT, tagged)
    later = await accept(world.outbound, TENANT, tagged[0])

    known = await world.db.read(threads.of_ticket, TENANT, "T-7", TargetName.PSA)
    found = {(await world.email(one)).thread_id for one in [*ids_of(answer), later.email_id]}
    assert found == {known[0].id}
    assert len(known) == 1


@pytest.mark.parametrize("count", [0, 101])
async def test_a_batch_has_1_to_100_mails(world: World, count: int) -> None:
    with pytest.raises(InvalidInputError, match="1 to 100"):
        await accept_batch(world.outbound, TENANT, [DRAFT] * count)
