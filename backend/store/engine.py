"""The database: one writer thread with group commit, a few readers, on SQLite or PostgreSQL.

A unit of work is a plain function ``fn(tx, ...)`` from this package. ``await db.write(fn, ...)``
runs it on the writer thread; functions that wait together share one BEGIN IMMEDIATE ... COMMIT,
each in a savepoint of its own, so that one fsync makes many of them durable and one that raises
undoes only itself. ``await db.read(fn, ...)`` runs it on a read-only connection.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from backend.errors import DatabaseBusyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from backend.store.types import Tx

P = ParamSpec("P")
R = TypeVar("R")

GROUP = 50  # jobs one commit may carry
READERS = 4
BUSY_MILLIS = 5000


@dataclass(slots=True)
class _Job:
    """One unit of work that waits for the writer, and where its result goes."""

    run: Callable[[Tx], Any]
    result: Future[Any]


class Database:
    """An open database; make one with ``open_database`` and close it when done."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._writer_engine = _engine(url, readonly=False)
        self._reader_engine = _engine(url, readonly=True)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="db-read")
        self._writer = threading.Thread(target=self._write_loop, name="db-write", daemon=True)
        self._writer.start()

    async def write(
        self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``fn(tx, ...)`` and return once it is durable; raises DatabaseBusyError."""
        job = _Job(lambda tx: fn(tx, *args, **kwargs), Future())
        self._jobs.put(job)
        return await asyncio.wrap_future(job.result)

    async def read(
        self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``fn(tx, ...)`` on a read-only connection."""

        def run() -> R:
            with self._reader_engine.connect() as tx:
                return fn(tx, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    async def checkpoint(self) -> None:
        """Fold the WAL into the file; only the holder of the checkpointer role may call this."""
        if self.is_sqlite:
            await asyncio.to_thread(self._checkpoint)

    def close(self) -> None:
        """Finish what was handed in, then close every connection."""
        self._jobs.put(None)
        self._writer.join()
        self._readers.shutdown()
        self._writer_engine.dispose()
        self._reader_engine.dispose()

    def _checkpoint(self) -> None:
        done: Future[None] = Future()

        def fold(tx: Tx) -> None:
            tx.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

        # through the writer, so that it never runs beside a write of this process
        self._jobs.put(_Job(fold, done))
        done.result()

    def _write_loop(self) -> None:
        while (job := self._jobs.get()) is not None:
            group, stop = [job], False
            while len(group) < GROUP and not stop:
                try:
                    more = self._jobs.get_nowait()
                except queue.Empty:
                    break
                stop = more is None
                if more is not None:
                    group.append(more)
            self._commit(group)
            if stop:
                return

    def _commit(self, group: list[_Job]) -> None:
        """Run a group in one transaction and answer each job after the commit."""
        answers: list[tuple[_Job, Any, BaseException | None]] = []
        try:
            with self._writer_engine.begin() as tx:
                answers = [_in_savepoint(tx, job) for job in group]
        except DBAPIError as error:
            busy = DatabaseBusyError(f"the database could not take the write: {error.orig}")
            busy.__cause__ = error
            answers = [(job, None, failed or busy) for job, _, failed in answers] or [
                (job, None, busy) for job in group
            ]
        for job, value, failed in answers:
            if failed is not None:
                job.result.set_exception(failed)
            else:
                job.result.set_result(value)


def _in_savepoint(tx: Tx, job: _Job) -> tuple[_Job, Any, BaseException | None]:
    try:
        with tx.begin_nested():
            return job, job.run(tx), None
    except OperationalError:
        raise  # the whole group cannot go on: disk full, lock lost, server gone
    except Exception as error:  # noqa: BLE001  # it belongs to the caller, who gets it
        return job, None, error


def _engine(url: str, *, readonly: bool) -> Engine:
    if not url.startswith("sqlite"):
        engine = create_engine(url, pool_size=READERS if readonly else 1, pool_pre_ping=True)
        if readonly:
            engine = engine.execution_options(postgresql_readonly=True)
        return engine
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=READERS if readonly else 1,
        max_overflow=0,
        connect_args={"timeout": BUSY_MILLIS / 1000, "check_same_thread": False},
    )
    event.listen(engine, "connect", _reader_pragmas if readonly else _writer_pragmas)
    event.listen(engine, "begin", _begin if readonly else _begin_immediate)
    return engine


def _writer_pragmas(connection: Any, _record: Any) -> None:
    # SQLAlchemy opens transactions by our "begin" events; the driver must not
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        # the WAL-reset bug of SQLite 3.7.0-3.51.2: only the checkpointer role checkpoints
        "wal_autocheckpoint=0",
        "foreign_keys=ON",
        "journal_size_limit=67108864",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _reader_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only=ON")
    connection.execute("PRAGMA wal_autocheckpoint=0")


def _begin_immediate(connection: Tx) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Tx) -> None:
    connection.exec_driver_sql("BEGIN")


def sqlite_path(url: str) -> Path:
    """Give the file behind a sqlite:/// URL."""
    return Path(url.removeprefix("sqlite:///"))


def make_private(path: Path) -> None:
    """Create the folder (0700) and file (0600) of a new database; they hold people's mail."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    for suffix in ("", "-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.chmod(0o600)


def open_database(url: str) -> Database:
    """Open a database, making its file if need be, and bring its schema up to date.

    Raises SchemaTooNewError, and DatabaseBusyError when it cannot be reached.
    """
    from backend.store.migrate import upgrade  # noqa: PLC0415  # Alembic is slow to import

    if url.startswith("sqlite"):
        make_private(sqlite_path(url))
    try:
        upgrade(url)
    except OperationalError as error:
        raise DatabaseBusyError(f"the database cannot be opened: {error.orig}") from error
    return Database(url)


def version(tx: Tx) -> int:
    """Give a number that changes whenever another connection has committed something."""
    if tx.dialect.name == "sqlite":
        return int(tx.exec_driver_sql("PRAGMA data_version").scalar_one())
    return int(tx.execute(text("SELECT txid_snapshot_xmax(txid_current_snapshot())")).scalar_one())
