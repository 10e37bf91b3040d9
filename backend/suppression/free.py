"""Free one address at SES after it was taken off our list: the handler of ``unsuppress`` work.

Otherwise SES would go on taking the mail, counting it and throwing it away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.queue import items
from backend.store import ses_suppressions, suppressions

if TYPE_CHECKING:
    from backend.model.work import WorkItem
    from backend.ports import AccountSuppressions, Clock
    from backend.store.engine import Database
    from backend.store.types import Tx


async def free(item: WorkItem, db: Database, account: AccountSuppressions, clock: Clock) -> None:
    """Delete an address in every spelling we know of; raises TransientError.

    A spelling that only SES knows is found by the next sync (sync.py).
    """
    address = item.ref.lower()
    if await db.read(suppressions.is_refused, address, clock.now()):
        await db.write(items.finish, item)  # it came on the list again meanwhile
        return
    seen = await db.read(ses_suppressions.spellings, [address])
    known = tuple(dict.fromkeys((item.ref, address, *seen)))
    for spelling in known:
        await account.delete(spelling)
    await db.write(_settle, item, known)


def _settle(tx: Tx, item: WorkItem, spellings: tuple[str, ...]) -> None:
    ses_suppressions.freed(tx, spellings)
    items.finish(tx, item)
