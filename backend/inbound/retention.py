"""Retention: received mail goes when it is old, or when there is too much of it.

Rows go in small transactions, each leaving marks by which neither a late notice nor the sweeper
takes the mail in again; their raw mail goes after them. A run that is cut short is simply begun
again. What else has served its time is dropped as well: kept answers, finished jobs, buried work.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from backend.errors import TransientError
from backend.inbound.retention_links import worn_out
from backend.inbound.retention_settings import BY_SIZE
from backend.inbound.sources.own_keys import FILE
from backend.model.retention import Gone, RetentionCause, RetentionReport
from backend.queue import items
from backend.store import audit, gone, idempotency, jobs
from backend.store.audit import AuditEntry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from backend.inbound.retention_settings import RetentionSettings
    from backend.model.inbound import InboundStatus
    from backend.ports import BlobDisposal, BlobListing, Clock, Ids
    from backend.store.engine import Database
    from backend.store.gone import Old
    from backend.store.types import Tx

RETENTION = "retention"  # the name of the role: one process at a time deletes
FIRST = timedelta(minutes=5)  # after start, so that a server restarted often deletes as well
CHUNK = 100  # messages a transaction: what others write waits no longer than for that
DELETIONS = 8  # objects deleted beside each other
ANSWERS_KEPT = timedelta(days=2)  # twice what is promised of an Idempotency-Key
MARKS_KEPT = timedelta(days=400)  # and never less than the sweeper's horizon

_log = structlog.get_logger(__name__)


class Retention:
    """Deletes what is kept no longer; run ``run`` under the role RETENTION."""

    def __init__(
        self,
        db: Database,
        blobs: BlobDisposal,
        clock: Clock,
        ids: Ids,
        *,
        settings: RetentionSettings,
        linked: BlobListing | None = None,
    ) -> None:
        """Take the store as ``linked`` too when it gives links to files, which wear out."""
        self._db = db
        self._blobs = blobs
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._linked = linked

    async def run(self) -> None:
        """Delete again and again until cancelled."""
        pause = min(FIRST, self._settings.every)
        while True:
            await asyncio.sleep(pause.total_seconds())
            pause = self._settings.every
            try:
                await self.delete(actor="retention")
            except TransientError as error:
                _log.warning("retention given up for now", error=str(error))

    async def plan(self) -> RetentionReport:
        """Tell what a run would delete; writes nothing.

        Raw mail that several recipients share is counted for each of them.
        """
        return await self._messages(RetentionReport(dry=True, at=self._clock.now()))

    async def delete(self, *, actor: str) -> RetentionReport:
        """Delete what is kept no longer and tell what that was; raises TransientError."""
        report = await self._messages(RetentionReport(dry=False, at=self._clock.now()))
        report = await self._raw(report)
        report = await self._files(report)
        report = await self._db.write(self._drop, report)
        if report.did_something:
            await self._db.write(audit.add, self._entry(report, actor))
        if report.too_large:
            _log.warning(
                "more raw mail than may be, and the rest waits for people",
                stored=report.stored,
                limit=report.limit,
            )
        return report

    async def _messages(self, report: RetentionReport) -> RetentionReport:
        """Let messages go, first those that are too old."""
        found: list[Gone] = []
        for status, kept in self._settings.kept.items():
            before = report.at - kept
            chunks = self._chunks(status, report, before=before)
            await _gather(found, (status, RetentionCause.AGE), chunks)
        stored = await self._db.read(gone.raw_bytes)
        if report.dry:  # nothing has gone, so what would have is taken off here
            stored = max(0, stored - sum(one.size for one in found))
        limit = self._settings.limit
        if limit and stored > limit:
            stored = await self._too_much(report, found, stored)
        return replace(report, gone=tuple(found), stored=stored, limit=limit)

    async def _too_much(self, report: RetentionReport, found: list[Gone], stored: int) -> int:
        """Let the oldest of the least worth go until the rest fits; give what is left."""
        for status in BY_SIZE:
            kept = self._settings.kept.get(status)
            after = report.at - kept if kept and report.dry else None
            spare = _Spare(stored - self._settings.limit)
            chunks = self._chunks(status, report, spare=spare, since=after)
            stored -= await _gather(found, (status, RetentionCause.SIZE), chunks)
            if stored <= self._settings.limit:
                break
        return stored

    async def _chunks(
        self,
        status: InboundStatus,
        report: RetentionReport,
        *,
        before: datetime | None = None,
        spare: _Spare | None = None,
        since: datetime | None = None,
    ) -> AsyncIterator[Sequence[Old]]:
        """Give messages of a state as they go, oldest first; ``since`` passes over the older."""
        after: Old | None = None
        while spare is None or spare.left > 0:
            page = await self._db.read(gone.oldest, status, CHUNK, before=before, after=after)
            if not page:
                return
            after = page[-1]
            if before is not None:
                page = [old for old in page if old.rested_at < before]
            if since is not None:
                page = [old for old in page if old.rested_at >= since]
            if spare is not None:
                page = spare.take(page)
            if not report.dry and page:
                ids = [old.id for old in page]
                with_raw = self._settings.with_raw
                wanted = page
                page = await self._db.write(gone.erase, ids, report.at, with_raw=with_raw)
                if spare is not None:  # what others share frees nothing
                    spare.left += _size(wanted) - _size(page)
            yield page

    async def _raw(self, report: RetentionReport) -> RetentionReport:
        """Delete the raw mail of what is gone; what fails waits for the next run."""
        deleted = failed = 0
        after = ""
        while keys := await self._db.read(gone.raw_waiting, CHUNK, after):
            after = keys[-1]
            ended = await self._delete_all(keys)
            # a file may be taken in again by the person who has it: nothing else announces it
            known = [key for key in ended if key.startswith(FILE)]
            await self._db.write(gone.raw_deleted, ended, known=known)
            deleted += len(ended)
            failed += len(keys) - len(ended)
        return replace(report, raw_deleted=deleted, raw_waiting=failed)

    async def _files(self, report: RetentionReport) -> RetentionReport:
        """Delete linked files that nobody can read any more; what fails waits for the next run."""
        deleted = 0
        if self._linked is not None and self._settings.with_raw:
            try:
                async for keys in worn_out(self._db, self._linked, report.at):
                    deleted += len(await self._delete_all(keys))
            except TransientError as error:
                _log.warning("linked files not looked for", error=str(error))
        return replace(report, files_deleted=deleted)

    async def _delete_all(self, keys: Sequence[str]) -> list[str]:
        limit = asyncio.Semaphore(DELETIONS)
        done = await asyncio.gather(*(self._delete(key, limit) for key in keys))
        return [key for key, is_done in zip(keys, done, strict=True) if is_done]

    async def _delete(self, key: str, limit: asyncio.Semaphore) -> bool:
        async with limit:
            try:
                await self._blobs.delete(key)
            except TransientError as error:
                _log.warning("raw mail not deleted", blob_key=key[:200], error=str(error))
                return False
        return True

    def _drop(self, tx: Tx, report: RetentionReport) -> RetentionReport:
        """Drop what has served its time beside mail."""
        settings, now = self._settings, report.at
        old = now - settings.jobs_kept
        marks_kept = max(MARKS_KEPT, 2 * settings.horizon)
        return replace(
            report,
            answers=idempotency.forget(tx, now - ANSWERS_KEPT),
            jobs=jobs.forget(tx, jobs.finished_before(tx, old, CHUNK)),
            work_items=items.forget_dead(tx, old),
            marks=gone.forget(tx, now - marks_kept),
        )

    def _entry(self, report: RetentionReport, actor: str) -> AuditEntry:
        counts = {f"{one.status.value} by {one.cause.value}": one.messages for one in report.gone}
        counts |= {"raw": report.raw_deleted, "files": report.files_deleted}
        counts |= {"jobs": report.jobs, "work": report.work_items}
        return AuditEntry(
            id=self._ids.new("aud"),
            at=report.at,
            actor=actor,
            action="retention.run",
            subject="inbound",
            detail={name: str(n) for name, n in counts.items() if n},
        )


class _Spare:
    """How many bytes are still to go."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, page: Sequence[Old]) -> list[Old]:
        """Take from the front of a page what is needed."""
        taken: list[Old] = []
        for old in page:
            if self.left <= 0:
                break
            taken.append(old)
            self.left -= old.size
        return taken


async def _gather(
    found: list[Gone],
    what: tuple[InboundStatus, RetentionCause],
    chunks: AsyncIterator[Sequence[Old]],
) -> int:
    """Sum up what goes, into ``found`` if there is any; give its bytes."""
    messages = size = 0
    oldest: datetime | None = None
    async for page in chunks:
        messages += len(page)
        size += _size(page)
        oldest = oldest or (page[0].received_at if page else None)
    if messages and oldest is not None:
        status, cause = what
        found.append(Gone(status=status, cause=cause, messages=messages, size=size, oldest=oldest))
    return size


def _size(page: Sequence[Old]) -> int:
    return sum(old.size for old in page)
