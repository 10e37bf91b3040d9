"""One end for each set of events, in any order: a slice of benchmarks/event_orders.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.event_orders import KINDS, K, walk

if TYPE_CHECKING:
    from backend.store.engine import Database


@pytest.mark.parametrize(
    ("kinds", "deepest", "orders"),
    [
        (KINDS, 2, 7 + 42),  # the benchmark goes down to all 13,699
        ((K.SEND, K.DELIVERY, K.BOUNCE, K.COMPLAINT), 4, 64),
    ],
)
async def test_every_order_with_copies_ends_alike(
    any_db: Database, kinds: tuple[K, ...], deepest: int, orders: int
) -> None:
    met = await any_db.write(walk, kinds, deepest)

    assert met.orders == orders
    assert met.torn == {}
