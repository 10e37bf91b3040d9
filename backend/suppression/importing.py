"""Bring a file of suppressions onto the list, or tell what it would bring; and undo that.

The file is read once, sorted through temporary files and written in chunks, each a transaction of
its own, so that neither memory nor the wait of other writers grows with its length. An import that
was cut off can be undone like any other, or simply be run again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import IO, TYPE_CHECKING

from backend.errors import InvalidInputError, NotFoundError
from backend.model.suppression import (
    ImportReport,
    ImportState,
    ImportWish,
    LineFault,
    Suppression,
    SuppressionImport,
    SuppressionReason,
)
from backend.store import audit, suppression_imports, suppressions, tenants
from backend.suppression.formats import read_records
from backend.suppression.rows import Judge
from backend.suppression.sorting import Sorter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from backend.ports import Clock, Ids
    from backend.store.engine import Database
    from backend.store.types import Tx
    from backend.suppression.formats import Record
    from backend.suppression.rows import Row

CHUNK = 4000  # rows of one transaction
REPORTED = 100  # faults a report names
_TIME = len("sup_") + 10  # where the time of an id ends and its chance begins
_STEP = 20_000  # lines between two calls of ``heard``


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportListener:
    """Who wants to hear how an import goes: lines read, rows written of all, each fault."""

    read: Callable[[int], None] = lambda _lines: None
    wrote: Callable[[int, int], None] = lambda _rows, _total: None
    fault: Callable[[LineFault], None] = lambda _fault: None


SILENT = ImportListener()


@dataclass(slots=True, kw_only=True)
class _Count:
    lines: int = 0
    faults: int = 0
    twice: int = 0
    fresh: int = 0
    named: list[LineFault] = field(default_factory=list)


class Importer:
    """Imports and undoes, in the name of ``actor``."""

    def __init__(self, db: Database, clock: Clock, ids: Ids, *, actor: str) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._actor = actor

    async def run(
        self, file: IO[str], wish: ImportWish, heard: ImportListener = SILENT
    ) -> ImportReport:
        """Import a file, or with ``dry_run`` only count; raises InvalidInputError.

        A bad line is left out and told of; all others go on the list.
        """
        known = await self._db.read(_tenant_ids)
        if wish.tenant_id and wish.tenant_id not in known:
            raise NotFoundError(f"there is no tenant {wish.tenant_id}")
        now = self._clock.now()
        judge = Judge(tenant_id=wish.tenant_id, tenants=known, reason=wish.reason, now=now)
        begun = SuppressionImport(
            id=self._ids.new("imp"),
            tenant_id=wish.tenant_id or "",
            source=wish.source,
            actor=self._actor,
            state=ImportState.RUNNING,
            started_at=now,
        )
        with Sorter() as sorter:
            records = await asyncio.to_thread(read_records, file, wish.format)
            count = await asyncio.to_thread(_judge_all, records, judge, sorter, heard)
            await self._write_all(sorter, count, begun, wish, heard)
        return ImportReport(
            id="" if wish.dry_run else begun.id,
            lines=count.lines,
            added=count.fresh,
            duplicates=sorter.count - count.fresh,
            fault_count=count.faults,
            faults=tuple(count.named),
            dry_run=wish.dry_run,
        )

    async def undo(self, import_id: str) -> int:
        """Take off what an import has brought; raises NotFoundError, or when it is undone."""
        done = await self._db.read(suppression_imports.get, import_id)
        if done is None:
            raise NotFoundError(f"there is no import {import_id}")
        if done.state is ImportState.UNDONE:
            raise InvalidInputError(f"{import_id} is undone already", field="import_id")
        now, removed = self._clock.now(), 0
        while some := await self._db.write(suppression_imports.take_off, import_id, now, CHUNK):
            removed += some
        undone = replace(done, state=ImportState.UNDONE, undone_at=now)
        await self._db.write(_settle, undone, self._note("undo", undone, removed))
        return removed

    async def _write_all(
        self,
        sorter: Sorter,
        count: _Count,
        begun: SuppressionImport,
        wish: ImportWish,
        heard: ImportListener,
    ) -> None:
        if not wish.dry_run:
            await self._db.write(suppression_imports.put, begun)
        rows, stem, done = _unique(sorter.rows()), self._ids.new("sup"), 0
        while chunk := await asyncio.to_thread(_take, rows):
            entries = [
                self._entry(row, begun, _numbered(stem, number))
                for number, row in enumerate(chunk, start=done)
            ]
            if wish.dry_run:
                count.fresh += await self._db.read(_count_fresh, entries, begun.started_at)
            else:
                count.fresh += await self._db.write(
                    suppressions.insert_many, entries, begun.started_at
                )
            done += len(chunk)
            heard.wrote(done, sorter.count)
        if not wish.dry_run:
            ended = replace(
                begun,
                state=ImportState.DONE,
                lines=count.lines,
                added=count.fresh,
                duplicates=sorter.count - count.fresh,
                faults=count.faults,
                finished_at=self._clock.now(),
            )
            await self._db.write(_settle, ended, self._note("import", ended, count.fresh))

    def _entry(self, row: Row, begun: SuppressionImport, entry_id: str) -> Suppression:
        address, tenant_id, _, reason, detail, note, source, created, expires, spelling = row
        return Suppression(
            id=entry_id,
            tenant_id=tenant_id,
            address=address,
            reason=_REASONS[reason],
            created_at=datetime.fromisoformat(created) if created else begun.started_at,
            detail=detail,
            source_email_id=source,
            created_by=self._actor,
            note=note,
            expires_at=datetime.fromisoformat(expires) if expires else None,
            import_id=begun.id,
            spelling=spelling,
        )

    def _note(self, what: str, done: SuppressionImport, entries: int) -> audit.AuditEntry:
        return audit.AuditEntry(
            id=self._ids.new("aud"),
            at=self._clock.now(),
            actor=self._actor,
            action=f"suppression.{what}",
            subject=done.id,
            tenant_id=done.tenant_id,
            detail={"source": done.source, "entries": str(entries)},
        )


_REASONS = {reason.value: reason for reason in SuppressionReason}


def _judge_all(
    records: Iterator[Record], judge: Judge, sorter: Sorter, heard: ImportListener
) -> _Count:
    """Judge every line and hand the good ones to the sorter."""
    count = _Count()
    for record in records:
        count.lines += 1
        if count.lines % _STEP == 0:
            heard.read(count.lines)
        if isinstance(record, LineFault):
            _fault(record, count, heard)
            continue
        line, fields = record
        try:
            sorter.add(judge.row(line, fields))
        except InvalidInputError as error:
            _fault(LineFault(line=line, problem=str(error)), count, heard)
    heard.read(count.lines)
    return count


def _fault(fault: LineFault, count: _Count, heard: ImportListener) -> None:
    count.faults += 1
    if len(count.named) < REPORTED:
        count.named.append(fault)
    heard.fault(fault)


def _numbered(stem: str, number: int) -> str:
    """Give an id that sorts by time and then by number, without drawing chance a million times."""
    return f"{stem[:_TIME]}{number:07x}{stem[_TIME + 7 :]}"


def _unique(rows: Iterator[Row]) -> Iterator[Row]:
    """Pass over rows for the address and tenant of the row before: the first line counts."""
    last: tuple[str, str] | None = None
    for row in rows:
        if (row[0], row[1]) != last:
            last = (row[0], row[1])
            yield row


def _take(rows: Iterator[Row]) -> list[Row]:
    return list(islice(rows, CHUNK))


def _tenant_ids(tx: Tx) -> frozenset[str]:
    return frozenset(tenant.id for tenant in tenants.all_by_name(tx))


def _count_fresh(tx: Tx, entries: Sequence[Suppression], now: datetime) -> int:
    """Count the entries that would come on the list."""
    known: set[tuple[str, str]] = set()
    for tenant_id in {entry.tenant_id for entry in entries}:
        found = suppressions.matching(tx, tenant_id, [entry.address for entry in entries])
        known |= {(old.address, old.tenant_id) for old in found if old.counts(now)}
    return sum((entry.address, entry.tenant_id) not in known for entry in entries)


def _settle(tx: Tx, done: SuppressionImport, note: audit.AuditEntry) -> None:
    suppression_imports.put(tx, done)
    audit.add(tx, note)
