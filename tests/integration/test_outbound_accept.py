"""Accepting a draft: what is promised, what is refused, and that asking twice acts once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from backend.errors import (
    AllSuppressedError,
    DomainNotVerifiedError,
    IdempotencyConflictError,
    InvalidInputError,
    RequestInFlightError,
)
from backend.model.inbound import TargetAction, TargetName
from backend.model.outbound import Accepted, EmailStatus
from backend.model.stats import Counter
from backend.model.suppression import SuppressionWish
from backend.outbound.accept import accept
from backend.store import counters, emails, outbox, schema, threads
from backend.store.audit import Hand
from backend.suppression.by_hand import add
from tests.outbound_world import DRAFT, OTHER_TENANT, TENANT, World, make_world

if TYPE_CHECKING:
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock


@pytest.fixture
async def world(db: Database, clock: SettableClock, ids: CountingIds) -> World:
    return await make_world(db, clock, ids)


async def mails(world: World) -> int:
    def count(tx: Tx) -> int:
        return int(tx.execute(select(func.count()).select_from(schema.emails)).scalar_one())

    return await world.db.read(count)


async def suppress(world: World, address: str) -> None:
    hand = Hand(actor="ann", at=world.clock.now(), ids=world.ids)
    await world.db.write(add, hand, SuppressionWish(address=address, tenant_id=TENANT))


async def test_an_accepted_draft_is_on_disk_queued_counted_and_announced(world: World) -> None:
    accepted = await accept(world.outbound, TENANT, DRAFT)

    email = await world.email(accepted.email_id)
    assert email.status is EmailStatus.QUEUED
    assert [r.address for r in email.recipients] == ["ann@client.example"]
    assert (await world.db.read(counters.totals))[Counter.ACCEPTED] == 1
    assert [e.type for e in await world.db.read(outbox.unpublished, 9)] == ["relay.email.accepted"]
    assert [item.ref for item in await world.claim()] == [email.id]


async def test_a_scheduled_draft_is_not_due_before_its_time(world: World) -> None:
    later = world.clock.now() + timedelta(hours=1)
    accepted = await accept(world.outbound, TENANT, replace(DRAFT, scheduled_at=later))

    assert accepted.status is EmailStatus.SCHEDULED
    assert await world.work() == 0
    world.clock.advance(3600)
    assert await world.work() == 1
    assert (await world.email(accepted.email_id)).status is EmailStatus.SENT


@pytest.mark.parametrize(
    ("sender", "hint"),
    [
        ("a@globex.example", "not a domain of this tenant"),
        ("a@nowhere.example", "not a domain of this tenant"),
        ("a@pending.example", "pending, not verified"),
    ],
)
async def test_only_a_verified_domain_of_the_tenant_may_send(
    world: World, sender: str, hint: str
) -> None:
    with pytest.raises(DomainNotVerifiedError, match=hint):
        await accept(world.outbound, TENANT, replace(DRAFT, sender=sender))
    assert await mails(world) == 0


async def test_suppressed_recipients_are_skipped_and_named(world: World) -> None:
    await suppress(world, "Bob@client.example")
    draft = replace(DRAFT, cc=("bob@CLIENT.example",), bcc=("eve@client.example",))

    accepted = await accept(world.outbound, TENANT, draft)

    assert [(s.address, s.reason) for s in accepted.skipped] == [("bob@client.example", "manual")]
    assert await world.statuses(accepted.email_id) == ["queued", "suppressed", "queued"]
    totals = await world.db.read(counters.totals)
    assert (totals[Counter.ACCEPTED], totals[Counter.SUPPRESSED]) == (2, 1)


async def test_a_draft_to_suppressed_recipients_only_is_refused_with_reason_and_date(
    world: World,
) -> None:
    await suppress(world, "ann@client.example")

    with pytest.raises(AllSuppressedError, match=r"ann@client.example \(manual since 2026-03-02\)"):
        await accept(world.outbound, TENANT, DRAFT)


async def test_another_tenants_suppression_does_not_count(world: World) -> None:
    await suppress(world, "ann@client.example")

    draft = replace(DRAFT, sender="a@globex.example")
    assert (await accept(world.outbound, OTHER_TENANT, draft)).skipped == ()


async def test_a_hundred_at_once_with_one_key_make_one_mail(world: World) -> None:
    calls = [accept(world.outbound, TENANT, DRAFT, idempotency_key="k") for _ in range(100)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    again = await accept(world.outbound, TENANT, DRAFT, idempotency_key="k")

    taken = [a for a in answers if isinstance(a, Accepted)]
    assert [a.replayed for a in taken] == [False]
    assert {type(a) for a in answers} == {Accepted, RequestInFlightError}
    assert again == replace(taken[0], replayed=True)
    assert await mails(world) == 1


async def test_the_same_key_with_another_body_is_a_conflict(world: World) -> None:
    await accept(world.outbound, TENANT, DRAFT, idempotency_key="k")

    with pytest.raises(IdempotencyConflictError):
        await accept(world.outbound, TENANT, replace(DRAFT, text="x"), idempotency_key="k")


async def test_a_repeat_is_replayed_when_its_moment_has_passed_since(world: World) -> None:
    draft = replace(DRAFT, scheduled_at=(world.clock.now() + timedelta(hours=1)).isoformat())
    first = await accept(world.outbound, TENANT, draft, idempotency_key="k")
    world.clock.advance(timedelta(hours=3))
    again = await accept(world.outbound, TENANT, draft, idempotency_key="k")

    with pytest.raises(InvalidInputError, match="has passed"):
        await accept(world.outbound, TENANT, draft, idempotency_key="another")
    with pytest.raises(InvalidInputError, match="has passed"):
        await accept(world.outbound, TENANT, replace(draft, text="x"), idempotency_key="k")
    with pytest.raises(InvalidInputError, match="surrogate"):
        await accept(world.outbound, TENANT, replace(DRAFT, text="\ud800"), idempotency_key="s")
    assert (again.email_id, again.replayed) == (first.email_id, True)
    assert await mails(world) == 1


async def test_a_key_is_free_again_after_a_day_and_for_another_tenant(world: World) -> None:
    first = await accept(world.outbound, TENANT, DRAFT, idempotency_key="k")
    draft = replace(DRAFT, sender="a@globex.example")
    other = await accept(world.outbound, OTHER_TENANT, draft, idempotency_key="k")
    world.clock.advance(timedelta(hours=24, seconds=1))
    later = await accept(world.outbound, TENANT, DRAFT, idempotency_key="k")

    assert len({first.email_id, other.email_id, later.email_id}) == 3


async def test_a_refused_draft_leaves_its_key_free(world: World) -> None:
    with pytest.raises(DomainNotVerifiedError):
        await accept(
            world.outbound, TENANT, replace(DRAFT, sender="a@x.example"), idempotency_key="k"
        )

    assert not (await accept(world.outbound, TENANT, DRAFT, idempotency_key="k")).replayed


@pytest.mark.parametrize("key", ["", "k" * 257])
async def test_a_key_has_1_to_256_characters(world: World, key: str) -> None:
    with pytest.raises(InvalidInputError, match="Idempotency-Key"):
        await accept(world.outbound, TENANT, DRAFT, idempotency_key=key)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"product": "psa", "ticket_id": "T-1"}, (TargetName.PSA, TargetAction.ADD_NOTE, "T-1")),
        (
            {"product": "portal", "ticket_id": "7"},
            (TargetName.PORTAL, TargetAction.ADD_REPLY, "7"),
        ),
        ({"contact_id": "c9"}, (TargetName.CRM, TargetAction.LOG_ACTIVITY, "c9")),
        ({"product": "psa"}, None),
    ],
)
async def test_tags_tell_where_replies_go(
    world: World, tags: dict[str, str], expected: tuple[TargetName, TargetAction, str] | None
) -> None:
    accepted = await accept(world.outbound, TENANT, replace(DRAFT, tags=tags))
    email = await world.email(accepted.email_id)
    thread = await world.db.read(threads.get, email.thread_id)

    assert thread is not None
    route = thread.route
    assert (None if route is None else (route.target, route.action, route.ref)) == expected


async def test_a_mail_of_one_tenant_is_not_found_by_another(world: World) -> None:
    accepted = await accept(world.outbound, TENANT, DRAFT)
    await world.work()

    assert await world.db.read(emails.get, accepted.email_id, OTHER_TENANT) is None
    assert await world.db.read(emails.by_ses_message_id, "ses-1", OTHER_TENANT) is None
    assert await world.db.read(emails.by_ses_message_id, "ses-1", TENANT) is not None
