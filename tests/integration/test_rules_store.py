"""Rules on both databases: kept as they were, given in the order of reading."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from backend.inbound.rules_input import read_rule
from backend.store import rules as store

if TYPE_CHECKING:
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
