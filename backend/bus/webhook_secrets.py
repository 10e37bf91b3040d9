"""The signing secrets of endpoints between the database, where they are sealed, and their use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.errors import ConfigError
from backend.store import webhooks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.bus.context import Bus
    from backend.sealing import Seal
    from backend.store.types import Tx


def opened(seal: Seal, kept: Sequence[str]) -> list[str]:
    """Give those that a key of ours opens; raises ConfigError when there is none."""
    found, refusal = [], ConfigError("there is no signing secret; rotate it")
    for one in kept:
        try:
            found.append(seal.open(one))
        except ConfigError as error:
            refusal = error
    if not found:
        raise refusal
    return found


async def renew_all(bus: Bus) -> int:
    """Seal with the newest key what lies in clear or under an older one; count the endpoints."""
    if not await bus.db.read(_stale, bus.seal):
        return 0
    return await bus.db.write(_renew, bus.seal)


def _stale(tx: Tx, seal: Seal, *, lock: bool = False) -> dict[str, tuple[str, str]]:
    renewed = {}
    for endpoint_id, kept in webhooks.kept_secrets(tx, lock=lock).items():
        fresh = (seal.renewed(kept[0]), seal.renewed(kept[1]))
        if fresh != kept:
            renewed[endpoint_id] = fresh
    return renewed


def _renew(tx: Tx, seal: Seal) -> int:
    renewed = _stale(tx, seal, lock=True)
    webhooks.keep_secrets(tx, renewed)
    return len(renewed)
