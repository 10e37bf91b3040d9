"""How connections are made: pragmas, files that only their owner may read, and WAL folding.

SQLite 3.7.0 to 3.51.2 can corrupt a database when one connection restarts the WAL while another
checkpoints it (sqlite.org/wal.html#walresetbug). So nobody checkpoints on its own, and ``fold_wal``
holds the write lock while it does: no process can write, hence none can restart the WAL.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

if TYPE_CHECKING:
    from backend.store.types import Tx

READERS = 4
BUSY_SECONDS = 5


def sqlite_path(url: str) -> Path:
    """Give the file behind a sqlite:/// URL."""
    return Path(url.removeprefix("sqlite:///"))


def make_private(path: Path) -> None:
    """Create the folder (0700) and file (0600) of a database, or tighten the file's mode.

    An existing file is not opened: closing it would drop the locks that SQLite holds on it in
    this process (sqlite.org/howtocorrupt.html section 2.2). SQLite gives -wal and -shm its mode.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        for suffix in ("", "-wal", "-shm"):
            companion = path.with_name(path.name + suffix)
            if companion.exists():
                companion.chmod(0o600)


def writer_engine(url: str) -> Engine:
    """Make the engine of the one writing connection."""
    if not url.startswith("sqlite"):
        return create_engine(
            url, pool_size=1, max_overflow=0, pool_pre_ping=True, hide_parameters=True
        )
    engine = _sqlite_engine(url, pool_size=2)  # the writer, and the guard of a checkpoint
    event.listen(engine, "connect", _writer_pragmas)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def reader_engine(url: str) -> Engine:
    """Make the engine of the read-only connections: one per reader and one that watches."""
    if url.startswith("sqlite"):
        engine = _sqlite_engine(url, pool_size=READERS + 1)
        event.listen(engine, "connect", _reader_pragmas)
        event.listen(engine, "begin", _begin)
        return engine
    return create_engine(
        url,
        pool_size=READERS + 1,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
        isolation_level="REPEATABLE READ",  # as SQLite: all queries of one read see one moment
    ).execution_options(postgresql_readonly=True)


def fold_wal(engine: Engine, url: str) -> int:
    """Copy the WAL into the database file; give the frames that readers still keep from it."""
    folder = engine.raw_connection()
    guard = engine.raw_connection()
    try:
        guard.cursor().execute("BEGIN IMMEDIATE")
        with closing(folder.cursor()) as cursor:
            # PASSIVE needs no write lock; the next write after a full fold starts the WAL anew
            _busy, frames, folded = cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return max(0, int(frames) - int(folded))
    finally:
        guard.rollback()
        guard.close()
        folder.close()


def _sqlite_engine(url: str, *, pool_size: int) -> Engine:
    return create_engine(
        URL.create("sqlite", database=str(sqlite_path(url))),
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,  # an error's text must not carry addresses into the log
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )


def _writer_pragmas(connection: Any, _record: Any) -> None:
    # SQLAlchemy opens transactions by our "begin" events; the driver must not
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
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
