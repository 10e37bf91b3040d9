"""``relay-console webhooks`` and ``usage`` in this process, against a receiver on this machine."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from backend import RelayError, SystemClock
from backend.model.tenant import Tenant
from backend.model.usage import UsageKind
from backend.store import tenants, usage
from relay_console.cli.exits import Exit, exit_for
from relay_console.cli.main import cli
from relay_console.cli.opening import Common
from tests.settable import START
from tests.webhook_world import receiving

if TYPE_CHECKING:
    from backend.store.engine import Database

NAME = "=Northwind"  # a formula to a spreadsheet


@dataclass(frozen=True)
class Shell:
    """Runs commands on the database of a test."""

    url: str

    async def run(self, *words: str) -> tuple[int, str]:
        """Run one to its end; give its exit code with its output, or with its sentence."""
        common = Common(database=self.url.removeprefix("sqlite:///"))
        done = await asyncio.to_thread(CliRunner().invoke, cli, words, obj=common)
        if isinstance(done.exception, RelayError):
            return exit_for(done.exception), str(done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        return done.exit_code, done.output

    async def out(self, *words: str) -> str:
        """Run one that must succeed."""
        code, output = await self.run(*words)
        assert code == 0, output
        return output

    async def json(self, *words: str) -> Any:
        """Run one that writes one JSON object."""
        return json.loads((await self.out(*words, "--json")).splitlines()[0])


@pytest.fixture
async def shell(db: Database, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("RELAY_WEBHOOKS_INSIDE", "true")
    await db.write(tenants.add, Tenant(id="ten_1", name=NAME, created_at=START))
    return Shell(sqlite_url)


async def test_an_endpoint_from_its_making_to_its_removal(shell: Shell) -> None:
    async with receiving() as receiver:
        made = await shell.json("webhooks", "add", receiver.url, "--event", "relay.email.*")
        hook = made["webhook"]["id"]
        assert made["secret"].startswith("whsec_")
        receiver.answer, receiver.body = "500 Oops", b"no \x1b]52;c;eA==\x07 way"
        code, tested = await shell.run("webhooks", "test", hook)
        assert code == Exit.FAILED
        assert "it answered 500" in tested
        assert "\x1b" not in tested

    assert (await shell.json("webhooks", "list"))["dead"] == 1
    assert "nothing posted yet" in await shell.out("webhooks", "list")
    delivery = await shell.json("webhooks", "deliveries", "--state", "dead")
    shown = await shell.json("webhooks", "deliveries", delivery["id"])
    assert shown["payload"]["type"] == "relay.webhook.test"
    assert shown["tries"][0]["status"] == 500
    assert "HTTP 500" in await shell.out("webhooks", "deliveries", delivery["id"])
    failed = await shell.json("webhooks", "replay", "--failed", "--webhook", hook)
    assert failed == {"queued": 1}
    assert await shell.json("webhooks", "replay", delivery["id"]) == {"queued": 1}
    since = ("--webhook", hook, "--since", "2026-03-01")
    assert await shell.json("webhooks", "replay", "--missed", *since) == {"queued": 0}
    off = await shell.json("webhooks", "update", hook, "--disable", "--all-events")
    assert (off["enabled"], off["events"]) == (False, [])
    assert "OFF: switched off by" in await shell.out("webhooks", "show", hook)
    assert made["secret"] not in await shell.out("webhooks", "rotate", hook)
    assert await shell.out("webhooks", "remove", hook) == f"{hook} removed\n"
    assert await shell.out("webhooks", "list", "--json") == ""


async def test_what_an_endpoint_answered_is_shown_line_by_line_and_a_payload_whole(
    shell: Shell,
) -> None:
    async with receiving() as receiver:
        made = await shell.json("webhooks", "add", receiver.url)
        receiver.body = b"first\nsecond \x9b2J\x1b[31m\n" + b"x" * 900
        tested = await shell.json("webhooks", "test", made["webhook"]["id"])
    shown = (await shell.out("webhooks", "deliveries", tested["id"])).splitlines()

    assert {"first", "x" * 900} <= set(shown)
    assert not any(char in line for line in shown for char in "\x1b\x9b")
    (payload,) = (line for line in shown if line.startswith("payload"))
    assert json.loads(payload.removeprefix("payload"))["type"] == "relay.webhook.test"


async def test_usage_that_books_does_not_take_ends_with_a_code(
    shell: Shell, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await db.write(usage.count, "ten_1", UsageKind.SENT, SystemClock().now() - timedelta(days=2))
    async with receiving() as receiver:
        monkeypatch.setenv("BOOKS_API_URL", receiver.url.partition("/hook")[0])
        receiver.answer = "503 Away"
        code, said = await shell.run("usage", "--post")
        assert (code, "Books answered 503" in said) == (Exit.FAILED, True)
        receiver.answer = "201 Created"
        assert (await shell.run("usage", "--post"))[0] == Exit.OK


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("webhooks", "add", "nonsense"), Exit.INVALID_INPUT),
        (("webhooks", "show", "whk_none"), Exit.NOT_FOUND),
        (("webhooks", "replay"), Exit.USAGE),
        (("webhooks", "replay", "--bus"), Exit.INVALID_INPUT),
        (("usage", "--post"), Exit.INVALID_INPUT),
        (("usage", "--month", "May"), Exit.INVALID_INPUT),
    ],
)
async def test_wrong_input_ends_with_its_code(
    shell: Shell, words: tuple[str, ...], code: Exit
) -> None:
    assert (await shell.run(*words))[0] == code


async def test_usage_of_a_month_as_lines_and_as_csv(shell: Shell, db: Database) -> None:
    await db.write(usage.count, "ten_1", UsageKind.SENT, START, 7)
    line = await shell.json("usage", "--month", "2026-03")
    table = await shell.out("usage", "--month", "2026-03", "--tenant", NAME, "--csv")
    (row,) = csv.DictReader(io.StringIO(table))

    assert line["day"] == START.date().isoformat()
    assert (line["sent"], line["revision"], line["posted"]) == (7, 0, False)
    assert (row["tenant"], row["sent"], row["webhooks"]) == (f"'{NAME}", "7", "0")
    assert date.fromisoformat(row["day"]) == START.date()
    assert "2026-03-02" in await shell.out("usage", "--month", "2026-03")
