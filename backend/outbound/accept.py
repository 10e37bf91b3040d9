"""Accept mail: check it, and promise in one transaction that it will be sent.

What can be said without the database is said before it is asked; requests that wait for it share a
transaction (accept_group.py). Answered means on disk.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError, RelayError, RequestInFlightError
from backend.faultpoints import FaultPoint, faultpoint
from backend.model.outbound import Accepted
from backend.outbound.accept_answers import load_answer
from backend.outbound.accept_facts import KEPT_FOR
from backend.outbound.accept_group import BUSY, accept_group
from backend.outbound.drafts import asked_hash
from backend.outbound.orders import Order, prepare_all, prepare_one
from backend.store import idempotency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.model.outbound import BatchAccepted, EmailDraft
    from backend.outbound.context import Outbound
    from backend.outbound.orders import Prepared
    from backend.store.idempotency import Claim

MAX_KEY = 256
MAX_BATCH = 100
FEW = 10  # mails of a batch that are checked faster than a thread is woken


async def accept(
    outbound: Outbound,
    tenant_id: str,
    draft: EmailDraft | RelayError,
    *,
    idempotency_key: str | None = None,
    key_id: str = "",
    asked: str = "",
) -> Accepted:
    """Take responsibility for a draft; it is on disk when this returns.

    ``key_id`` is the API key it came with: its own rate limits hold besides the tenant's. ``asked``
    is the hash of what the caller asked for, where that is not the draft itself; ``draft`` may then
    be what kept it from being made. Raises InvalidInputError (naming the field),
    DomainNotVerifiedError, AllSuppressedError, IdempotencyConflictError, RequestInFlightError,
    RateLimitedError and DatabaseBusyError; nothing is kept then.
    """
    once = _checked(idempotency_key)
    try:
        prepared = await _prepared(outbound, draft, asked)
    except RelayError:
        # what was right when it was asked first may not be by now: its moment has passed
        if once is None or (kept := await _kept(outbound, (tenant_id, once), draft, asked)) is None:
            raise
        return _only(kept)
    order = _order(outbound, tenant_id, prepared, once=once, key_id=key_id)
    return _only(await _submit(outbound, order))


def _only(answer: BatchAccepted) -> Accepted:
    first = answer.results[0]
    assert isinstance(first, Accepted)  # noqa: S101  # one mail is taken, or its error is raised
    return replace(first, replayed=answer.replayed, allowance=answer.allowance)


async def _kept(
    outbound: Outbound, claim: Claim, draft: EmailDraft | RelayError, asked: str
) -> BatchAccepted | None:
    """Give the answer to the very same mail under the same key, if there was one."""
    given = asked if isinstance(draft, RelayError) else asked or asked_hash(draft)
    since = outbound.clock.now() - KEPT_FOR
    found = (await outbound.db.read(idempotency.find, [claim], since=since)).get(claim)
    return load_answer(found.answer) if found and found.body_hash == given else None


async def _prepared(
    outbound: Outbound, draft: EmailDraft | RelayError, asked: str
) -> tuple[tuple[Prepared, ...], str]:
    if isinstance(draft, RelayError):
        raise draft
    now = outbound.clock.now()
    if draft.attachments:
        mails, given = await asyncio.to_thread(prepare_one, draft, now)
    else:
        mails, given = prepare_one(draft, now)
    return mails, asked or given


async def accept_batch(
    outbound: Outbound,
    tenant_id: str,
    wanted: Sequence[EmailDraft | InvalidInputError],
    *,
    idempotency_key: str | None = None,
    key_id: str = "",
    partly: bool = False,
    asked: str = "",
) -> BatchAccepted:
    """Take responsibility for up to 100 drafts in one transaction; give what became of each.

    One that could not be read is given as what is wrong with it. Either all are taken or none, and
    BatchRefusedError tells what is wrong with which; ``partly`` takes those that are right. They
    count as so many messages in the rate limits. ``asked`` and the errors are those of ``accept``.
    """
    once = _checked(idempotency_key)
    if not 1 <= len(wanted) <= MAX_BATCH:
        raise InvalidInputError(f"a batch has 1 to {MAX_BATCH} mails; this one has {len(wanted)}")
    now = outbound.clock.now()
    if len(wanted) > FEW:
        mails, given = await asyncio.to_thread(prepare_all, wanted, now)
    else:
        mails, given = prepare_all(wanted, now)
    order = _order(outbound, tenant_id, (mails, asked or given), once=once, key_id=key_id)
    return await _submit(outbound, replace(order, is_batch=True, partly=partly))


def _order(
    outbound: Outbound,
    tenant_id: str,
    prepared: tuple[tuple[Prepared | InvalidInputError, ...], str],
    *,
    once: str | None,
    key_id: str,
) -> Order:
    mails, body_hash = prepared
    return Order(
        tenant_id=tenant_id,
        key_id=key_id,
        mails=mails,
        body_hash=body_hash,
        is_batch=False,
        partly=False,
        once=once,
        now=outbound.clock.now(),
        limits=outbound.settings.limits,
        tokens=outbound.tokens,
        ids=outbound.ids,
    )


async def _submit(outbound: Outbound, order: Order) -> BatchAccepted:
    """Have an order done; while it is under way, nobody else may use its Idempotency-Key."""
    claim = order.claim
    if claim is None:
        return await _take(outbound, order)
    if claim in outbound.in_flight:
        raise RequestInFlightError(BUSY, retry_after=1)
    outbound.in_flight.add(claim)
    try:
        return await _take(outbound, order)
    finally:
        outbound.in_flight.discard(claim)


async def _take(outbound: Outbound, order: Order) -> BatchAccepted:
    answer = await outbound.db.write_gathered(accept_group, order)
    faultpoint(FaultPoint.ACCEPT_AFTER_COMMIT)
    return answer


def _checked(key: str | None) -> str | None:
    if key is not None and not 1 <= len(key) <= MAX_KEY:
        raise InvalidInputError(
            f"Idempotency-Key: give 1 to {MAX_KEY} characters", field="idempotency_key"
        )
    return key
