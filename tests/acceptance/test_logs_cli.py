"""``relay-console logs`` and ``show``: lists, exports, following, one mail by any name."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from backend.errors import NotFoundError
from backend.model.outbound import EmailStatus
from backend.model.query_words import QueryError
from backend.store import emails
from relay_console.cli.exits import Exit
from relay_console.cli.main import cli
from relay_console.cli.opening import Common
from tests.acceptance.cli import PROGRAM
from tests.acceptance.processes import clean_environ
from tests.log_world import Mail, email_of, mails, write

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from backend.store.engine import Database
    from backend.store.types import Tx

WORLD = mails(60)
NEWEST = [mail.id for mail in sorted(WORLD, key=lambda m: (m.at, m.id), reverse=True)]
HOSTILE = "=cmd|' /C calc'!A0, \x1b]52;c;x\x07 \"quoted\"\r\nsecond"


@pytest.fixture
async def database(db: Database) -> str:
    """A database with mail in it, the newest hostile."""
    await db.write(write, WORLD)
    return db.url.removeprefix("sqlite:///")


async def run(database: str, *words: str) -> Result:
    line = [*words, "--database", database]
    return await asyncio.to_thread(CliRunner().invoke, cli, line, obj=Common())


async def test_an_export_is_exactly_the_filter_in_every_form(database: str, tmp_path: Path) -> None:
    bounced = [i for i in NEWEST if next(m for m in WORLD if m.id == i).status == "bounced"]
    words = ["logs", "status:bounced"]
    jsonl = await run(database, *words, "--jsonl")
    table = await run(database, *words)
    as_csv = await run(database, *words, "--csv")
    file = tmp_path / "out.csv"
    written = await run(database, "logs", "--csv", "--output", str(file))
    minus = await run(database, "logs", "-status:bounced", "--jsonl", "--limit", "500")

    assert [json.loads(one)["id"] for one in jsonl.stdout.splitlines()] == bounced
    assert [one["id"] for one in csv.DictReader(io.StringIO(as_csv.stdout))] == bounced
    assert [i for i in NEWEST if i in table.stdout] == bounced
    assert (written.exit_code, written.stdout) == (0, "")
    whole = csv.DictReader(io.StringIO(file.read_bytes().decode(), newline=""))
    assert [one["id"] for one in whole] == NEWEST
    assert file.stat().st_mode & 0o777 == 0o600
    assert not file.with_name("out.csv.partial").exists()
    rest = {json.loads(one)["id"] for one in minus.stdout.splitlines()}
    assert rest == set(NEWEST) - set(bounced)


async def test_a_limit_and_a_long_list_end_where_they_should(database: str) -> None:
    few = await run(database, "logs", "--json", "--limit", "3")
    usual = await run(database, "logs", "--json")
    every = await run(database, "logs", "--limit", "5000")

    assert [json.loads(one)["id"] for one in few.stdout.splitlines()] == NEWEST[:3]
    assert len(usual.stdout.splitlines()) == 50
    assert len(every.stdout.splitlines()) == len(WORLD)


async def test_no_cell_of_an_export_is_a_formula_or_obeyed(
    database: str, db: Database, tmp_path: Path
) -> None:
    hostile = replace(WORLD[0], id="msg_z", way="out", status="sent", subject=HOSTILE, tags=())
    await db.write(emails.insert, email_of(hostile), b"")

    file = tmp_path / "out.csv"
    await run(database, "logs", "id:msg_z", "--csv", "--output", str(file))
    table = await run(database, "logs", "id:msg_z")

    (row,) = csv.DictReader(io.StringIO(file.read_bytes().decode(), newline=""))
    assert row["subject"] == "'" + HOSTILE.replace("\x1b", "␛").replace("\x07", "␇")
    assert "\x1b" not in table.stdout


async def test_a_wrong_word_is_pointed_at(database: str) -> None:
    result = await run(database, "logs", "printer", "staus:sent")

    assert isinstance(result.exception, QueryError)
    assert "printer staus:sent\n        ^^^^^^" in result.stderr


async def test_show_finds_a_mail_by_any_name_and_tells_its_life(database: str) -> None:
    sent = next(mail for mail in WORLD if mail.way == "out")
    by_id = await run(database, "show", sent.id)
    by_ses = await run(database, "show", f"<ses-{sent.id}@eu-west-1.amazonses.com>", "--json")
    missing = await run(database, "show", "nobody@nowhere.example")

    assert by_id.stdout.startswith(f"{sent.id}  {sent.status}: ")
    assert "accepted" in by_id.stdout
    assert "On disk" in by_id.stdout
    assert json.loads(by_ses.stdout)["email"]["id"] == sent.id
    assert isinstance(missing.exception, NotFoundError)


async def test_following_tells_of_every_new_and_changed_mail_once_until_ctrl_c(
    database: str, db: Database, tmp_path: Path
) -> None:
    environ = clean_environ(tmp_path) | {"PYTHONPATH": os.pathsep.join(sys.path)}
    line = [*PROGRAM, "logs", "--follow", "--jsonl", "--limit", "2", "--database", database]
    process = await asyncio.create_subprocess_exec(
        *line, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    lines: list[dict[str, str]] = []

    async def read(count: int) -> None:
        assert process.stdout is not None
        async with asyncio.timeout(15):
            while len(lines) < count:
                lines.append(json.loads(await process.stdout.readline()))

    await read(2)
    new = [_fresh(n) for n in range(40)]
    for mail in new:
        await db.write(emails.insert, email_of(mail), b"")
    await read(42)
    await db.write(_bounce, new[7].id)
    await read(43)
    process.send_signal(signal.SIGINT)
    _, errors = await process.communicate()

    assert [one["id"] for one in lines[:2]] == NEWEST[:2][::-1]
    assert [one["id"] for one in lines[2:42]] == [mail.id for mail in new]
    assert (lines[42]["id"], lines[42]["status"]) == (new[7].id, "bounced")
    assert (process.returncode, errors) == (Exit.OK, b"")


def _fresh(number: int) -> Mail:
    return replace(WORLD[-1], id=f"msg_f{number:02d}", way="out", status="sent", tags=())


def _bounce(tx: Tx, mail_id: str) -> None:
    emails.set_status(tx, mail_id, EmailStatus.BOUNCED)
