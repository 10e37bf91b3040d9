"""Which messages may be processed again: never one that its target has, or may yet get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.inbound.policy import REPORTS
from backend.model.inbound import WAITING, InboundStatus
from backend.store.deliveries import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.model.inbound import InboundMessage
    from backend.store.deliveries import Delivery

_ON_ITS_WAY = frozenset({InboundStatus.RECEIVED, InboundStatus.FORWARDING})
_MAY = WAITING | {InboundStatus.SUPPRESSED}
_INSTEAD = {
    InboundStatus.FORWARDED: "its target has it already; it is not sent twice",
    InboundStatus.DISCARDED: "it was put away; restore it first",
}


def refusal(message: InboundMessage, deliveries: Sequence[Delivery]) -> str:
    """Say why a message may not be processed again; empty when it may."""
    done = [one for one in deliveries if one.state is DeliveryState.DONE]
    if done and not _sent_elsewhere(message, done):
        target, made = done[-1].target.value, done[-1].external_id
        return f"it reached {target} already{f' as {made}' if made else ''}; it is not sent twice"
    if any(one.state is DeliveryState.PENDING for one in deliveries):
        return "its target is being tried; wait for the outcome"
    if message.status in _ON_ITS_WAY:
        return "it is on its way; wait for the outcome"
    if message.status is InboundStatus.SUPPRESSED and message.kind in REPORTS:
        return f"it is a {message.kind.value}, whose report is counted once"
    if message.status not in _MAY:
        return _INSTEAD[message.status]
    return ""


def _sent_elsewhere(message: InboundMessage, done: Sequence[Delivery]) -> bool:
    """Tell whether a person named a target that does not have the message yet."""
    by_hand = message.by_hand.route
    return by_hand is not None and by_hand.target not in {one.target for one in done}
