"""The database: one writer thread with group commit, a few readers, on SQLite or PostgreSQL.

A unit of work is a plain function ``fn(tx, ...)`` from this package. ``await db.write(fn, ...)``
runs it on the writer thread; functions that wait together share one BEGIN IMMEDIATE ... COMMIT,
each in a savepoint of its own, so that one fsync makes many of them durable and one that raises
undoes only itself. ``await db.read(fn, ...)`` runs it on a read-only connection.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.errors import ConfigError, DatabaseBusyError
from backend.store.connections import (
    READERS,
    fold_wal,
    make_private,
    reader_engine,
    sqlite_path,
    writer_engine,
)
from backend.store.faults import is_write_of_reader, spoils_transaction, translated
from backend.store.gathering import GatheredReads
from backend.store.migrate import upgrade
from backend.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backend.store.types import Tx

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Database:
    """An open database; make one with ``open_database`` and close it when done."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._writer_engine = writer_engine(url)
        self._reader_engine = reader_engine(url)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="db-read")
        self._watch = self._reader_engine.connect()
        self._watching = threading.Lock()
        self._writer = Writer(self._writer_engine)
        self._gathered = GatheredReads(self.read)

    async def write(
        self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``fn(tx, ...)`` and return once it is durable.

        What ``fn`` raises undoes only ``fn`` and reaches the caller as it is; DatabaseBusyError
        means that nothing was written. On PostgreSQL ``fn`` may run again after a deadlock.
        """
        return await self._writer.submit(lambda tx: fn(tx, *args, **kwargs))

    async def write_gathered(
        self, fn: Callable[[Tx, Sequence[T]], Sequence[R | BaseException]], item: T
    ) -> R:
        """Let ``fn(tx, items)`` do this item with the others that wait, durable on return.

        ``fn`` gives what becomes of each item in its order: a value, or an error that reaches that
        item's caller and must have changed nothing. What ``fn`` raises undoes all it did; every
        item is then done on its own.
        """
        return await self._writer.submit_gathered(fn, item)

    async def read(
        self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``fn(tx, ...)`` on a read-only connection; all its queries see one moment."""

        def run() -> R:
            with self._reader_engine.connect() as tx:
                return fn(tx, *args, **kwargs)

        return await self._on_reader(run)

    async def read_gathered(
        self, fn: Callable[[Tx, Sequence[T]], Sequence[R | BaseException]], item: T
    ) -> R:
        """Let ``fn(tx, items)`` answer about this item, with all that were asked about meanwhile.

        ``fn`` gives an answer for each item in its order: a value, or an error to be raised. A
        RelayError that it raises reaches all of them; after any other each is asked about alone.
        """
        return await self._gathered.ask(fn, item)  # type: ignore[no-any-return]  # as fn says

    async def version(self) -> int:
        """Give a number that changes whenever anyone, here or elsewhere, has committed."""
        return await self._on_reader(self._read_version)

    async def checkpoint(self) -> int:
        """Fold the WAL into the file and give how many of its frames are left to fold.

        Only the holder of the checkpointer role may call this; on PostgreSQL it does nothing.
        """
        if not self.is_sqlite:
            return 0
        return await self._writer.submit_alone(lambda: fold_wal(self._writer_engine, self.url))

    def close(self) -> None:
        """Finish what was handed in, then close every connection; a second call does nothing."""
        self._writer.close()
        self._readers.shutdown()
        self._watch.close()
        self._writer_engine.dispose()
        self._reader_engine.dispose()

    async def _on_reader(self, run: Callable[[], R]) -> R:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, run)
        except DBAPIError as error:
            if is_write_of_reader(error) or not spoils_transaction(error):
                raise
            raise translated(error) from error
        except RuntimeError as error:  # the executor says so after its shutdown
            if self._writer.closed:
                raise DatabaseBusyError("the database is closed") from error
            raise

    def _read_version(self) -> int:
        # PRAGMA data_version compares with what this same connection saw before
        with self._watching, self._watch.begin():
            return _version(self._watch)


def open_database(url: str) -> Database:
    """Open a database, making its file if need be, and bring its schema up to date.

    Raises SchemaTooNewError, DatabaseBusyError when it cannot be reached, and ConfigError when
    there can be no database in that place.
    """
    if url.startswith("sqlite"):
        path = sqlite_path(url)
        try:
            make_private(path)
        except OSError as error:
            raise ConfigError(
                f"{path}: {error.strerror}; name a file as database that can be written"
            ) from error
    upgrade(url)
    try:
        return Database(url)
    except DBAPIError as error:
        raise translated(error) from error


def _version(tx: Tx) -> int:
    if tx.dialect.name == "sqlite":
        return int(tx.exec_driver_sql("PRAGMA data_version").scalar_one())
    return int(tx.execute(text("SELECT txid_snapshot_xmax(txid_current_snapshot())")).scalar_one())
