"""What the tests of whole areas share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from backend.store.blobs import FolderBlobs
from tests.integration.inbound_world import LoopbackTarget, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock


@pytest.fixture
async def world(
    db: Database, clock: SettableClock, ids: CountingIds, tmp_path: Path
) -> AsyncIterator[World]:
    """Two tenants, a pipeline for their mail, and a target that listens."""
    target = LoopbackTarget()
    await target.start()
    async with httpx.AsyncClient() as client:
        made = World(db, clock, ids, FolderBlobs(tmp_path / "blobs"), target, client)
        await made.settle_tenants()
        yield made
        made.inbound.reader.close()
    await target.stop()
