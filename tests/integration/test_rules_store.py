"""Rules on both databases: kept as they were, given in the order of reading."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from backend.inbound.rules_input import read_rule
from backend.inbound.rules_read import RuleShelf
from backend.store import rules as store
from backend.store.engine import open_database

if TYPE_CHECKING:
    import pytest

    from backend.model.rules import Rule
    from backend.store.engine import Database

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def rule(name: str, tenant_id: str, **more: Any) -> Rule:
    written: dict[str, Any] = {
        "name": name,
        "when": {"sender": "a@b.example", "kind": "list", "verdict": {"spam": "gray"}},
        "then": {"action": "drop", "reason": "r"},
        "extract": {"lines": {"a": "B"}, "values": {"a": {"x": "y"}}},
    } | more
    return read_rule(written, rule_id=f"rul_{name}", tenant_id=tenant_id, actor="pat", at=AT)


async def test_rules_come_back_whole_and_in_the_order_of_reading(any_db: Database) -> None:
    common, own = rule("common", ""), rule("own", "acme")
    first, other = rule("first", "", position=1), rule("other", "globex")
    for one in (common, own, first, other):
        await any_db.write(store.add, one)

    assert await any_db.read(store.all_in_order, "acme") == [first, own, common]
    assert len(await any_db.read(store.all_in_order)) == 4
    assert await any_db.read(store.find, "own") == [own]


async def test_a_name_is_free_for_each_tenant(any_db: Database) -> None:
    same = rule("twin", "acme")
    await any_db.write(store.add, same)
    twin = read_rule(
        {"name": "twin", "when": {"sender": "x"}, "then": {"action": "tag"}},
        rule_id="rul_2",
        tenant_id="globex",
        actor="pat",
        at=AT,
    )
    await any_db.write(store.add, twin)

    assert await any_db.read(store.find, "twin") == [twin, same]
    assert await any_db.read(store.find, "rul_2") == [twin]


async def test_a_shelf_sees_what_another_process_changes_and_reads_each_rule_once(
    any_url: str,
) -> None:
    here, there = open_database(any_url), open_database(any_url)
    shelf, own, common = RuleShelf(), rule("own", "acme"), rule("common", "")
    await there.write(store.add, common)

    assert await here.read(shelf.read, "acme") == [common]
    (kept,) = await here.read(shelf.read, "acme")
    await there.write(store.add, own)
    await there.write(store.set_enabled, common.id, enabled=False)
    both = await here.read(shelf.read, "acme")
    assert both == await there.read(store.all_in_order, "acme")
    assert [one.enabled for one in both] == [True, False]
    await there.write(store.set_enabled, common.id, enabled=True)
    await there.write(store.remove, own.id)

    assert (await here.read(shelf.read, "acme"))[0] is kept
    assert await here.read(shelf.read, "globex") == [common]
    here.close()
    there.close()


async def test_a_full_shelf_begins_anew(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.inbound.rules_read.MOST_RULES", 1)
    shelf, own, other = RuleShelf(), rule("own", "acme"), rule("other", "globex")
    for one in (own, other):
        await db.write(store.add, one)

    for tenant_id, wanted in (("acme", own), ("globex", other), ("acme", own)):
        assert await db.read(shelf.read, tenant_id) == [wanted]
