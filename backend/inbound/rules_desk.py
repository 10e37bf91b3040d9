"""The verbs of routing for the console, the command line and the API: rules, and previews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backend.inbound import rules_edit
from backend.inbound.route_preview import Offered, preview
from backend.inbound.rules_trial import try_rule
from backend.model.inbound import ScanVerdicts
from backend.store import rules as store
from backend.store.audit import Hand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from backend.inbound.pipeline import Inbound
    from backend.model.rules import Rule, RuleTrial
    from backend.model.views import InboundDetail

NO_VERDICTS = ScanVerdicts()


class RoutingDesk:
    """Rules and what they would do; every verb may raise a RelayError."""

    def __init__(self, inbound: Inbound) -> None:
        self._inbound = inbound
        self._db = inbound.db

    async def rules(self, tenant_id: str | None = None) -> Sequence[Rule]:
        """Give the rules that can touch mail of a tenant, or all, in the order of reading."""
        return await self._db.read(store.all_in_order, tenant_id)

    async def add_rule(self, tenant_id: str, written: Mapping[str, Any], *, actor: str) -> Rule:
        """Save a rule as docs/routing.md writes it; tenant "" makes it one of all tenants."""
        return await self._db.write(rules_edit.add, self._hand(actor), tenant_id, written)

    async def remove_rule(self, id_or_name: str, *, actor: str) -> Rule:
        """Delete a rule and give what it was; raises NotFoundError."""
        return await self._db.write(rules_edit.remove, self._hand(actor), id_or_name)

    async def enable_rule(self, id_or_name: str, *, enabled: bool, actor: str) -> Rule:
        """Switch a rule on or off; raises NotFoundError."""
        hand = self._hand(actor)
        return await self._db.write(rules_edit.set_enabled, hand, id_or_name, enabled=enabled)

    async def rule(self, id_or_name: str) -> Rule:
        """Give one rule; raises NotFoundError."""
        return await self._db.read(rules_edit.the_one, id_or_name)

    async def draft_rule(self, tenant_id: str, written: Mapping[str, Any]) -> Rule:
        """Check a rule as written without saving it; raises InvalidInputError."""
        return await self._db.read(rules_edit.draft, self._hand(""), tenant_id, written)

    def try_rule(self, rule: Rule, *, last: int) -> AsyncIterator[RuleTrial]:
        """Tell what a rule, saved or not, would have done to the last messages, newest first."""
        return try_rule(self._inbound, rule, last)

    async def explain(
        self,
        raw: bytes,
        *,
        recipient: str,
        envelope_from: str = "",
        verdicts: ScanVerdicts = NO_VERDICTS,
    ) -> InboundDetail:
        """Decide over a message that is not here, on the live configuration; writes nothing."""
        offered = Offered(
            raw=raw, recipient=recipient, envelope_from=envelope_from, verdicts=verdicts
        )
        return await preview(self._inbound, offered)

    def _hand(self, actor: str) -> Hand:
        return Hand(actor=actor, at=self._inbound.clock.now(), ids=self._inbound.ids)
