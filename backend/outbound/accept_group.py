"""The transaction of accepting: many orders at once, each judged on its own.

Nothing is written before an order has passed every check, so a refused one leaves no trace, and the
rows of all that pass are written by one statement a table: ten mails cost little more than one.
The checks come in the order that The One Relay documents: the key's earlier answer, the domain,
suppression, the rate.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from backend.errors import (
    AllSuppressedError,
    BatchRefusedError,
    DomainNotVerifiedError,
    IdempotencyConflictError,
    InvalidInputError,
    RateLimitedError,
    RelayError,
    RequestInFlightError,
)
from backend.faultpoints import FaultPoint, faultpoint
from backend.model.outbound import Accepted, BatchAccepted, Refused
from backend.model.tenant import DomainStatus
from backend.outbound import windows
from backend.outbound.accept_answers import dump_answer, load_answer
from backend.outbound.accept_facts import Facts, gather, owners_of
from backend.outbound.accept_rows import Rows, Taken
from backend.store.idempotency import Kept
from backend.store.types import to_millis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from backend.model.limits import Allowance, SendLimits
    from backend.model.suppression import Suppression
    from backend.model.tenant import Domain
    from backend.outbound.orders import Order, Prepared
    from backend.store.types import Tx

    Held: TypeAlias = list[tuple[SendLimits, windows.Usage]]  # by owner: its limits, its counts

BUSY = "a request with this Idempotency-Key is under way; wait for its answer, or repeat it later"


def accept_group(tx: Tx, orders: Sequence[Order]) -> list[BatchAccepted | RelayError]:
    """Take or refuse each order; give its answer or the error to be raised, in their order."""
    facts = gather(tx, orders)
    rows = Rows()
    ended = [_ended(order, facts, rows) for order in orders]
    rows.write(tx)
    faultpoint(FaultPoint.ACCEPT_BEFORE_COMMIT)
    return ended


def _ended(order: Order, facts: Facts, rows: Rows) -> BatchAccepted | RelayError:
    try:
        return _replayed(order, facts, rows) or _accepted(order, facts, rows)
    except RelayError as error:
        return error


def _replayed(order: Order, facts: Facts, rows: Rows) -> BatchAccepted | None:
    """Give the answer kept under the key of an order; raises when the key is not free for it."""
    claim = order.claim
    if claim is None:
        return None
    if claim in facts.busy or claim in rows.claimed:
        raise RequestInFlightError(BUSY, retry_after=1)
    kept = facts.kept.get(claim)
    if kept is None:
        return None
    if kept.body_hash != order.body_hash:
        raise IdempotencyConflictError(
            "this Idempotency-Key was used for another mail within 24 hours; use a new key"
        )
    return replace(load_answer(kept.answer), allowance=_allowance(order, _usage(order, facts)))


def _accepted(order: Order, facts: Facts, rows: Rows) -> BatchAccepted:
    judged = [_judge(order, mail, facts) for mail in order.mails]
    taken = [one for one in judged if isinstance(one, Taken)]
    if len(taken) < len(judged) and not order.partly:
        raise _refusal(order, judged)
    usage = _usage(order, facts)
    _charge(order, len(taken), usage, rows)
    results: list[Accepted | Refused] = []
    for one in judged:
        if isinstance(one, InvalidInputError):
            results.append(Refused(error=one))
        else:
            results.append(rows.add(order, one, facts))
    answer = BatchAccepted(results=tuple(results))
    if order.claim is not None:
        rows.claimed[order.claim] = Kept(
            claim=order.claim,
            body_hash=order.body_hash,
            answer=dump_answer(answer),
            at=order.now,
        )
    return replace(answer, allowance=_allowance(order, usage))


def _refusal(order: Order, judged: Sequence[Taken | InvalidInputError]) -> InvalidInputError:
    """Say what is wrong: with the one mail, or with each of a batch of which none is taken."""
    faults = tuple(
        (place, one) for place, one in enumerate(judged) if isinstance(one, InvalidInputError)
    )
    place, first = faults[0]
    if not order.is_batch:
        return first
    more = f"; {len(faults) - 1} more of the {len(judged)} are wrong" if len(faults) > 1 else ""
    return BatchRefusedError(f"[{place}].{first}{more}; no mail was accepted", faults=faults)


def _judge(
    order: Order, mail: Prepared | InvalidInputError, facts: Facts
) -> Taken | InvalidInputError:
    if isinstance(mail, InvalidInputError):
        return mail
    name = mail.valid.letter.sender.domain
    fault = _domain_fault(order, name, facts.domains.get(name))
    if fault is not None:
        return fault
    held = facts.held[order.tenant_id]
    holding = {a.key: held[a.key] for a in mail.valid.everyone if a.key in held}
    if len(holding) == len(mail.valid.everyone):
        return AllSuppressedError(
            f"to: every recipient is suppressed: {_named(holding)}", field="to"
        )
    return Taken(mail=mail, domain=facts.domains[name], held=holding)


def _domain_fault(order: Order, name: str, domain: Domain | None) -> DomainNotVerifiedError | None:
    if domain is None or domain.tenant_id != order.tenant_id:
        return DomainNotVerifiedError(
            f"from: {name} is not a domain of this tenant; add it and publish its DNS records",
            field="from",
        )
    if domain.status is not DomainStatus.VERIFIED:
        return DomainNotVerifiedError(
            f"from: {name} is {domain.status}, not verified; publish its DNS records", field="from"
        )
    return None


def _named(held: Mapping[str, Suppression]) -> str:
    return ", ".join(
        f"{address} ({entry.reason} since {entry.created_at:%Y-%m-%d})"
        for address, entry in held.items()
    )


def _charge(order: Order, n: int, usage: Held, rows: Rows) -> None:
    """Count ``n`` mails in all windows of the tenant and the key, or raise RateLimitedError."""
    if n == 0:
        return
    now = to_millis(order.now)
    blocked = windows.blocked(usage, n, now)
    if blocked is not None:
        raise _too_many(blocked, n, _allowance(order, usage))
    for owner, (holds, used) in zip(owners_of(order), usage, strict=True):
        rows.used[owner] = windows.charge(holds, used, n, now)


def _too_many(
    blocked: windows.Blocked, n: int, standing: Allowance | None
) -> RateLimitedError | InvalidInputError:
    within = f"{blocked.limit} per {blocked.window.value}"
    if math.isinf(blocked.seconds) or standing is None:
        return InvalidInputError(
            f"the batch has {n} messages, the rate limit is {within}; send smaller batches"
        )
    wait = max(1, math.ceil(blocked.seconds))
    return RateLimitedError(
        f"the rate limit of {within} is reached; try again in {wait} s",
        retry_after=wait,
        standing=standing,
    )


def _allowance(order: Order, usage: Held) -> Allowance | None:
    return windows.allowance(usage, to_millis(order.now))


def _usage(order: Order, facts: Facts) -> Held:
    """Give the limits that hold and the counts of the tenant and, after it, of the key."""
    tenant, *keys = (facts.limited[owner] for owner in owners_of(order))
    holds = tenant.own.or_else(order.limits)
    return [(holds, tenant.used), *((key.own.or_else(holds), key.used) for key in keys)]
