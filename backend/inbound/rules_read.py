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
    from backend.store.engine import Database


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


async def weigh_rules(
    db: Database,
    message: InboundMessage,
    mail: ParsedMail,
    found: tuple[Place, Match],
    *,
    trial: Trial | None = None,
) -> RuleOutcome:
    """Apply the rules that may touch this message; mail to a domain that is not ours has none."""
    place, match = found
    if not place.ours:
        return RuleOutcome()
    tenant_id = place.tenant_id or match.tenant_id
    rules = await db.read(store.all_in_order, tenant_id)
    if trial is not None:
        rules = trial.among(rules, tenant_id)
    if not rules:
        return RuleOutcome()
    return apply_rules(rules, facts_of(message, mail, tenant_id, rules))
