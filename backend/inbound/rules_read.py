"""Between match and route: read the rules of the tenant and apply them to one message."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.inbound.rules import apply_rules, facts_of
from backend.model.rules import RuleOutcome
from backend.store import rules as store

if TYPE_CHECKING:
    from backend.inbound.facts import Place
    from backend.model.inbound import InboundMessage, Match, ParsedMail
    from backend.model.rules import Rule
    from backend.store.types import Tx

MOST_RULES = 5_000  # kept at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A rule that is tried: the message is decided with it, or as if it did not exist.

    One that is not saved stands in for the saved rule of its name, where there is one.
    """

    rule: Rule
    included: bool

    def among(self, rules: list[Rule], tenant_id: str) -> list[Rule]:
        """Give the rules as they would be."""
        others = [rule for rule in rules if rule.id != self.rule.id]
        if not self.included or self.rule.tenant_id not in ("", tenant_id):
            return others
        mine = (self.rule.tenant_id, self.rule.name)
        others = [rule for rule in others if (rule.tenant_id, rule.name) != mine]
        return [*others, replace(self.rule, enabled=True)]


class RuleShelf:
    """Rules as once read from the database, so that each is taken apart once and not per message.

    A saved rule never changes but for being switched on or off, or removed. So each reading asks
    for ids and switches only, within the database's own order of things: what another process
    has changed is seen at once, and nothing has to be told to anyone.
    """

    def __init__(self) -> None:
        self._known: dict[str, Rule] = {}

    def read(self, tx: Tx, tenant_id: str) -> list[Rule]:
        """Give the rules that can touch mail of a tenant, in the order of reading."""
        marks = store.marks(tx, tenant_id)
        known = self._known
        missing = [rule_id for rule_id, _ in marks if rule_id not in known]
        if len(known) + len(missing) > MOST_RULES:
            known, missing = {}, [rule_id for rule_id, _ in marks]
        for at in range(0, len(missing), store.MOST_IDS):
            fresh = store.by_ids(tx, missing[at : at + store.MOST_IDS])
            known = known | {rule.id: rule for rule in fresh}
        self._known = known  # replaced whole: readers in other threads see the old or the new one
        return [_switched(known[rule_id], enabled) for rule_id, enabled in marks]


def _switched(rule: Rule, enabled: bool) -> Rule:
    return rule if rule.enabled is enabled else replace(rule, enabled=enabled)


def weigh_rules(
    tx: Tx,
    message: InboundMessage,
    mail: ParsedMail,
    found: tuple[Place, Match],
    *,
    shelf: RuleShelf,
    trial: Trial | None = None,
) -> RuleOutcome:
    """Apply the rules that may touch this message; mail to a domain that is not ours has none."""
    place, match = found
    if not place.ours:
        return RuleOutcome()
    tenant_id = place.tenant_id or match.tenant_id
    rules = shelf.read(tx, tenant_id)
    if trial is not None:
        rules = trial.among(rules, tenant_id)
    if not rules:
        return RuleOutcome()
    return apply_rules(rules, facts_of(message, mail, tenant_id, rules))
