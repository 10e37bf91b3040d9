"""The check of every mail: which of its recipients the list keeps it from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.store import suppressions
from backend.suppression.decide import held_by, patterns

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from backend.model.suppression import Suppression
    from backend.store.types import Tx


def held_back(
    tx: Tx, tenant_id: str, addresses: Iterable[str], now: datetime
) -> dict[str, Suppression]:
    """Give the entry that holds for each suppressed one of these lower case addresses.

    One look into one index for all recipients of a mail, their domains and the common list.
    """
    wanted = patterns(addresses)
    names = dict.fromkeys(name for several in wanted.values() for name in several)
    if not names:
        return {}
    return held_by(wanted, suppressions.matching(tx, tenant_id, list(names)), now)
