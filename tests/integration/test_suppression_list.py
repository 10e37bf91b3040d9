"""The suppression list by hand: add, remove, restore, each with its line in the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backend.errors import InvalidInputError, NotFoundError
from backend.model.suppression import Suppression, SuppressionReason, SuppressionWish
from backend.model.tenant import Tenant
from backend.model.views import SuppressionQuery
from backend.store import audit, suppressions, tenants
from backend.store.audit import Hand
from backend.suppression.by_hand import add, remove, restore
from tests.settable import START, CountingIds

if TYPE_CHECKING:
    from backend.store.engine import Database


@pytest.fixture
async def hand(any_db: Database, ids: CountingIds) -> Hand:
    for tenant_id in ("ten_1", "ten_2"):
        await any_db.write(tenants.add, Tenant(id=tenant_id, name=tenant_id, created_at=START))
    return Hand(actor="ann", at=START, ids=ids)


def wish(address: str, tenant_id: str = "ten_1", **more: Any) -> SuppressionWish:
    return SuppressionWish(address=address, tenant_id=tenant_id, **more)


async def actions(db: Database) -> list[tuple[str, str, str]]:
    return [(e.actor, e.action, e.subject) for e in reversed(await db.read(audit.newest, 9))]


async def test_an_address_is_kept_in_lower_case_and_punycode(any_db: Database, hand: Hand) -> None:
    entry = await any_db.write(add, hand, wish(" Ann@Bücher.Example ", note="asked by phone"))

    assert entry.address == "ann@xn--bcher-kva.example"
    assert (entry.reason, entry.created_by) == (SuppressionReason.MANUAL, "ann")
    assert await any_db.read(suppressions.find, "ten_1", [entry.address]) == {entry.address: entry}
    assert await actions(any_db) == [("ann", "suppression.add", entry.id)]


async def test_adding_twice_keeps_the_older_entry(any_db: Database, hand: Hand) -> None:
    first = await any_db.write(add, hand, wish("a@x.example"))
    second = await any_db.write(add, hand, wish("A@x.example", note="again"))

    assert second == first
    assert len(await actions(any_db)) == 1


async def test_a_removed_entry_comes_back_as_it_was(any_db: Database, hand: Hand) -> None:
    bounce = Suppression(
        id="sup_9",
        tenant_id="ten_1",
        address="a@x.example",
        reason=SuppressionReason.BOUNCE,
        created_at=START,
        detail="550 no such user",
        source_email_id="msg_1",
    )
    await any_db.write(suppressions.insert, bounce)
    removed = await any_db.write(remove, hand, "sup_9")
    assert await any_db.read(suppressions.find, "ten_1", ["a@x.example"]) == {}
    await any_db.write(restore, hand, removed)

    assert await any_db.read(suppressions.get, "sup_9") == bounce
    assert await actions(any_db) == [
        ("ann", "suppression.remove", "sup_9"),
        ("ann", "suppression.restore", "sup_9"),
    ]


async def test_what_cannot_be_done_is_refused_and_leaves_no_trace(
    any_db: Database, hand: Hand
) -> None:
    with pytest.raises(InvalidInputError, match="no address or domain; write name"):
        await any_db.write(add, hand, wish("nobody"))
    with pytest.raises(NotFoundError, match="no tenant"):
        await any_db.write(add, hand, wish("a@x.example", "ten_9"))
    with pytest.raises(NotFoundError, match="removed already"):
        await any_db.write(remove, hand, "sup_404")

    assert await actions(any_db) == []


async def test_pages_are_newest_first_and_filtered(any_db: Database, hand: Hand) -> None:
    for tenant_id, address in (("ten_1", "a_b@x.example"), ("ten_1", "acb@x.example")):
        await any_db.write(add, hand, wish(address, tenant_id))
    await any_db.write(add, hand, wish("z@y.example", "ten_2"))

    async def page(query: SuppressionQuery, start: int = 0, size: int = 9) -> list[str]:
        return [s.address for s in await any_db.read(suppressions.page, query, start, size)]

    assert await page(SuppressionQuery()) == ["z@y.example", "acb@x.example", "a_b@x.example"]
    assert await page(SuppressionQuery(), 1, 1) == ["acb@x.example"]
    assert await page(SuppressionQuery(tenant_id="ten_2")) == ["z@y.example"]
    assert await page(SuppressionQuery(text="A_B")) == ["a_b@x.example"]
    assert await any_db.read(suppressions.count, SuppressionQuery(text="@x.")) == 2
