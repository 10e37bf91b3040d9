"""Which database errors belong to one unit of work and which spoil the whole transaction. Pure."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from backend.errors import DatabaseBusyError

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

# sqlite.org/rescode.html, primary codes: the file, the disk or the lock is at fault, not the SQL
_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)
# postgresql.org/docs/current/errcodes-appendix.html, classes: connection, resources (disk full),
# operator intervention, system error, read-only after a failover
_POSTGRESQL = ("08", "53", "57", "58", "25006")
# serialization_failure, deadlock_detected, lock_not_available
_COLLISIONS = frozenset({"40001", "40P01", "55P03"})
_UNIQUE = "23505"
# two that ask for the same work at once: ON CONFLICT looks at one of its two keys only
_SAME_WORK = "uq_work_items_kind_ref"


def spoils_transaction(error: DBAPIError) -> bool:
    """Tell whether nothing more can be done in the transaction that met this error."""
    if error.connection_invalidated:
        return True
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        # an "unable to open" from connect() has no code
        code: int | None = getattr(cause, "sqlite_errorcode", None)
        return isinstance(error, OperationalError) if code is None else code & 0xFF in _SQLITE
    state = getattr(cause, "sqlstate", None)
    if state is None:
        return isinstance(error, OperationalError)  # the driver, not the server: no connection
    return str(state).startswith(_POSTGRESQL)


def is_write_of_reader(error: DBAPIError) -> bool:
    """Tell whether a read-only connection was asked to write: a mistake, not a fault."""
    if isinstance(error.orig, sqlite3.Error):
        return error.orig.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY
    return getattr(error.orig, "sqlstate", None) == "25006"


def is_collision(error: BaseException) -> bool:
    """Tell whether a PostgreSQL transaction met another one and running it again may help."""
    cause = getattr(error, "orig", None)
    state = getattr(cause, "sqlstate", None)
    if state == _UNIQUE:
        diag = getattr(cause, "diag", None)
        return getattr(diag, "constraint_name", None) == _SAME_WORK
    return state in _COLLISIONS


def translated(error: DBAPIError) -> DatabaseBusyError:
    """Give the error that callers of the store see; it names the cause without the SQL."""
    cause = str(error.orig).strip().split("\n", maxsplit=1)[0]
    busy = DatabaseBusyError(f"the database could not be used: {cause}")
    busy.__cause__ = error
    return busy
