"""The way of one inbound message, from its row to its target; ``_carry`` reads top to bottom."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.errors import NotFoundError, RefusedError, TransientError
from backend.inbound import settle
from backend.inbound.bounded import BoundedReader
from backend.inbound.breaker import CircuitOpenError
from backend.inbound.decide import decide
from backend.inbound.deliver import pause
from backend.inbound.deliver_files import (
    FileSettings,
    Letter,
    filled_request,
    link_files,
    plan_files,
)
from backend.inbound.rules_read import RuleShelf
from backend.inbound.screen_context import Screener, ScreenSettings
from backend.inbound.settle import Opening, Receiving, Rest, Writing
from backend.model.inbound import Finding, InboundStatus, Reason, Stage, Step
from backend.queue import items
from backend.reply_tokens import ReplyTokens
from backend.store import deliveries
from backend.store import inbound as store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.inbound.decide import Decision
    from backend.inbound.rules_read import Trial
    from backend.model.inbound import InboundMessage, ParsedMail
    from backend.model.work import WorkItem
    from backend.ports import BlobStore, Clock, Ids, TargetRequest, Targets
    from backend.store.deliveries import Delivery
    from backend.store.engine import Database
    from backend.store.types import Tx

LARGE = 1_048_576  # bytes
LARGE_AT_ONCE = 16  # messages of up to 40 MB in memory
RAW_TRIES = 5
RAW_PAUSE = timedelta(seconds=5)
_ON_ITS_WAY = frozenset({InboundStatus.RECEIVED, InboundStatus.FORWARDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """What the pipeline works with; ``retry_period`` is how long a target may be away."""

    db: Database
    blobs: BlobStore
    targets: Targets
    clock: Clock
    ids: Ids
    inbound_domain: str
    retry_period: timedelta = timedelta(hours=24)
    screening: ScreenSettings = field(default_factory=ScreenSettings)
    files: FileSettings = field(default_factory=FileSettings)
    tokens: ReplyTokens = field(default_factory=ReplyTokens)
    reader: BoundedReader = field(default_factory=BoundedReader)
    shelf: RuleShelf = field(default_factory=RuleShelf)
    large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LARGE_AT_ONCE))

    def screener(self, waived: frozenset[Reason] = frozenset()) -> Screener:
        """Give a screener; ``waived`` are reasons a person has released the message from."""
        settings = replace(self.screening, inbound_domain=self.inbound_domain)
        return Screener(self.clock, settings, waived=waived)


async def process(item: WorkItem, inbound: Inbound) -> None:
    """Carry one message as far as it will go; raises TransientError (also LeaseLostError)."""
    found = await inbound.db.read_gathered(_load, item.ref)
    if found is None:
        await inbound.db.write(items.finish, item)  # settled before
        return
    message, delivery = found
    async with inbound.large if message.size > LARGE else nullcontext():
        await _carry(item, inbound, message, delivery)


async def _carry(
    item: WorkItem, inbound: Inbound, message: InboundMessage, delivery: Delivery | None
) -> None:
    raw = await _fetch(item, inbound, message)
    if raw is None:
        return
    message = replace(message, size=len(raw))
    mail = await inbound.reader.read(raw)
    if delivery is None:
        decision = prepared(await conclude(inbound, message, mail), inbound)
        writing = _writing(item, inbound)
        if decision.rest is not None:
            await inbound.db.write(
                settle.come_to_rest, writing, decision.message, mail, decision.rest
            )
            return
        message = decision.message
        # on disk before the call: after a crash the same call is made again, not another one
        opening = Opening(writing=writing, message=message, mail=mail, steps=decision.steps)
        delivery = await inbound.db.write_gathered(settle.open_deliveries, opening)
    await _deliver(item, inbound, Letter(message, mail, raw), delivery)


async def conclude(
    inbound: Inbound,
    message: InboundMessage,
    mail: ParsedMail,
    *,
    waived: frozenset[Reason] = frozenset(),
    trial: Trial | None = None,
) -> Decision:
    """Decide over a message on the live configuration, or with a rule on trial; writes nothing."""
    return await inbound.db.read(
        decide,
        message,
        mail,
        inbound.inbound_domain,
        screener=inbound.screener(waived | message.by_hand.waived),
        tokens=inbound.tokens,
        trial=trial,
        shelf=inbound.shelf,
    )


def _load(
    tx: Tx, inbound_ids: Sequence[str]
) -> Sequence[tuple[InboundMessage, Delivery | None] | None]:
    """Read messages that still have a way to go, and the deliveries they were on when we stopped.

    None stands for one that is at rest, or gone.
    """
    found = store.get_many(tx, inbound_ids)
    begun = deliveries.pending(tx, inbound_ids)
    return [
        (message, begun.get(inbound_id))
        if (message := found.get(inbound_id)) and message.status in _ON_ITS_WAY
        else None
        for inbound_id in inbound_ids
    ]


async def _fetch(item: WorkItem, inbound: Inbound, message: InboundMessage) -> bytes | None:
    """Read the raw message; None when it is not there, which has been recorded."""
    try:
        return await inbound.blobs.get(message.blob_key)
    except NotFoundError as error:
        # S3 may announce an object a moment before it can be read
        if item.attempts < RAW_TRIES:
            run_at = inbound.clock.now() + RAW_PAUSE * item.attempts
            await inbound.db.write(items.retry, item, run_at, str(error))
            return None
    step = Step(
        stage=Stage.PARSE,
        finding=Finding.HOLD,
        reason=Reason.RAW_MISSING,
        evidence={"blob_key": message.blob_key[:200]},
    )
    rest = Rest(status=InboundStatus.FAILED, reason=Reason.RAW_MISSING, steps=(step,))
    await inbound.db.write(settle.come_to_rest, _writing(item, inbound), message, None, rest)
    return None


def prepared(decision: Decision, inbound: Inbound) -> Decision:
    """Give a routed message a conversation, and hold it when its target has no URL."""
    message, route = decision.message, decision.message.route
    if route is None:
        return decision
    if message.thread_id is None and message.tenant_id:
        message = replace(message, thread_id=inbound.ids.new("thr"))
    if inbound.targets.configured(route.target):
        return replace(decision, message=message)
    step = Step(
        stage=Stage.DELIVER,
        finding=Finding.HOLD,
        reason=Reason.TARGET_NOT_CONFIGURED,
        evidence={"target": route.target.value},
    )
    rest = Rest(status=InboundStatus.HELD, reason=step.reason, steps=(*decision.steps, step))
    return replace(decision, message=message, rest=rest)


async def _deliver(item: WorkItem, inbound: Inbound, letter: Letter, delivery: Delivery) -> None:
    """Call the target and record how it went."""
    message = letter.message
    if message.route is None or not inbound.targets.configured(delivery.target):
        await inbound.db.write(settle.unconfigured, _writing(item, inbound), message, delivery)
        return
    request = await _request(inbound, letter)
    try:
        receipt = await inbound.targets.call(delivery.target, request)
    except RefusedError as error:
        await inbound.db.write(
            settle.refused, _writing(item, inbound), message, delivery, str(error)
        )
    except TransientError as error:
        await _try_again(item, inbound, message, delivery, error)
    else:
        received = Receiving(
            writing=_writing(item, inbound),
            message=message,
            mail=letter.mail,
            delivery=delivery,
            receipt=receipt,
        )
        await inbound.db.write_gathered(settle.delivered, received)


async def _request(inbound: Inbound, letter: Letter) -> TargetRequest:
    """Write the call, its attachments included; raises TransientError."""
    message, mail = letter.message, letter.mail
    plan = await plan_files(inbound.db, inbound.files, message, mail)
    if not mail.attachments:
        return filled_request(inbound.files, letter, plan)
    plan = await link_files(inbound.files, letter, plan, now=inbound.clock.now())
    return await asyncio.to_thread(filled_request, inbound.files, letter, plan)


async def _try_again(
    item: WorkItem,
    inbound: Inbound,
    message: InboundMessage,
    delivery: Delivery,
    error: TransientError,
) -> None:
    """Put the call off, or give up when the target has been away for too long."""
    writing = _writing(item, inbound)
    if writing.now - delivery.created_at >= inbound.retry_period:
        await inbound.db.write(settle.gave_up, writing, message, delivery, str(error))
        return
    if isinstance(error, CircuitOpenError):  # nothing was sent: not a try, not news
        failed = delivery
    else:
        failed = replace(delivery, attempts=delivery.attempts + 1, error=str(error))
    at = writing.now + pause(failed.attempts, error.retry_after)
    await inbound.db.write(settle.put_off, writing, delivery, failed, at)


def _writing(item: WorkItem, inbound: Inbound) -> Writing:
    return Writing(
        item=item,
        now=inbound.clock.now(),
        delivery_id=inbound.ids.new("dlv"),
        event_id=inbound.ids.new("evt"),
        ids=inbound.ids,
    )
