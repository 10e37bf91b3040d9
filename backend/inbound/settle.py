"""Stage 7: what is written when a message has come to rest, and before and between its tries.

Every function here is one unit of work: it ends with the work item, so that a worker which lost
its lease writes nothing at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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
from backend.store import counters, deliveries, explanations
from backend.store import inbound as store
from backend.store.deliveries import Delivery, DeliveryState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.model.inbound import InboundMessage, ParsedMail
    from backend.model.work import WorkItem
    from backend.ports import Ids, TargetReceipt
    from backend.store.types import Tx

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
class Rest:
    """How a message comes to rest: the status, why, and the steps that led there."""

    status: InboundStatus
    reason: Reason
    steps: tuple[Step, ...]


def come_to_rest(
    tx: Tx, writing: Writing, message: InboundMessage, mail: ParsedMail | None, rest: Rest
) -> None:
    """Record a message that goes to no target, or not now; ``mail`` is None if it was not read."""
    take_part(tx, message, mail, writing.now)
    count_rates(tx, message, writing.now)
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


def open_delivery(
    tx: Tx, writing: Writing, message: InboundMessage, mail: ParsedMail, steps: Sequence[Step]
) -> Delivery:
    """Commit to the decision before the target is called; a crash continues from here."""
    items.confirm(tx, writing.item)
    route = _routed(message)
    take_part(tx, message, mail, writing.now)
    count_rates(tx, message, writing.now)
    store.save(tx, replace(message, status=InboundStatus.FORWARDING))
    store.set_attachments(tx, message.id, mail.attachments)
    explanations.append(tx, message.id, steps, writing.now)
    delivery = Delivery(
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
    deliveries.open_anew(tx, delivery)
    return delivery


def delivered(
    tx: Tx, writing: Writing, message: InboundMessage, delivery: Delivery, receipt: TargetReceipt
) -> None:
    """Record that the target has the message."""
    reason = Reason.ALREADY_DELIVERED if receipt.duplicate else Reason.DELIVERED
    done = replace(message, external_id=receipt.external_id)
    step = _deliver_step(Finding.OK, reason, delivery, receipt.external_id)
    _end_delivery(tx, writing, delivery, DeliveryState.DONE, external_id=receipt.external_id)
    learn_answer(tx, message, receipt, writing.now)
    rest = Rest(status=InboundStatus.FORWARDED, reason=reason, steps=(step,))
    _close(tx, writing, done, rest)
    counters.bump(tx, message.tenant_id, _FORWARDED[delivery.target], writing.now)
    if message.reply_match_status is MatchStatus.MATCHED:
        counters.bump(tx, message.tenant_id, Counter.THREADED, writing.now)


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
    settled = replace(message, status=rest.status, reason=rest.reason, processed_at=writing.now)
    store.save(tx, settled)
    step = Step(
        stage=Stage.SETTLE,
        finding=Finding.OK,
        reason=rest.reason,
        evidence={"status": rest.status.value},
    )
    explanations.append(tx, message.id, [*rest.steps, step], writing.now)
    announce(tx, _event(writing, settled))
    items.finish(tx, writing.item)


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
    external_id: str = "",
    error: str = "",
) -> None:
    ended = replace(delivery, state=state, external_id=external_id, error=error)
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
