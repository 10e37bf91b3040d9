"""How connections are made: pragmas, files that only their owner may read, and WAL folding.

SQLite 3.7.0 to 3.51.2 can corrupt a database when one connection restarts the WAL while another
checkpoints it (sqlite.org/wal.html#walresetbug). So nobody checkpoints on its own, and ``fold_wal``
holds the write lock while it does: no process can write, hence none can restart the WAL.

On PostgreSQL nobody waits for ever either: not for a server that vanished from the network, not for
the lock of a process that was stopped, whose session the server ends when its leases are over.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.pool import QueuePool

from backend.errors import DatabaseBusyError

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import IsolationLevel

    from backend.store.types import Tx

READERS = 4
BUSY_SECONDS = 5
STOPPED_SECONDS = 30  # a process that is silent for so long within a transaction is given up
# postgresql.org/docs/current/libpq-connect.html: seconds, and milliseconds for the last
_NETWORK = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}


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
        return _postgresql_engine(url, pool_size=1)
    engine = _sqlite_engine(url, pool_size=2)  # the writer, and the guard of a checkpoint
    event.listen(engine, "connect", _writer_pragmas)
    event.listen(engine, "begin", _begin_immediate)
    same_file = _SameFile(sqlite_path(url))
    event.listen(engine, "begin", same_file.begin)
    event.listen(engine, "commit", same_file.commit)
    return engine


def reader_engine(url: str) -> Engine:
    """Make the engine of the read-only connections: one per reader and one that watches."""
    if url.startswith("sqlite"):
        engine = _sqlite_engine(url, pool_size=READERS + 1)
        event.listen(engine, "connect", _reader_pragmas)
        event.listen(engine, "begin", _begin)
        return engine
    # as SQLite: all queries of one read see one moment
    engine = _postgresql_engine(url, pool_size=READERS + 1, isolation_level="REPEATABLE READ")
    return engine.execution_options(postgresql_readonly=True)


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
    # mode=rw: an empty file made in the place of one that is gone would hide that it is
    place = f"file:{quote(str(sqlite_path(url)))}"
    return create_engine(
        URL.create("sqlite", database=place, query={"mode": "rw", "uri": "true"}),
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,  # an error's text must not carry addresses into the log
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )


def _postgresql_engine(
    url: str, *, pool_size: int, isolation_level: IsolationLevel = "READ COMMITTED"
) -> Engine:
    told = make_url(url).query  # what the operator has set is his
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        isolation_level=isolation_level,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={name: value for name, value in _NETWORK.items() if name not in told},
    )
    event.listen(engine, "connect", _postgresql_limits)
    return engine


def _postgresql_limits(connection: Any, _record: Any) -> None:
    # by SET and not by ``options``: pgbouncer refuses that one
    with closing(connection.cursor()) as cursor:
        cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{STOPPED_SECONDS}s'")
    connection.commit()


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


class _SameFile:
    """Lets nothing count as durable in a file that has lost its name: nobody will find it again.

    SQLite notices nothing: it writes on into what was deleted, moved or replaced.
    """

    def __init__(self, path: Path) -> None:
        self._names = (path, path.with_name(f"{path.name}-wal"))
        self._opened: list[tuple[int, int]] = []

    def begin(self, _connection: Tx) -> None:
        """Remember what was opened first: from now on there is a WAL as well."""
        self._opened = self._opened or self._found()

    def commit(self, _connection: Tx) -> None:
        """Raise DatabaseBusyError when it is not there any more."""
        if self._found() != self._opened:
            raise DatabaseBusyError(
                "the database file was deleted, moved or replaced while it was in use;"
                " put it back, or stop the program and start it again"
            )

    def _found(self) -> list[tuple[int, int]]:
        """Tell which files bear our names, by device and number."""
        try:
            seen = [name.stat() for name in self._names]
        except OSError:
            return []
        return [(one.st_dev, one.st_ino) for one in seen]


def _begin(connection: Tx) -> None:
    connection.exec_driver_sql("BEGIN")
