"""Migrations: they make the schema the code declares, once, safely, and undo nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from backend.errors import ConfigError, SchemaTooNewError
from backend.store import migrate
from backend.store.engine import open_database
from backend.store.schema import metadata

if TYPE_CHECKING:
    from pathlib import Path

    from backend.store.engine import Database

OPEN_ALL_AT_ONCE = """
import sys
from backend.store.engine import open_database
print("ready", flush=True)
sys.stdin.readline()
open_database(sys.argv[1]).close()
"""
SECOND = '''
"""Adds a table, then stops as a power cut would."""
import os, signal
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "{next}", "{head}", None, None
def upgrade():
    op.create_table("extra", sa.Column("id", sa.String(), primary_key=True))
    with op.batch_alter_table("tenants") as tenants:
        tenants.add_column(sa.Column("note", sa.String(), nullable=True))
    if os.environ.get("DIE_IN_MIGRATION"):
        os.kill(os.getpid(), signal.SIGKILL)
'''


@pytest.fixture
def postgresql_url(own_postgresql_url: str) -> str:
    """A database that no other test uses: these change its schema."""
    return own_postgresql_url


def execute(url: str, *statements: str) -> None:
    """Run statements on a database from outside."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def _after(revision: str) -> str:
    return f"{int(revision) + 1:04d}"


@pytest.fixture
def with_second_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the migrations that has one more; the program uses it."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for file in (migrate.FOLDER / "versions").glob("0*.py"):
        (folder / "versions" / file.name).write_bytes(file.read_bytes())
    head = migrate.head()
    text = SECOND.replace("{head}", head).replace("{next}", _after(head))
    (folder / "versions" / f"{_after(head)}_extra.py").write_text(text)
    monkeypatch.setattr(migrate, "FOLDER", folder)
    return folder


def test_the_migrations_make_the_schema_that_is_declared(any_url: str) -> None:
    engine = create_engine(any_url, poolclass=NullPool)
    options = {
        "compare_type": True,
        "compare_server_default": True,
        # on SQLite a virtual table with tables of its own, which Alembic cannot compare
        "include_name": lambda name, kind, _: kind != "table" or not name.startswith("log_search"),
    }
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)

        assert compare_metadata(context, metadata) == []

    engine.dispose()


def test_the_revisions_are_a_straight_line_named_by_their_files() -> None:
    scripts = ScriptDirectory(migrate.FOLDER)

    assert [step.revision for step in scripts.walk_revisions()] == migrate.revisions()[::-1]
    assert scripts.get_heads() == [migrate.head()]


def test_a_database_at_the_head_opens_without_importing_alembic(sqlite_url: str) -> None:
    code = (
        "import sys; from backend.store.engine import open_database;"
        f"open_database({sqlite_url!r}).close(); print('alembic' in sys.modules)"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert (ran.stdout, ran.stderr) == ("False\n", "")


def test_a_first_opening_writes_nothing_to_stderr(tmp_path: Path) -> None:
    code = (
        "from backend.store.engine import open_database;"
        f"open_database('sqlite:///{tmp_path}/new.db').close()"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout + ran.stderr == ""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_processes_that_open_a_fresh_database_together_all_succeed(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    if kind == "postgresql":
        url = str(request.getfixturevalue("postgresql_url"))
        execute(url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    opening = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_ALL_AT_ONCE, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in opening:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    ended = [process.communicate("go\n") for process in opening]

    assert [process.returncode for process in opening] == [0, 0, 0, 0], ended


def test_a_database_of_a_newer_program_is_refused(any_url: str) -> None:
    execute(any_url, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SchemaTooNewError, match="revision 9999, this program knows up to"):
        open_database(any_url)


def test_something_that_is_no_database_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "relay.db"
    path.write_text("Dear diary, " * 100)

    with pytest.raises(ConfigError, match="file is not a database; name another"):
        open_database(f"sqlite:///{path}")


@pytest.mark.usefixtures("with_second_revision")
async def test_an_upgrade_keeps_the_rows(any_url: str) -> None:
    execute(any_url, "INSERT INTO tenants (id, name, created_at) VALUES ('ten_1', 'Acme', 0)")

    database = open_database(any_url)
    rows = await database.read(
        lambda tx: tx.execute(text("SELECT id, name, note FROM tenants")).all()
    )
    database.close()

    assert [tuple(row) for row in rows] == [("ten_1", "Acme", None)]


@pytest.mark.usefixtures("with_second_revision")
def test_an_upgrade_first_writes_a_private_backup(sqlite_url: str, tmp_path: Path) -> None:
    execute(sqlite_url, "INSERT INTO tenants (id, name, created_at) VALUES ('ten_1', 'Acme', 0)")
    before = migrate.revisions()[-2]

    open_database(sqlite_url).close()

    backup = tmp_path / f"relay.db.before-{migrate.head()}"
    assert backup.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT id, name FROM tenants").fetchall() == [("ten_1", "Acme")]
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [(before,)]


def test_a_fresh_database_needs_no_backup(tmp_path: Path) -> None:
    open_database(f"sqlite:///{tmp_path}/new.db").close()

    assert [file.name for file in tmp_path.iterdir()] == ["new.db"]


def test_a_migration_killed_half_way_leaves_nothing_behind(
    with_second_revision: Path, sqlite_url: str, tmp_path: Path
) -> None:
    code = (
        "from pathlib import Path; from backend.store import migrate;"
        f"migrate.FOLDER = Path({str(with_second_revision)!r}); migrate.upgrade({sqlite_url!r})"
    )
    environment = {**os.environ, "DIE_IN_MIGRATION": "1"}

    killed = subprocess.run([sys.executable, "-c", code], env=environment, check=False)

    assert killed.returncode == -signal.SIGKILL
    with closing(sqlite3.connect(tmp_path / "relay.db")) as connection:
        tables = "SELECT name FROM sqlite_master WHERE name IN ('extra', '_alembic_tmp_tenants')"
        assert connection.execute(tables).fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    migrate.upgrade(sqlite_url)
    with closing(sqlite3.connect(tmp_path / "relay.db")) as connection:
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [(migrate.head(),)]


@pytest.mark.parametrize("act", ["UPDATE audit SET actor = 'me'", "DELETE FROM audit"])
async def test_the_audit_log_can_only_grow(any_db: Database, act: str) -> None:
    row = "VALUES ('aud_1', 0, 'anna', 'release', '', 'inb_1', '{}')"
    await any_db.write(lambda tx: tx.execute(text(f"INSERT INTO audit {row}")).close())

    with pytest.raises(Exception, match="the audit log can only grow"):
        await any_db.write(lambda tx: tx.execute(text(act)).close())
