"""The engine: group commit, isolation of the units of work, errors, privacy, checkpoints."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from backend.errors import ConfigError, DatabaseBusyError, InvalidInputError
from backend.store import connections
from backend.store.engine import Database, open_database
from backend.store.schema import tenants as t
from backend.store.writer import _Job
from tests.settable import START
from tests.waiting import until_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from backend.store.types import Tx


def add(tx: Tx, number: int) -> int:
    """Insert a tenant of this number."""
    tx.execute(insert(t).values(id=f"ten_{number}", name=f"Tenant {number}", created_at=START))
    return number


def names(tx: Tx) -> list[str]:
    """Give the names of all tenants."""
    return list(tx.execute(select(t.c.name).order_by(t.c.name)).scalars())


def count_commits(db: Database) -> Callable[[], int]:
    """Count the transactions the writer commits from now on."""
    seen: list[Any] = []
    event.listen(db._writer_engine, "commit", seen.append)
    return lambda: len(seen)


@asynccontextmanager
async def writer_held(db: Database) -> AsyncIterator[None]:
    """Keep the writer thread busy, so that what is handed in meanwhile forms one group."""
    begun, release = threading.Event(), threading.Event()

    def hold(_: Tx) -> None:
        begun.set()
        release.wait(10)

    holding = asyncio.ensure_future(db.write(hold))
    await asyncio.to_thread(begun.wait, 10)
    yield
    release.set()
    await holding


async def in_one_group(db: Database, *waiting: Any) -> list[Any]:
    """Hand all in while the writer is busy, and gather what becomes of them."""
    async with writer_held(db):
        tasks = [asyncio.ensure_future(one) for one in waiting]
        await asyncio.sleep(0)
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_write_that_returned_is_there(any_db: Database) -> None:
    assert await any_db.write(add, 1) == 1

    assert await any_db.read(names) == ["Tenant 1"]


async def test_64_writers_share_a_few_commits(any_db: Database) -> None:
    commits = count_commits(any_db)

    done = await in_one_group(any_db, *(any_db.write(add, n) for n in range(64)))

    assert done == list(range(64))
    assert commits() == 3  # the one that held the door, 50, 14
    assert len(await any_db.read(names)) == 64


async def test_one_that_raises_undoes_only_itself(any_db: Database) -> None:
    def add_and_fail(tx: Tx) -> None:
        add(tx, 2)
        raise InvalidInputError("no", field="to")

    done = await in_one_group(
        any_db, any_db.write(add, 1), any_db.write(add_and_fail), any_db.write(add, 3)
    )

    assert [type(one) for one in done] == [int, InvalidInputError, int]
    assert await any_db.read(names) == ["Tenant 1", "Tenant 3"]


async def test_an_integrity_error_belongs_to_its_caller(any_db: Database) -> None:
    await any_db.write(add, 1)

    done = await in_one_group(
        any_db, any_db.write(add, 2), any_db.write(add, 1), any_db.write(add, 3)
    )

    assert [type(one) for one in done] == [int, IntegrityError, int]
    assert await any_db.read(names) == ["Tenant 1", "Tenant 2", "Tenant 3"]


async def test_wrong_sql_belongs_to_its_caller(any_db: Database) -> None:
    done = await in_one_group(
        any_db,
        any_db.write(add, 1),
        any_db.write(lambda tx: tx.execute(text("SELECT nothing FROM nowhere")).all()),
        any_db.write(add, 2),
    )

    assert isinstance(done[1], DBAPIError)
    assert await any_db.read(names) == ["Tenant 1", "Tenant 2"]


@pytest.mark.parametrize("error", [GeneratorExit, StopIteration, asyncio.CancelledError])
async def test_the_writer_survives_whatever_a_unit_raises(
    db: Database, error: type[BaseException]
) -> None:
    def fail(_: Tx) -> None:
        raise error

    await in_one_group(db, db.write(add, 1), db.write(fail), db.write(add, 2))

    assert await db.read(names) == ["Tenant 1", "Tenant 2"]


async def test_a_caller_who_gave_up_before_the_work_began_is_left_out(any_db: Database) -> None:
    async with writer_held(any_db):
        given_up = asyncio.ensure_future(any_db.write(add, 1))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.sleep(0)
    await any_db.write(add, 2)

    assert await any_db.read(names) == ["Tenant 2"]


async def test_a_caller_who_gives_up_during_the_work_harms_nobody(any_db: Database) -> None:
    begun = threading.Event()
    release = threading.Event()

    def slow(tx: Tx) -> None:
        begun.set()
        release.wait(10)
        add(tx, 1)

    given_up = asyncio.ensure_future(any_db.write(slow))
    await asyncio.to_thread(begun.wait, 10)
    given_up.cancel()
    await asyncio.sleep(0)
    release.set()
    await any_db.write(add, 2)

    assert await any_db.read(names) == ["Tenant 1", "Tenant 2"]


async def test_a_loop_that_ended_early_harms_nobody(db: Database) -> None:
    async def ask_and_leave() -> None:
        asking = asyncio.ensure_future(db.write(add, 1))
        await asyncio.sleep(0)
        asking.cancel()

    async with writer_held(db):
        await asyncio.to_thread(asyncio.run, ask_and_leave())
    await db.write(add, 2)

    assert await db.read(names) == ["Tenant 2"]


def test_a_loop_that_ends_before_its_work_begins_leaves_it_to_the_next(any_url: str) -> None:
    db = open_database(any_url)
    hand_in_and_end(db, 1)
    asyncio.run(db.write(add, 2))
    hand_in_and_end(db, 3)
    db.close()

    again = open_database(any_url)
    found = asyncio.run(again.read(names))
    again.close()
    assert found == ["Tenant 1", "Tenant 2", "Tenant 3"]


def hand_in_and_end(db: Database, number: int) -> None:
    """Hand work in on a loop that has no turn more to look whether it is all."""

    def hand_in() -> None:
        # the job of a caller who is gone: what Writer.submit does, without the waiting
        db._writer._hand_in(_Job(lambda tx: add(tx, number), loop, loop.create_future()))
        loop.stop()

    loop = asyncio.new_event_loop()
    loop.call_soon(hand_in)
    loop.run_forever()
    loop.close()


def test_loops_that_come_and_go_in_many_threads_all_get_their_answers(any_db: Database) -> None:
    async def some(start: int) -> list[int]:
        given_up = [asyncio.ensure_future(any_db.write(names)) for _ in range(5)]
        done = await asyncio.gather(*(any_db.write(add, start + n) for n in range(5)))
        for one in given_up:
            one.cancel()
        alone = await any_db._writer.submit_alone(lambda: start + 5)
        return [*done, alone, *[await any_db.write(add, start + n) for n in (6, 7)]]

    def loops(thread: int) -> list[list[int]]:
        return [asyncio.run(some(thread * 1000 + 10 * round_)) for round_ in range(6)]

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(loops, range(4)))

    for thread, rounds in enumerate(found):
        for number, answers in enumerate(rounds):
            assert answers == [thread * 1000 + 10 * number + n for n in range(8)]
    assert len(asyncio.run(any_db.read(names))) == 4 * 6 * 7


async def test_a_reader_cannot_write(any_db: Database) -> None:
    with pytest.raises(DBAPIError, match=r"readonly|read-only"):
        await any_db.read(add, 1)

    assert await any_db.write(names) == []


async def test_an_error_does_not_quote_the_values(any_db: Database) -> None:
    await any_db.write(add, 1)

    with pytest.raises(IntegrityError) as caught:
        await any_db.write(add, 1)

    assert "1772442000000" not in str(caught.value)


async def test_all_queries_of_one_read_see_one_moment(any_db: Database) -> None:
    first_done = threading.Event()
    written = threading.Event()

    def twice(tx: Tx) -> tuple[list[str], list[str]]:
        first = names(tx)
        first_done.set()
        written.wait(10)
        return first, names(tx)

    reading = asyncio.ensure_future(any_db.read(twice))
    await asyncio.to_thread(first_done.wait, 10)
    await any_db.write(add, 1)
    written.set()

    assert await reading == ([], [])


async def test_the_version_changes_with_each_commit_and_only_then(any_db: Database) -> None:
    before = await any_db.version()
    same = await any_db.version()
    await any_db.write(add, 1)
    after = await any_db.version()

    assert (same == before, after == before) == (True, False)


async def test_the_version_changes_when_another_process_commits(any_db: Database) -> None:
    before = await any_db.version()
    other = Database(any_db.url)
    await other.write(add, 1)
    other.close()

    assert await any_db.version() != before


async def test_a_full_disk_fails_the_whole_group_and_passes(db: Database) -> None:
    def limit(pages: int) -> None:
        with db._writer_engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            assert raw is not None
            raw.cursor().execute(f"PRAGMA max_page_count={pages}")

    def fill(tx: Tx) -> None:
        tx.execute(insert(t).values(id="ten_big", name="x" * 1_000_000, created_at=START))

    await db._writer.submit_alone(lambda: limit(1))  # SQLite takes it as: not one page more
    done = await in_one_group(db, db.write(add, 1), db.write(fill), db.write(add, 2))
    assert [type(one) for one in done] == [DatabaseBusyError] * 3
    assert "full" in str(done[0])
    assert await db.read(names) == []

    await db._writer.submit_alone(lambda: limit(1_000_000))
    await db.write(fill)
    assert len(await db.read(names)) == 1


@pytest.mark.parametrize("suffix", ["", "-wal"])
async def test_nothing_is_promised_in_a_file_that_was_taken_away(
    db: Database, tmp_path: Path, suffix: str
) -> None:
    await db.write(add, 1)
    name, away = tmp_path / f"relay.db{suffix}", tmp_path / "away"
    name.rename(away)
    with pytest.raises(DatabaseBusyError, match="deleted, moved or replaced"):
        await db.write(add, 2)
    shutil.copyfile(away, name)  # another one of the same name
    with pytest.raises(DatabaseBusyError, match="start it again"):
        await db.write(add, 3)

    away.replace(name)
    await db.write(add, 4)
    assert await db.read(names) == ["Tenant 1", "Tenant 4"]


async def test_a_locked_database_fails_cleanly_and_passes(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait_at_most(millis: int) -> None:
        with db._writer_engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            assert raw is not None
            raw.cursor().execute(f"PRAGMA busy_timeout={millis}")

    await db._writer.submit_alone(lambda: wait_at_most(50))
    path = db.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusyError, match="locked"):
            await db.write(add, 1)
        other.execute("ROLLBACK")

    assert await db.write(add, 2) == 2


async def test_a_server_that_drops_us_fails_the_group_and_passes(
    postgresql_url: str, postgresql_server: str
) -> None:
    db = open_database(postgresql_url)

    def cut(tx: Tx) -> None:
        add(tx, 1)
        tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(DatabaseBusyError):
        await db.write(cut)
    await db.write(add, 2)

    assert await db.read(names) == ["Tenant 2"]
    db.close()


async def test_after_the_server_dropped_every_connection_all_of_ours_come_back(
    postgresql_url: str,
) -> None:
    address = postgresql_url.replace("+psycopg", "")
    with closing(psycopg.connect(address, autocommit=True)) as operator:
        theirs = [pid for (pid,) in operator.execute("SELECT pid FROM pg_stat_activity")]
        db = open_database(postgresql_url)
        before = await db.version()
        await db.read(names)
        operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND NOT pid = ANY(%s)",
            [theirs],
        )
    told = await asyncio.gather(
        db.write(add, 1), db.read(names), db.version(), return_exceptions=True
    )

    assert {type(one) for one in told if isinstance(one, Exception)} <= {DatabaseBusyError}
    await db.write(add, 2)
    assert await db.version() > before
    assert "Tenant 2" in await db.read(names)
    db.close()


async def test_nobody_waits_for_ever_for_a_process_that_was_stopped(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(connections, "STOPPED_SECONDS", 0.5)
    stopped, other = open_database(postgresql_url), open_database(postgresql_url)
    await other.write(add, 1)
    begun, go_on = threading.Event(), threading.Event()

    def rename(tx: Tx, name: str) -> None:
        tx.execute(t.update().where(t.c.id == "ten_1").values(name=name))

    def rename_and_stop(tx: Tx) -> None:
        rename(tx, "late")
        begun.set()
        go_on.wait(20)
        rename(tx, "later")

    late = asyncio.ensure_future(stopped.write(rename_and_stop))
    await asyncio.to_thread(begun.wait, 20)
    with pytest.raises(DatabaseBusyError, match="lock timeout"):
        await other.write(rename, "soon")

    async def renamed() -> bool:  # once the server has ended the session of the other
        try:
            await other.write(rename, "soon")
        except DatabaseBusyError:
            return False
        return True

    await until_async(renamed)
    go_on.set()
    with pytest.raises(DatabaseBusyError):
        await late
    assert await stopped.read(names) == ["soon"]
    stopped.close()
    other.close()


async def test_a_server_that_vanished_is_noticed(postgresql_url: str) -> None:
    db = open_database(f"{postgresql_url}{'&' if '?' in postgresql_url else '?'}connect_timeout=7")

    def told(tx: Tx) -> dict[str, str]:
        raw: Any = tx.connection.dbapi_connection
        return dict(raw.info.get_parameters())

    asked = await db.write(told)
    db.close()

    assert (asked["keepalives_idle"], asked["tcp_user_timeout"]) == ("10", "25000")
    assert asked["connect_timeout"] == "7"  # the operator knows better


async def test_processes_that_deadlock_both_succeed(postgresql_url: str) -> None:
    first, second = open_database(postgresql_url), open_database(postgresql_url)
    await first.write(add, 1)
    await first.write(add, 2)
    both = threading.Barrier(2)

    def rename(tx: Tx, ids: tuple[str, str], to: str, meet: list[int]) -> None:
        tx.execute(t.update().where(t.c.id == ids[0]).values(name=f"{to} {ids[0]}"))
        if not meet:  # only the first time: the loser runs again
            meet.append(1)
            both.wait(10)
        tx.execute(t.update().where(t.c.id == ids[1]).values(name=f"{to} {ids[1]}"))

    await asyncio.gather(
        first.write(rename, ("ten_1", "ten_2"), "first", []),
        second.write(rename, ("ten_2", "ten_1"), "second", []),
    )

    found = await first.read(names)
    first.close()
    second.close()
    assert len({name.split()[0] for name in found}) == 1


async def test_a_closed_database_says_so(any_url: str) -> None:
    db = open_database(any_url)
    db.close()
    db.close()

    with pytest.raises(DatabaseBusyError, match="closed"):
        await db.write(add, 1)
    with pytest.raises(DatabaseBusyError, match="closed"):
        await db.read(names)


async def test_closing_first_finishes_what_was_handed_in(any_url: str) -> None:
    db = open_database(any_url)
    writing = [asyncio.ensure_future(db.write(add, n)) for n in range(10)]
    await asyncio.sleep(0)
    db.close()

    assert await asyncio.gather(*writing) == list(range(10))


async def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    db = open_database(f"sqlite:///{folder}/relay.db")
    await db.write(add, 1)
    modes = {file.name: file.stat().st_mode & 0o777 for file in [folder, *folder.iterdir()]}
    db.close()

    assert modes == {"new": 0o700, "relay.db": 0o600, "relay.db-wal": 0o600, "relay.db-shm": 0o600}


def test_a_file_others_could_read_is_made_private(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "relay.db").chmod(0o644)

    open_database(sqlite_url).close()

    assert (tmp_path / "relay.db").stat().st_mode & 0o777 == 0o600


def test_a_place_that_cannot_hold_a_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match=r"file/relay.db: .*; name a file"):
        open_database(f"sqlite:///{tmp_path}/file/relay.db")


async def test_opening_a_database_twice_in_a_process_keeps_its_locks(db: Database) -> None:
    # closing a plain descriptor of the file would drop the lock that holds others out
    def open_again(tx: Tx) -> None:
        add(tx, 1)
        open_database(db.url).close()
        connect = f"sqlite3.connect({db.url.removeprefix('sqlite:///')!r}, timeout=0)"
        code = f"import sqlite3; {connect}.execute('BEGIN IMMEDIATE')"
        other = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert "database is locked" in other.stderr

    await db.write(open_again)

    assert await db.read(names) == ["Tenant 1"]


async def test_writing_never_checkpoints_by_itself(db: Database, tmp_path: Path) -> None:
    for n in range(3):
        await db.write(
            lambda tx, n=n: [add(tx, n * 1000 + i) for i in range(1000)]  # type: ignore[misc]
        )
    wal = tmp_path / "relay.db-wal"

    assert wal.stat().st_size > 300_000


async def test_a_checkpoint_folds_the_wal_into_the_file(db: Database, tmp_path: Path) -> None:
    await db.write(add, 1)

    left = await db.checkpoint()

    assert left == 0
    copy = tmp_path / "copy.db"
    shutil.copyfile(tmp_path / "relay.db", copy)  # without the WAL
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT name FROM tenants").fetchall() == [("Tenant 1",)]


async def test_the_wal_starts_anew_after_a_checkpoint(db: Database, tmp_path: Path) -> None:
    sizes = []
    for n in range(5):
        await db.write(add, n)
        await db.checkpoint()
        sizes.append((tmp_path / "relay.db-wal").stat().st_size)

    assert sizes[-1] == sizes[1]


async def test_a_checkpoint_does_not_wait_for_a_reader(db: Database) -> None:
    reading = threading.Event()
    release = threading.Event()

    def read_slowly(tx: Tx) -> list[str]:
        found = names(tx)
        reading.set()
        release.wait(10)
        return found

    slow = asyncio.ensure_future(db.read(read_slowly))
    await asyncio.to_thread(reading.wait, 10)
    await db.write(add, 1)
    left = await db.checkpoint()
    release.set()
    await slow

    assert left > 0
    assert await db.checkpoint() == 0


async def test_a_checkpoint_on_postgresql_is_nothing(postgresql_url: str) -> None:
    db = open_database(postgresql_url)

    assert await db.checkpoint() == 0

    db.close()


async def test_writes_during_a_checkpoint_wait_their_turn(db: Database) -> None:
    done = await in_one_group(
        db, db.write(add, 1), db.checkpoint(), db.write(add, 2), db.checkpoint()
    )

    assert done == [1, 0, 2, 0]


def test_moments_without_a_time_zone_are_refused() -> None:
    from backend.store.types import to_millis

    with pytest.raises(ValueError, match="no time zone"):
        to_millis(START.replace(tzinfo=None) + timedelta(hours=1))
