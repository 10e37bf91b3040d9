"""Lists, policies and breaker counts in the database, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.errors import InvalidInputError, NotFoundError
from backend.inbound.screen_admin import ScreenAdmin
from backend.inbound.screen_context import ScreenSettings
from backend.model.automated import Kind
from backend.model.screening import (
    ClassAct,
    ListKind,
    ListWish,
    OpenBreaker,
    RateScope,
    ScreenPolicy,
    Weight,
)
from backend.model.tenant import Tenant
from backend.store import audit, breakers, sender_lists, tenants

if TYPE_CHECKING:
    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock


@pytest.fixture
async def admin(any_db: Database, clock: SettableClock, ids: CountingIds) -> ScreenAdmin:
    acme = Tenant(id="acme", name="Acme", created_at=clock.now())
    await any_db.write(tenants.add, acme)
    settings = ScreenSettings(sender_limit=3, thread_limit=2, window=timedelta(minutes=10))
    return ScreenAdmin(any_db, clock, ids, settings)


def block(pattern: str, **more: object) -> ListWish:
    return ListWish(kind=ListKind.BLOCK, pattern=pattern, **more)  # type: ignore[arg-type]


async def test_an_entry_is_listed_with_its_note_and_in_the_audit_log(
    admin: ScreenAdmin, any_db: Database
) -> None:
    added = await admin.add(block("*.Spam.example", note="floods us"), actor="ann")

    assert await admin.entries(ListKind.BLOCK) == [added]
    assert await admin.entries(ListKind.ALLOW) == []
    assert (added.pattern, added.note, added.created_by) == ("*.spam.example", "floods us", "ann")
    (line,) = await any_db.read(audit.newest, 5)
    assert (line.actor, line.action, line.subject) == ("ann", "list.block.add", added.id)
    assert line.detail["pattern"] == "*.spam.example"


async def test_a_pattern_added_again_takes_over(admin: ScreenAdmin) -> None:
    await admin.add(block("spam.example", note="old"), actor="ann")
    newer = await admin.add(block("SPAM.example", note="new"), actor="bob")

    assert await admin.entries(ListKind.BLOCK) == [newer]


async def test_an_entry_is_removed_by_pattern_or_id_and_only_once(
    admin: ScreenAdmin, any_db: Database
) -> None:
    first = await admin.add(block("a.example"), actor="ann")
    second = await admin.add(block("b.example", tenant_id="acme"), actor="ann")

    assert await admin.remove(ListKind.BLOCK, "A.example", actor="bob") == first
    assert await admin.remove(ListKind.BLOCK, second.id, actor="bob") == second
    with pytest.raises(NotFoundError, match="not on the block list"):
        await admin.remove(ListKind.BLOCK, "a.example", actor="bob")
    assert (await any_db.read(audit.newest, 1))[0].action == "list.block.remove"


async def test_only_live_entries_of_the_tenant_and_of_all_match(
    admin: ScreenAdmin, any_db: Database, clock: SettableClock
) -> None:
    soon = clock.now() + timedelta(days=1)
    common = await admin.add(block("x.example", expires_at=soon), actor="ann")
    own = await admin.add(block("x.example", tenant_id="acme"), actor="ann")
    asked = ("x.example", "jo@x.example")

    before = await any_db.read(sender_lists.matching, "acme", asked, clock.now())
    other = await any_db.read(sender_lists.matching, "globex", asked, clock.now())
    after = await any_db.read(sender_lists.matching, "acme", asked, soon)

    assert {entry.id for entry in before} == {common.id, own.id}
    assert other == (common,)
    assert after == (own,)


async def test_wrong_wishes_are_refused_and_leave_nothing(
    admin: ScreenAdmin, clock: SettableClock
) -> None:
    with pytest.raises(InvalidInputError, match="past"):
        await admin.add(block("x.example", expires_at=clock.now()), actor="ann")
    with pytest.raises(NotFoundError, match="tenant"):
        await admin.add(block("x.example", tenant_id="nobody"), actor="ann")
    with pytest.raises(InvalidInputError, match="note"):
        await admin.add(block("x.example", note="n" * 501), actor="ann")

    assert await admin.entries(ListKind.BLOCK) == []


async def test_a_tenant_without_a_policy_has_the_common_one(admin: ScreenAdmin) -> None:
    assert await admin.policy("acme") == ScreenPolicy()

    common = await admin.set_policy("", {"spam_undecided": "quarantine"}, actor="ann")
    assert await admin.policy("acme") == common

    own = await admin.set_policy(
        "acme",
        {
            "allowed_extensions": [".HTML"],
            "max_attachment_bytes": 1000,
            "classes": {"list": {"*": "suppress", "crm": "quarantine"}},
        },
        actor="ann",
    )
    assert await admin.policy("acme") == own
    assert own.spam_undecided is Weight.NOTE
    assert own.allowed_extensions == {"html"}
    assert own.classes[Kind.LIST] == {"*": ClassAct.SUPPRESS, "crm": ClassAct.QUARANTINE}


@pytest.mark.parametrize(
    "values",
    [
        {"spam": "fail"},
        {"spam_failed": "drop"},
        {"classes": {"robot": {}}},
        {"classes": {"list": {"erp": "suppress"}}},
        {"max_attachment_bytes": -1},
    ],
)
async def test_a_policy_that_cannot_be_is_refused(
    admin: ScreenAdmin, values: dict[str, object]
) -> None:
    with pytest.raises(InvalidInputError):
        await admin.set_policy("acme", values, actor="ann")

    assert await admin.policy("acme") == ScreenPolicy()


async def test_a_breaker_opens_at_its_limit_closes_with_time_and_is_reset(
    admin: ScreenAdmin, any_db: Database, clock: SettableClock
) -> None:
    who = ["jo@x.example", "jo@x.example", "di@x.example", "jo@x.example"]
    counted = [("acme", RateScope.SENDER, one, clock.now()) for one in who]
    await any_db.write(breakers.count, counted)
    minute = clock.now().replace(second=0, microsecond=0)

    (opened,) = await admin.breakers()
    assert opened == OpenBreaker(
        tenant_id="acme", scope=RateScope.SENDER, key="jo@x.example", count=3, last_at=minute
    )
    clock.advance(timedelta(minutes=11))
    assert await admin.breakers() == []

    clock.advance(timedelta(minutes=-11))
    assert await admin.reset_breaker(opened, actor="ann") == 3
    assert await admin.breakers() == []
    assert (await any_db.read(audit.newest, 1))[0].action == "breaker.reset"


async def test_old_counts_are_swept(any_db: Database, clock: SettableClock) -> None:
    await any_db.write(breakers.count, [("acme", RateScope.THREAD, "thr_1", clock.now())])
    clock.advance(timedelta(hours=1))
    await any_db.write(breakers.count, [("acme", RateScope.THREAD, "thr_1", clock.now())])

    assert await any_db.write(breakers.sweep, clock.now(), timedelta(minutes=10)) == 1
    since = clock.now() - timedelta(days=1)
    assert await any_db.read(breakers.within, "acme", RateScope.THREAD, "thr_1", since) == 1
