"""Adding, switching and removing rules; each change is written with its audit entry."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from backend.errors import InvalidInputError, NotFoundError
from backend.inbound.rules_input import read_rule
from backend.store import audit, tenants
from backend.store import rules as store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.model.rules import Rule
    from backend.store.audit import Hand
    from backend.store.types import Tx


def draft(tx: Tx, hand: Hand, tenant_id: str, written: Mapping[str, Any]) -> Rule:
    """Read a rule as written, its tenant named by id or name; saves nothing.

    Raises InvalidInputError, also when ``then.tenant`` names no tenant, and NotFoundError when
    ``tenant_id`` is neither empty nor a tenant.
    """
    if tenant_id and tenants.get(tx, tenant_id) is None:
        raise NotFoundError(f"there is no tenant {tenant_id}")
    rule = read_rule(
        written,
        rule_id=hand.ids.new("rul"),
        tenant_id=tenant_id,
        actor=hand.actor,
        at=hand.at,
    )
    if not rule.way.tenant:
        return rule
    named = tenants.find(tx, rule.way.tenant)
    if named is None:
        field = "then.tenant"
        raise InvalidInputError(f"{field}: there is no tenant {rule.way.tenant}", field=field)
    return replace(rule, way=replace(rule.way, tenant=named.id))


def add(tx: Tx, hand: Hand, tenant_id: str, written: Mapping[str, Any]) -> Rule:
    """Save a rule as written; raises what ``draft`` raises."""
    rule = draft(tx, hand, tenant_id, written)
    store.add(tx, rule)
    _note(tx, hand, rule, "rule.added")
    return rule


def remove(tx: Tx, hand: Hand, id_or_name: str) -> Rule:
    """Delete a rule and give what it was; raises NotFoundError and InvalidInputError."""
    rule = the_one(tx, id_or_name)
    store.remove(tx, rule.id)
    _note(tx, hand, rule, "rule.removed")
    return rule


def set_enabled(tx: Tx, hand: Hand, id_or_name: str, *, enabled: bool) -> Rule:
    """Switch a rule on or off; raises NotFoundError and InvalidInputError."""
    rule = the_one(tx, id_or_name)
    if rule.enabled is not enabled:
        store.set_enabled(tx, rule.id, enabled=enabled)
        _note(tx, hand, rule, "rule.enabled" if enabled else "rule.disabled")
    return replace(rule, enabled=enabled)


def the_one(tx: Tx, id_or_name: str) -> Rule:
    """Give the rule of an id or a name; InvalidInputError when several tenants have the name."""
    found = store.find(tx, id_or_name)
    if not found:
        raise NotFoundError(f"there is no rule {id_or_name}")
    if len(found) > 1:
        ids = ", ".join(rule.id for rule in found)
        raise InvalidInputError(
            f"rule: several tenants have a rule {id_or_name!r}; give one of the ids {ids}",
            field="rule",
        )
    return found[0]


def _note(tx: Tx, hand: Hand, rule: Rule, action: str) -> None:
    detail = {"name": rule.name, "action": rule.way.act.value}
    audit.add(tx, hand.entry(action, rule.id, tenant_id=rule.tenant_id, detail=detail))
