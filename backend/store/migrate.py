"""Bring a database to the newest schema, once, however many processes open it at the same time.

The revisions are ``migrations/versions/NNNN_*.py``, a straight line named by its numbers. When the
database is at the head already, Alembic is not even imported: start-up is a feature.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from backend.errors import ConfigError, DatabaseBusyError, SchemaTooNewError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from backend.store.types import Tx

FOLDER = Path(__file__).parent / "migrations"
WAIT_SECONDS = 60  # how long to wait for another process that holds the database
ADVISORY_LOCK = 7_203_552_001  # PostgreSQL: any number no other program uses


def upgrade(url: str) -> None:
    """Migrate the database behind ``url`` to the head.

    Raises SchemaTooNewError when a newer version of this program wrote it, and DatabaseBusyError
    when it cannot be reached, ConfigError when it is no database at all. An older SQLite file is
    first copied to ``<file>.before-<head>``.
    """
    try:
        if url.startswith("sqlite"):
            _upgrade_sqlite(Path(url.removeprefix("sqlite:///")))
        else:
            _upgrade_postgresql(url)
    except (OperationalError, sqlite3.OperationalError) as error:
        reason = error.orig if isinstance(error, OperationalError) else error
        raise DatabaseBusyError(f"the database cannot be opened: {reason}") from error
    except sqlite3.DatabaseError as error:
        path = url.removeprefix("sqlite:///")
        raise ConfigError(
            f"{path}: {error}; name another file as database, or put a backup in its place"
        ) from error


def revisions() -> list[str]:
    """Give every revision this program knows, oldest first."""
    return sorted(file.name[:4] for file in (FOLDER / "versions").glob("[0-9]*.py"))


def head() -> str:
    """Give the newest revision this program knows."""
    return revisions()[-1]


def _upgrade_sqlite(path: Path) -> None:
    if _checked(_sqlite_revision(path)) == head():
        return
    with _locked_folder(path.parent):
        revision = _sqlite_revision(path)
        if revision == head():
            return
        if revision is not None:
            back_up(path, path.with_name(f"{path.name}.before-{head()}"))
        with _sqlite_transaction(path) as tx:
            run_migrations(tx)


def _upgrade_postgresql(url: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.begin() as tx:
            if _checked(_postgresql_revision(tx)) == head():
                return
        with engine.begin() as tx:
            tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
            if _postgresql_revision(tx) != head():
                run_migrations(tx)
    finally:
        engine.dispose()


def run_migrations(tx: Tx, target: str = "head") -> None:
    """Run what is missing up to ``target`` inside the open transaction ``tx``."""
    # Alembic takes 200 ms to import and is needed once per release
    from alembic.config import Config  # noqa: PLC0415
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    scripts = ScriptDirectory(FOLDER)

    def steps(revision: Any, _context: Any) -> Any:
        return scripts._upgrade_revs(target, revision)  # noqa: SLF001  # as alembic.command does

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(connection=tx, render_as_batch=True, transactional_ddl=True)
        environment.run_migrations()


def back_up(source: Path, target: Path) -> None:
    """Copy a live SQLite database to a new private file, complete or not at all."""
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with closing(_open(source)) as connection:
        connection.execute("VACUUM INTO ?", (str(partial),))
    partial.replace(target)


def _checked(revision: str | None) -> str | None:
    if revision is not None and revision not in revisions():
        raise SchemaTooNewError(
            f"the database is at revision {revision}, this program knows up to {head()};"
            " install the newer version of the program"
        )
    return revision


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)


def _sqlite_revision(path: Path) -> str | None:
    """Read the revision of a file; None when it has no schema yet."""
    with closing(_open(path)) as connection:
        found = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.execute(found).fetchone() is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])


def _postgresql_revision(tx: Tx) -> str | None:
    """Read the revision of a PostgreSQL schema; None when it is empty."""
    if tx.execute(text("SELECT to_regclass('alembic_version')")).scalar_one() is None:
        return None
    return tx.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


@contextmanager
def _locked_folder(folder: Path) -> Iterator[None]:
    """Hold a lock that ends with the process.

    It is on the folder because closing a second descriptor of the database file would drop the
    POSIX locks that SQLite holds on it (sqlite.org/howtocorrupt.html section 2.2).
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _sqlite_transaction(path: Path) -> Iterator[Connection]:
    """Open BEGIN IMMEDIATE by hand: the driver would commit before every CREATE and ALTER."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=NullPool,
        connect_args={"timeout": WAIT_SECONDS, "isolation_level": None},
    )
    # WAL is set here, under the lock: two processes switching to it at once fail with "locked"
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA journal_mode=WAL"))
    event.listen(engine, "begin", lambda tx: tx.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as tx:
            yield tx
    finally:
        engine.dispose()
