"""The brake of a tenant: whether its mail is held back while that of the others goes out.

``held_back`` is asked for every mail before each attempt, in the transaction that loads it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from backend.store import compliance

if TYPE_CHECKING:
    from backend.store.types import Tx

LOOK_AGAIN = timedelta(minutes=5)  # whoever lifts a brake wakes the mail sooner by queueing it


def held_back(tx: Tx, tenant_id: str) -> str:
    """Give the reason why the mail of a tenant is held back, empty when it is not."""
    return compliance.brake_of(tx, tenant_id)
