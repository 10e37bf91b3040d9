"""``relay-console quarantine``: lists, acts, dry runs and exit codes over a real database."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest
from click.testing import CliRunner

from backend import SystemClock
from backend.store.blobs import FolderBlobs
from relay_console.cli.exits import Exit, exit_for
from relay_console.cli.main import cli
from relay_console.cli.opening import Common
from tests.integration.inbound_world import LoopbackTarget, World, mail
from tests.integration.quarantine_world import SPAM, SUPPORT, VIRUS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from typing import Any

    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock


@dataclass(frozen=True, slots=True)
class Desk:
    """The world, and the command line on its database."""

    world: World
    database: str

    async def run(self, *arguments: str, stdin: str = "") -> tuple[int, str]:
        """Run ``quarantine ...`` and give code and output."""
        line = ["quarantine", *arguments, "--database", self.database]
        return await asyncio.to_thread(_run, line, stdin)

    async def work(self) -> None:
        """Do what the command line has asked for; it writes by the clock on the wall."""
        self.world.clock.set(SystemClock().now())
        await self.world.work()

    async def json(self, *arguments: str, stdin: str = "") -> tuple[int, list[Any]]:
        code, out = await self.run(*arguments, "--json", stdin=stdin)
        return code, [json.loads(one) for one in out.splitlines()]


def _run(line: list[str], stdin: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, line, input=stdin, obj=Common())
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        from backend import RelayError

        assert isinstance(result.exception, RelayError), result.exc_info
        return int(exit_for(result.exception)), str(result.exception)
    return result.exit_code, result.output


@pytest.fixture
async def desk(
    db: Database,
    clock: SettableClock,
    ids: CountingIds,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Desk]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    from backend import data_home

    target = LoopbackTarget()
    await target.start()
    monkeypatch.setenv("RELAY_INBOUND_DOMAIN", "relay.example")
    for name in ("PSA", "CRM", "PORTAL"):
        monkeypatch.setenv(f"{name}_API_URL", target.url)
    async with httpx.AsyncClient() as client:
        world = World(db, clock, ids, FolderBlobs(data_home() / "mail"), target, client)
        await world.settle_tenants()
        yield Desk(world, str(tmp_path / "relay.db"))
    await target.stop()


async def test_mail_that_waits_is_listed_by_state_reason_tenant_and_text(desk: Desk) -> None:
    spam = await desk.world.receive(mail("Win a prize"), SUPPORT, verdicts=SPAM)
    lost = await desk.world.receive(mail("Lost"), "nobody@acme.example")
    await desk.world.receive(mail("Fine"), SUPPORT)

    async def listed(*words: str) -> list[str]:
        code, lines = await desk.json("list", *words)
        assert code == Exit.OK
        return [line["id"] for line in lines]

    assert await listed() == [lost.id, spam.id]
    assert await listed("state:quarantined") == [spam.id]
    assert await listed("reason:spam_verdict", "tenant:acme", "prize") == [spam.id]
    assert await listed("tenant:globex") == []
    assert await listed("--limit", "1") == [lost.id]
    answer_to_nothing = await desk.world.receive(mail("Re", "In-Reply-To: <x@y.example>"), SUPPORT)
    assert await listed("match:unmatched") == [answer_to_nothing.id]
    await desk.run("discard", spam.id)
    assert await listed() == [lost.id]
    assert await listed("state:discarded") == [spam.id]
    _, (line,) = await desk.json("list", "state:discarded")
    assert line["sentence"] == "A person put the message away; it can be restored."
    assert line["by_hand"]["put_away"]["reason"] == "spam_verdict"
    assert (await desk.run("list", "state:nonsense"))[0] == Exit.INVALID_INPUT
    _, table = await desk.run("list")
    assert lost.id in table


async def test_a_dry_run_tells_and_the_act_does_it(desk: Desk) -> None:
    spam = await desk.world.receive(mail(), SUPPORT, verdicts=SPAM)
    virus = await desk.world.receive(mail(), SUPPORT, verdicts=VIRUS)
    ids = f"{spam.id}  a line of a table\n" + json.dumps({"id": virus.id}) + "\n\n"

    code, seen = await desk.json("release", "-", "--dry-run", stdin=ids)
    assert await desk.world.row(spam.id) == spam
    done, (report,) = await desk.json(
        "release", "-", "--allow", "address", "--days", "7", "--note", "known", stdin=ids
    )
    await desk.work()

    assert (code, done) == (Exit.PARTLY, Exit.PARTLY)
    assert [(one["id"], one["may"], one["status"]) for one in seen] == [
        (spam.id, True, "forwarding"),
        (virus.id, False, None),
    ]
    assert [one["id"] for one in report["done"]] == [spam.id]
    assert report["refused"][0]["why"].startswith("a virus is never released")
    assert (await desk.world.row(spam.id)).status == "forwarded"


async def test_mail_is_rerouted_attached_marked_and_restored(desk: Desk) -> None:
    lost = await desk.world.receive(mail(), "nobody@acme.example")
    other = await desk.world.receive(mail(), "nobody@acme.example")

    assert (await desk.run("spam", lost.id, "--block", "address"))[0] == Exit.OK
    assert (await desk.run("restore", lost.id))[0] == Exit.OK
    code, out = await desk.run("reroute", lost.id, "--target", "psa", "--ref", "1042")
    assert (code, out) == (Exit.OK, f"{lost.id} rerouted to psa: add note 1042\n")
    await desk.work()
    thread = (await desk.world.row(lost.id)).thread_id
    assert thread
    assert (await desk.run("attach", other.id, "--to", lost.id))[0] == Exit.OK
    await desk.work()

    assert (await desk.world.row(other.id)).thread_id == thread
    assert [call.path for call in desk.world.target.calls] == ["/tickets/1042/notes"] * 2
    code, shown = await desk.run("show", other.id)
    assert "A person attached the message to a conversation." in shown


WRONG = (
    (("release", "inb_none"), Exit.NOT_FOUND, "there is no such message"),
    (("release",), Exit.USAGE, "Missing argument"),
    (("release", "inb_none", "--days", "3"), Exit.INVALID_INPUT, "address or the domain"),
    (("reroute", "x", "--target", "crm"), Exit.INVALID_INPUT, "id of a contact"),
    (("reroute", "x"), Exit.USAGE, "--target"),
    (("discard", "-"), Exit.NOT_FOUND, "standard input names no message"),
    (("reroute", "x", "--target", "psa", "--tenant", "no"), Exit.NOT_FOUND, "no tenant"),
)


async def test_what_is_wrong_is_a_sentence_and_a_code(desk: Desk) -> None:
    for arguments, code, words in WRONG:
        ended, out = await desk.run(*arguments)
        assert (ended, words in out) == (code, True), (arguments, out)


async def test_nothing_done_at_all_is_a_failure(desk: Desk) -> None:
    sent = await desk.world.receive(mail(), SUPPORT)

    code, out = await desk.run("discard", sent.id)

    assert (code, out) == (Exit.FAILED, f"{sent.id} not done: its target has it already\n")
