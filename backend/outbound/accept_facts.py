"""What the database says about the orders of one transaction, read once for all of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.model.inbound import TargetName
from backend.outbound.orders import Prepared
from backend.outbound.replies import home_of, thread_route
from backend.store import domains, idempotency, limits, threads
from backend.suppression.check import held_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from backend.model.inbound import Route
    from backend.model.suppression import Suppression
    from backend.model.tenant import Domain
    from backend.outbound.orders import Order
    from backend.store.idempotency import Claim, Kept
    from backend.store.limits import Limited, Owner
    from backend.store.types import Tx

KEPT_FOR = timedelta(hours=24)


@dataclass(slots=True, kw_only=True)
class Facts:
    """Known answers, domains with where their answers come to, suppressions, limits.

    ``limited`` and ``threads`` change while the orders are worked through.
    """

    tx: Tx
    busy: frozenset[Claim]
    kept: Mapping[Claim, Kept]
    domains: Mapping[str, Domain]
    homes: Mapping[str, str]
    held: Mapping[str, Mapping[str, Suppression]]
    limited: dict[Owner, Limited]
    threads: dict[tuple[str, TargetName, str], str] = field(default_factory=dict)

    def thread_of(self, route: Route) -> str | None:
        """Give the conversation on the ticket of a route, one begun a moment ago as well."""
        if route.target is TargetName.CRM:
            return None
        for ref in (route.ref, route.ref.lower(), route.ref.upper()):
            begun = self.threads.get((route.tenant_id, route.target, ref))
            if begun is not None:
                return begun
        known = threads.of_ticket(self.tx, route.tenant_id, route.ref, route.target)
        return known[0].id if known else None


def gather(tx: Tx, orders: Sequence[Order]) -> Facts:
    """Read what the orders need to know; keys are claimed and limits locked by this."""
    claims = [order.claim for order in orders if order.claim is not None]
    busy = idempotency.claim(tx, claims)
    now = max(order.now for order in orders)
    found = idempotency.find(tx, claims, since=min(order.now for order in orders) - KEPT_FOR)
    fresh = [order for order in orders if order.claim is None or order.claim not in found]
    senders = {mail.valid.letter.sender.domain for order in fresh for mail in right_of(order)}
    named = domains.by_names(tx, sorted(senders)) if senders else {}
    to: defaultdict[str, set[str]] = defaultdict(set)
    for order in fresh:
        to[order.tenant_id].update(
            address.key for mail in right_of(order) for address in mail.valid.everyone
        )
    owners = {owner for order in orders for owner in owners_of(order)}
    return Facts(
        tx=tx,
        busy=busy,
        kept=found,
        domains=named,
        homes={name: home_of(tx, domain) for name, domain in named.items()},
        held={tenant: held_back(tx, tenant, sorted(keys), now) for tenant, keys in to.items()},
        limited=limits.lock(tx, owners, now),
    )


def right_of(order: Order) -> Iterable[Prepared]:
    """Give the mails of an order that are right so far."""
    return (mail for mail in order.mails if isinstance(mail, Prepared))


def owners_of(order: Order) -> tuple[Owner, ...]:
    """Give whose windows an order counts in: the tenant's, and those of the key it came with."""
    tenant = (order.tenant_id, "")
    return (tenant, (order.tenant_id, order.key_id)) if order.key_id else (tenant,)


def route_of(order: Order, mail: Prepared) -> Route | None:
    """Give the ticket or contact the tags of a mail name."""
    return thread_route(order.tenant_id, mail.valid.tags)
