"""Whose hand does what is done by hand. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from backend.ports import Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Whose hand it is, and when; ``ids`` for the rows it adds."""

    actor: str
    at: datetime
    ids: Ids
