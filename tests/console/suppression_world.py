"""Suppression beyond one entry in the snapshot world; files are tested over the real backend."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING

from backend import NotFoundError, SuppressionState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from backend import ImportReport, ImportWish, Suppression, SuppressionQuery
    from tests.console.world import World


@dataclass(slots=True)
class SuppressionWorld:
    """Accepts what waits for review and has no files."""

    world: World

    async def accept(self, suppression_id: str, *, actor: str) -> Suppression:
        entry = self.world.suppressed[suppression_id]
        self.world.calls.append(("accept", suppression_id, actor))
        accepted = replace(entry, state=SuppressionState.ACTIVE)
        self.world.suppressed[suppression_id] = accepted
        self.world.bump()
        return accepted

    async def import_file(self, file: IO[str], wish: ImportWish, *, actor: str) -> ImportReport:
        raise NotFoundError(f"this world has no files: {file}, {wish}, {actor}")

    async def undo_import(self, import_id: str, *, actor: str) -> int:
        raise NotFoundError(f"there is no import {import_id} of {actor}")

    async def export(self, query: SuppressionQuery, form: str) -> AsyncIterator[str]:
        yield f"{form} of {query}"
