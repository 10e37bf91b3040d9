"""Events told to the outside: the bus and subscribers (design.md: "Bus events"). No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

EMAIL_INBOUND = "relay.email.inbound"


@dataclass(frozen=True, slots=True, kw_only=True)
class BusEvent:
    """One event; ``type`` is ``relay.email.accepted|sent|...|inbound``; ``data`` is JSON."""

    id: str
    type: str
    created_at: datetime
    tenant_id: str
    data: Mapping[str, object]
