"""Single attachments that targets were given links to: deleted when no link can read them.

A link ends after 7 days (deliver_files.py), and its file is written anew for a later one. So what
is older than that and a day is of no use to anybody, whoever wrote it; what belongs to a message
that retention deleted goes at once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from backend.inbound.deliver_files import FILES, FRESH, LINK_SECONDS
from backend.store import gone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from backend.ports import BlobListing
    from backend.store.engine import Database

KEPT = timedelta(seconds=LINK_SECONDS) + FRESH


async def worn_out(db: Database, store: BlobListing, now: datetime) -> AsyncIterator[list[str]]:
    """Give the keys of files nobody can or may read any more; raises TransientError."""
    end = now - KEPT
    async for page in store.pages(FILES):
        owners = {one.key: one.key.removeprefix(FILES).partition("/")[0] for one in page}
        deleted = await db.read(gone.among, set(owners.values()), end)
        keys = [one.key for one in page if one.stored_at < end or owners[one.key] in deleted]
        if keys:
            yield keys
