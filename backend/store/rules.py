"""Routing rules of tenants, and of all tenants, as JSON beside what is asked for in SQL."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, or_, select, update

from backend.errors import InvalidInputError, NotFoundError
from backend.model.automated import Kind
from backend.model.inbound import InboundStatus, ScanVerdict, TargetAction, TargetName
from backend.model.rules import Conditions, Extraction, Rule, RuleAct, RuleWay
from backend.store.schema import rules as t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Row

    from backend.store.types import Tx

MOST_IDS = 500  # SQLite takes so many parameters at once, and more
# "" sorts before every id, but a tenant's own rule is read first
_ORDER = (t.c.position, t.c.tenant_id == "", t.c.id)


def add(tx: Tx, rule: Rule) -> None:
    """Insert a rule; raises InvalidInputError when its tenant has one of this name."""
    same = select(t.c.id).where(t.c.tenant_id == rule.tenant_id, t.c.name == rule.name)
    if tx.execute(same).first() is not None:
        raise InvalidInputError(f"name: there is a rule {rule.name!r} already", field="name")
    tx.execute(
        insert(t).values(
            id=rule.id,
            tenant_id=rule.tenant_id,
            name=rule.name,
            position=rule.position,
            enabled=rule.enabled,
            stop=rule.stop,
            override=rule.override,
            conditions=asdict(rule.when),
            outcome=asdict(rule.way),
            extraction=asdict(rule.extraction),
            created_at=rule.created_at,
            created_by=rule.created_by,
        )
    )


def find(tx: Tx, id_or_name: str) -> list[Rule]:
    """Give the rule with this id, or the rules of this name, whose tenants may differ."""
    by_id = _select(tx, t.c.id == id_or_name)
    return by_id or _select(tx, t.c.name == id_or_name)


def all_in_order(tx: Tx, tenant_id: str | None = None) -> list[Rule]:
    """Give the rules that can touch mail of a tenant, or all rules, in the order of reading."""
    return _select(tx) if tenant_id is None else _select(tx, _touches(tenant_id))


def marks(tx: Tx, tenant_id: str) -> list[tuple[str, bool]]:
    """Give id and ``enabled`` of the rules of ``all_in_order``: all about them that can change."""
    return [(row.id, row.enabled) for row in tx.execute(_MARKS, {"of_tenant": tenant_id})]


def by_ids(tx: Tx, ids: Sequence[str]) -> list[Rule]:
    """Give the rules of these ids; at most ``MOST_IDS``."""
    return _select(tx, t.c.id.in_(ids)) if ids else []


def set_enabled(tx: Tx, rule_id: str, *, enabled: bool) -> None:
    """Switch a rule on or off; raises NotFoundError when it is gone."""
    if tx.execute(update(t).where(t.c.id == rule_id).values(enabled=enabled)).rowcount == 0:
        raise NotFoundError(f"there is no rule {rule_id}")


def remove(tx: Tx, rule_id: str) -> None:
    """Delete a rule; raises NotFoundError when it is gone."""
    if tx.execute(delete(t).where(t.c.id == rule_id)).rowcount == 0:
        raise NotFoundError(f"there is no rule {rule_id}")


def _touches(tenant_id: str) -> ColumnElement[bool]:
    return or_(t.c.tenant_id == tenant_id, t.c.tenant_id == "")


_MARKS = (
    select(t.c.id, t.c.enabled)
    .where(or_(t.c.tenant_id == bindparam("of_tenant"), t.c.tenant_id == ""))
    .order_by(*_ORDER)
)


def _select(tx: Tx, *which: ColumnElement[bool]) -> list[Rule]:
    return [_rule(row) for row in tx.execute(select(t).where(*which).order_by(*_ORDER))]


def _rule(row: Row[Any]) -> Rule:
    return Rule(
        id=row.id,
        tenant_id=row.tenant_id,
        name=row.name,
        position=row.position,
        when=_conditions(row.conditions),
        way=_way(row.outcome),
        extraction=_extraction(row.extraction),
        enabled=row.enabled,
        stop=row.stop,
        override=row.override,
        created_at=row.created_at,
        created_by=row.created_by,
    )


def _conditions(value: dict[str, Any]) -> Conditions:
    return Conditions(
        sender=tuple(value["sender"]),
        recipient=tuple(value["recipient"]),
        subject=tuple(value["subject"]),
        header={name: tuple(patterns) for name, patterns in value["header"].items()},
        kind=tuple(Kind(kind) for kind in value["kind"]),
        verdict={
            check: tuple(ScanVerdict(verdict) for verdict in allowed)
            for check, allowed in value["verdict"].items()
        },
    )


def _way(value: dict[str, Any]) -> RuleWay:
    return RuleWay(
        act=RuleAct(value["act"]),
        target=TargetName(value["target"]) if value["target"] else None,
        do=TargetAction(value["do"]) if value["do"] else None,
        ref=value["ref"],
        tenant=value["tenant"],
        queue=value["queue"],
        priority=value["priority"],
        tags=tuple(value["tags"]),
        reason=value["reason"],
        dropped_as=InboundStatus(value["dropped_as"]) if value["dropped_as"] else None,
    )


def _extraction(value: dict[str, Any]) -> Extraction:
    return Extraction(
        subject=tuple(value["subject"]),
        body=tuple(value["body"]),
        json=value["json"],
        lines=value["lines"],
        copy=value["copy"],
        values=value["values"],
    )
