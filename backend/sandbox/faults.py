"""Faults on order: what goes wrong with the next sends and the next notices."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from backend.errors import InvalidInputError
from backend.model.explained import Explained

if TYPE_CHECKING:
    import random


class FaultKind(Explained):
    """What can go wrong; the first group strikes SendEmail, the second the notices."""

    THROTTLE = "throttle", "SendEmail answers 429, Maximum sending rate exceeded."
    DAILY_QUOTA = "daily_quota", "SendEmail answers 429, Daily message quota exceeded."
    SERVER_ERROR = "server_error", "SendEmail answers 500 and does not take the mail."
    PAUSED = "paused", "SendEmail answers that sending is paused."
    SUSPENDED = "suspended", "SendEmail answers that the account is suspended."
    HANG = "hang", "SendEmail takes the mail and never answers."
    RESET = "reset", "SendEmail takes the mail and resets the connection."
    DUPLICATE = "duplicate", "The notice arrives twice, with one SNS MessageId."
    REORDER = "reorder", "The notice is overtaken by those after it."
    DROP = "drop", "The notice is lost."
    DELAY = "delay", "The notice arrives late, by ``seconds``."


SEND_FAULTS = frozenset(list(FaultKind)[:7])
PAUSES = frozenset({FaultKind.PAUSED, FaultKind.SUSPENDED})
NOTICE_FAULTS = frozenset(FaultKind) - SEND_FAULTS


@dataclass(slots=True, kw_only=True)
class Fault:
    """One order: strikes ``remaining`` more times (None: for ever), each time with a probability.

    ``channel`` limits a fault of notices to "events" or "inbound"; "" means both.
    """

    kind: FaultKind
    remaining: int | None = 1
    probability: float = 1.0
    seconds: float = 1.0
    channel: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return asdict(self)


class Faults:
    """The orders outstanding; safe to use from any thread."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._lock = threading.Lock()
        self._orders: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Take an order."""
        with self._lock:
            self._orders.append(fault)

    def clear(self) -> None:
        """Forget all orders: from now on everything works."""
        with self._lock:
            self._orders.clear()

    def ordered(self, kinds: frozenset[FaultKind]) -> bool:
        """Tell whether an order of some kind is outstanding."""
        with self._lock:
            return any(order.kind in kinds for order in self._orders)

    def outstanding(self) -> list[dict[str, Any]]:
        """List the orders as JSON values."""
        with self._lock:
            return [order.to_json() for order in self._orders]

    def draw(self, kinds: frozenset[FaultKind], channel: str = "") -> Fault | None:
        """Tell which fault strikes now, if any; the oldest order comes first."""
        with self._lock:
            for order in self._orders:
                if order.kind in kinds and order.channel in {"", channel}:
                    if self._rng.random() >= order.probability:
                        continue
                    return self._spend(order)
        return None

    def _spend(self, order: Fault) -> Fault:
        if order.remaining is not None:
            order.remaining -= 1
            if order.remaining <= 0:
                self._orders.remove(order)
        return order


def read_fault(body: dict[str, Any]) -> Fault:
    """Read ``{kind, count?, probability?, seconds?, channel?}``; raises InvalidInputError.

    With a probability and no count the fault stays until it is cleared.
    """
    try:
        kind = FaultKind(str(body.get("kind", "")))
        probability = float(body.get("probability", 1.0))
        count = body.get("count", None if "probability" in body else 1)
        remaining = None if count is None else max(int(count), 1)
        seconds = float(body.get("seconds", 1.0))
    except (TypeError, ValueError):
        raise InvalidInputError(
            "a fault needs a kind, one of " + ", ".join(FaultKind) + ", and numbers", field="kind"
        ) from None
    return Fault(
        kind=kind,
        remaining=remaining,
        probability=probability,
        seconds=seconds,
        channel=str(body.get("channel", "")),
    )
