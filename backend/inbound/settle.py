"""Stage 7: what is written when a message has come to rest, and before and between its tries.

Every function here is one unit of work: it ends with the work item, so that a worker which lost
its lease writes nothing at all. The two that every delivered message needs take what comes together
(Database.write_gathered): ten messages cost little more than one.
"""

from __future__ import annotations

from collections import Counter as Tally
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from backend.inbound.auto_response_send import plan_answer
from backend.inbound.deliver import idempotency_key
from backend.inbound.match_learn import learn_answer, take_part
from backend.inbound.policy import REPORTS
from backend.inbound.screen_context import count_rates
from backend.inbound.screen_returns import Stamp, record_report
from backend.model.bus import EMAIL_INBOUND, BusEvent
from backend.model.inbound import (
    Finding,
    InboundStatus,
    MatchStatus,
    Reason,
    Route,
    Stage,
    Step,
    TargetName,
)
from backend.model.stats import Counter
from backend.queue import items
from backend.queue.announce import announce
from backend.queue.items import lease_lost
from backend.store import counters, deliveries, explanations
from backend.store import inbound as store
from backend.store.deliveries import Delivery, DeliveryState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.errors import LeaseLostError
    from backend.model.inbound import InboundMessage, ParsedMail
    from backend.model.work import WorkItem
    from backend.ports import Ids, TargetReceipt
    from backend.store.types import Tx

A = TypeVar("A", "Opening", "Receiving")

_FORWARDED = {
    TargetName.PSA: Counter.FORWARDED_PSA,
    TargetName.CRM: Counter.FORWARDED_CRM,
    TargetName.PORTAL: Counter.FORWARDED_PORTAL,
}
_COUNTED = {
    InboundStatus.HELD: Counter.HELD,
    InboundStatus.QUARANTINED: Counter.QUARANTINED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What each write needs: whose work it is, when it is, and ids should rows be new."""

    item: WorkItem
    now: datetime
    delivery_id: str
    event_id: str
    ids: Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A message decided on, with the steps that led to its route."""

    writing: Writing
    message: InboundMessage
    mail: ParsedMail
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiving:
    """A message that its target took, and the answer of the target."""

    writing: Writing
    message: InboundMessage
    mail: ParsedMail
    delivery: Delivery
    receipt: TargetReceipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """How a message comes to rest: the status, why, and the steps that led there."""

    status: InboundStatus
    reason: Reason
    steps: tuple[Step, ...]


def come_to_rest(
    tx: Tx, writing: Writing, message: InboundMessage, mail: ParsedMail | None, rest: Rest
) -> None:
    """Record a message that goes to no target, or not now; ``mail`` is None if it was not read."""
    take_part(tx, [(message, mail)], writing.now)
    count_rates(tx, [message], writing.now)
    if mail is not None and message.kind in REPORTS and rest.status is InboundStatus.SUPPRESSED:
        stamp = Stamp(at=writing.now, ids=writing.ids)
        message, used = record_report(tx, message, mail.facts, stamp)
        rest = replace(rest, steps=(*rest.steps, used))
    _close(tx, writing, message, rest)
    if mail is not None:
        store.set_attachments(tx, message.id, mail.attachments)
    counter = _COUNTED.get(rest.status)
    if counter is not None:
        counters.bump(tx, message.tenant_id, counter, writing.now)


def open_deliveries(tx: Tx, asked: Sequence[Opening]) -> Sequence[Delivery | LeaseLostError]:
    """Commit to decisions before the targets are called; a crash continues from here."""
    ours = _ours(tx, asked)
    made = {one.message.id: _opened(one) for one in ours}
    if ours:
        now = ours[-1].writing.now
        take_part(tx, [(one.message, one.mail) for one in ours], now)
        count_rates(tx, [one.message for one in ours], now)
        store.save(tx, *(replace(o.message, status=InboundStatus.FORWARDING) for o in ours))
        store.set_all_attachments(tx, {one.message.id: one.mail.attachments for one in ours})
        explanations.append_all(tx, {o.message.id: (o.steps, o.writing.now) for o in ours})
        deliveries.open_anew(tx, *made.values())
    return [made.get(one.message.id) or lease_lost(one.writing.item) for one in asked]


def _opened(opening: Opening) -> Delivery:
    message, writing, route = opening.message, opening.writing, _routed(opening.message)
    return Delivery(
        id=writing.delivery_id,
        inbound_id=message.id,
        target=route.target,
        action=route.action,
        ref=route.ref,
        idempotency_key=idempotency_key(message.id, route),
        state=DeliveryState.PENDING,
        created_at=writing.now,
        updated_at=writing.now,
    )


def delivered(tx: Tx, asked: Sequence[Receiving]) -> Sequence[LeaseLostError | None]:
    """Record that the targets have the messages, and whether their senders are answered."""
    ours = _ours(tx, asked)
    held = {one.writing.item.id for one in ours}
    if ours:
        _end(tx, [_received(tx, one) for one in ours])
        deliveries.save(tx, *(_done(one) for one in ours))
        counters.bump_billed(tx, _tally(ours))
        items.finish_held(tx, [one.writing.item for one in ours])
    items_asked = [one.writing.item for one in asked]
    return [None if item.id in held else lease_lost(item) for item in items_asked]


def _received(tx: Tx, one: Receiving) -> _Ending:
    """Learn from the answer of a target, plan ours to the sender, and give what to record."""
    message, receipt, writing = one.message, one.receipt, one.writing
    reason = Reason.ALREADY_DELIVERED if receipt.duplicate else Reason.DELIVERED
    step = _deliver_step(Finding.OK, reason, one.delivery, receipt.external_id)
    learn_answer(tx, message, receipt, writing.now)
    said = plan_answer(tx, message, one.mail, receipt, writing.now)
    steps = (step,) if said is None else (step, said)
    rest = Rest(status=InboundStatus.FORWARDED, reason=reason, steps=steps)
    return _Ending(writing, replace(message, external_id=receipt.external_id), rest)


def _done(one: Receiving) -> Delivery:
    done = replace(one.delivery, state=DeliveryState.DONE, external_id=one.receipt.external_id)
    return replace(done, error="", attempts=done.attempts + 1, updated_at=one.writing.now)


def _tally(ours: Sequence[Receiving]) -> Tally[tuple[str, Counter, datetime]]:
    """Count the deliveries, and those of messages that continue a conversation."""
    tally: Tally[tuple[str, Counter, datetime]] = Tally()
    for one in ours:
        tenant_id, minute = one.message.tenant_id, one.writing.now.replace(second=0, microsecond=0)
        tally[tenant_id, _FORWARDED[one.delivery.target], minute] += 1
        if one.message.reply_match_status is MatchStatus.MATCHED:
            tally[tenant_id, Counter.THREADED, minute] += 1
    return tally


def _ours(tx: Tx, asked: Sequence[A]) -> list[A]:
    """Give those whose work item is still ours, and keep it so in this transaction."""
    held = items.held(tx, [one.writing.item for one in asked])
    return [one for one in asked if one.writing.item.id in held]


def refused(
    tx: Tx, writing: Writing, message: InboundMessage, delivery: Delivery, sentence: str
) -> None:
    """Hold a message its target refused, with the target's own sentence."""
    step = _deliver_step(Finding.HOLD, Reason.TARGET_REFUSED, delivery, sentence)
    _end_delivery(tx, writing, delivery, DeliveryState.REFUSED, error=sentence)
    rest = Rest(status=InboundStatus.HELD, reason=Reason.TARGET_REFUSED, steps=(step,))
    _close(tx, writing, message, rest)
    counters.bump(tx, message.tenant_id, Counter.HELD, writing.now)


def unconfigured(tx: Tx, writing: Writing, message: InboundMessage, delivery: Delivery) -> None:
    """Hold a message whose target lost its URL between two tries."""
    sentence = f"no URL is set for {delivery.target.value} any more"
    step = _deliver_step(Finding.HOLD, Reason.TARGET_NOT_CONFIGURED, delivery, sentence)
    _end_delivery(tx, writing, delivery, DeliveryState.REFUSED, error=sentence)
    rest = Rest(status=InboundStatus.HELD, reason=Reason.TARGET_NOT_CONFIGURED, steps=(step,))
    _close(tx, writing, message, rest)
    counters.bump(tx, message.tenant_id, Counter.HELD, writing.now)


def gave_up(
    tx: Tx, writing: Writing, message: InboundMessage, delivery: Delivery, error: str
) -> None:
    """Fail a message whose target was away for all the time allowed."""
    step = _deliver_step(Finding.HOLD, Reason.GAVE_UP, delivery, error)
    _end_delivery(tx, writing, delivery, DeliveryState.GAVE_UP, error=error)
    rest = Rest(status=InboundStatus.FAILED, reason=Reason.GAVE_UP, steps=(step,))
    _close(tx, writing, message, rest)


def put_off(tx: Tx, writing: Writing, delivery: Delivery, failed: Delivery, at: datetime) -> None:
    """Try again at ``at``; a step is added only when the error is not the one before."""
    if failed.error != delivery.error:
        step = _deliver_step(Finding.RETRY, Reason.TARGET_UNAVAILABLE, failed, failed.error)
        explanations.append(tx, delivery.inbound_id, [step], writing.now)
    deliveries.save(tx, replace(failed, updated_at=writing.now))
    items.retry(tx, writing.item, at, failed.error)


def _close(tx: Tx, writing: Writing, message: InboundMessage, rest: Rest) -> None:
    """Write status, explanation and bus event, and end the work."""
    _end(tx, [_Ending(writing, message, rest)])
    items.finish(tx, writing.item)


def _end(tx: Tx, endings: Sequence[_Ending]) -> None:
    """Write status, explanation and bus event of messages that have come to rest."""
    store.save(tx, *(ending.settled for ending in endings))
    explanations.append_all(tx, {e.message.id: (e.steps, e.writing.now) for e in endings})
    announce(tx, *(_event(ending.writing, ending.settled) for ending in endings))


class _Ending(NamedTuple):
    """A message and how it has come to rest."""

    writing: Writing
    message: InboundMessage
    rest: Rest

    @property
    def settled(self) -> InboundMessage:
        """The message as it is to be recorded."""
        rest = self.rest
        return replace(
            self.message,
            status=rest.status,
            reason=rest.reason,
            processed_at=self.writing.now,
        )

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that led here, and that it has."""
        evidence = {"status": self.rest.status.value}
        reason = self.rest.reason
        last = Step(stage=Stage.SETTLE, finding=Finding.OK, reason=reason, evidence=evidence)
        return (*self.rest.steps, last)


def _event(writing: Writing, message: InboundMessage) -> BusEvent:
    route = message.route
    return BusEvent(
        id=writing.event_id,
        type=EMAIL_INBOUND,
        created_at=writing.now,
        tenant_id=message.tenant_id,
        data={
            "inbound_id": message.id,
            "sender": message.from_address,
            "recipient": message.recipient,
            "subject": message.subject,
            "target": route.target.value if route else "",
            "action": route.action.value if route else "",
            "external_id": message.external_id,
            "status": message.status.value,
            "reason": message.reason.value,
        },
    )


def _end_delivery(
    tx: Tx,
    writing: Writing,
    delivery: Delivery,
    state: DeliveryState,
    *,
    error: str,
) -> None:
    ended = replace(delivery, state=state, external_id="", error=error)
    deliveries.save(tx, replace(ended, attempts=delivery.attempts + 1, updated_at=writing.now))


def _deliver_step(finding: Finding, reason: Reason, delivery: Delivery, said: str) -> Step:
    evidence = {"target": delivery.target.value, "action": delivery.action.value}
    if said:
        evidence["external_id" if finding is Finding.OK else "answer"] = said
    return Step(stage=Stage.DELIVER, finding=finding, reason=reason, evidence=evidence)


def _routed(message: InboundMessage) -> Route:
    if message.route is None:
        raise ValueError(f"{message.id} has no route and cannot be delivered")
    return message.route
