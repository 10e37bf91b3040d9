"""``reprocess``, ``jobs`` and ``retention`` on the command line, over a real database."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest
from click.testing import CliRunner

from backend import (
    Config,
    InboundQuery,
    InboundStatus,
    RelayError,
    Selection,
    SystemClock,
    data_home,
    open_backend,
)
from backend.inbound.reprocess_job import ReprocessStep
from backend.inbound.rules_desk import RoutingDesk
from backend.model.jobs import JobKind
from backend.model.work import WorkKind
from backend.queue import items
from backend.queue.jobs import JobRunner
from backend.store.blobs import FolderBlobs
from relay_console.cli.exits import Exit, exit_for
from relay_console.cli.main import cli
from relay_console.cli.opening import Common
from tests.integration.inbound_world import LoopbackTarget, World, mail
from tests.waiting import until_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from typing import Any

    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock

LOST = "lost@acme.example"
HELP = "support@acme.example"
RULE = {
    "name": "Lost and found",
    "when": {"recipient": LOST},
    "then": {"action": "route", "target": "psa"},
}


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended; ``lines`` are those of stdout."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Office:
    """The world, and the command line on its database."""

    world: World
    database: str

    async def run(self, *arguments: str) -> Said:
        line = [*arguments, "--database", self.database]
        return await asyncio.to_thread(_run, line)

    async def do_jobs(self) -> None:
        """Carry every job out, as a server would."""
        self.world.clock.set(SystemClock().now())
        runner = JobRunner(
            self.world.db,
            self.world.clock,
            {JobKind.REPROCESS: ReprocessStep(self.world.inbound)},
        )
        while claimed := await self.world.db.write(
            items.claim,
            [WorkKind.JOB],
            "server",
            now=self.world.clock.now(),
            lease=timedelta(seconds=30),
            limit=1,
        ):
            await runner.handle(claimed[0])


def _run(line: list[str]) -> Said:
    result = CliRunner().invoke(cli, line, obj=Common())
    if isinstance(result.exception, RelayError):
        return Said(int(exit_for(result.exception)), result.stdout, str(result.exception))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
async def office(
    db: Database,
    clock: SettableClock,
    ids: CountingIds,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Office]:
    for name in ("DATA", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    target = LoopbackTarget()
    await target.start()
    monkeypatch.setenv("RELAY_INBOUND_DOMAIN", "relay.example")
    monkeypatch.setenv("PSA_API_URL", target.url)
    async with httpx.AsyncClient() as client:
        world = World(db, clock, ids, FolderBlobs(data_home() / "mail"), target, client)
        await world.settle_tenants()
        yield Office(world, str(tmp_path / "relay.db"))
    await target.stop()


async def test_a_query_is_previewed_then_carried_out_by_a_job_with_a_report(
    office: Office,
) -> None:
    lost = [await office.world.receive(mail(f"Lost {n}"), LOST) for n in range(3)]
    done = await office.world.receive(mail("Fine"), HELP)
    await RoutingDesk(office.world.inbound).add_rule("acme", RULE, actor="ann")

    dry = await office.run("reprocess", f"to:{LOST}", "--dry-run", "--json")
    people = await office.run("reprocess", "state:unrouted,forwarded", "--dry-run")
    changes = await office.run("reprocess", "subject:fine", "--dry-run", "--changes", "--json")
    begun = (await office.run("reprocess", "-state:received", "--json")).objects[0]
    queued = (await office.run("jobs", "list", "--json")).objects

    assert [one["changes"]["status"] for one in dry.objects] == [
        {"old": "unrouted", "new": "forwarded"}
    ] * 3
    assert dry.err == "3 of 3 would go another way; 0 may not go again, 0 could not be read\n"
    assert "unrouted no_route -> forwarded rule_routed psa new_ticket" in people.out
    assert "not again: it reached psa already as" in people.out
    assert (changes.code, {one["inbound_id"] for one in changes.objects} <= {done.id}) == (0, True)
    assert (begun["kind"], begun["state"], begun["total"]) == ("reprocess", "queued", None)
    assert [job["id"] for job in queued] == [begun["id"]]

    await office.do_jobs()
    await office.world.work()
    watched = await office.run("jobs", "watch", begun["id"], "--json")
    report = await office.run("jobs", "show", begun["id"], "--report", "--json")
    refused = await office.run("jobs", "show", begun["id"], "--outcome", "refused")
    again = await office.run("jobs", "cancel", begun["id"])

    job = watched.objects[-1]
    assert (watched.code, job["state"], job["changed"], job["refused"]) == (0, "done", 3, 1)
    assert {line["ref"] for line in report.objects[1:]} == {done.id, *(one.id for one in lost)}
    assert "it is not sent twice" in refused.out
    assert "reprocess: done" in again.out
    assert len(office.world.target.calls) == 4


async def test_ids_are_queued_at_once_or_waited_for(office: Office) -> None:
    lost = await office.world.receive(mail("Lost"), LOST)
    done = await office.world.receive(mail("Fine"), HELP)
    await RoutingDesk(office.world.inbound).add_rule("acme", RULE, actor="ann")

    waiting = asyncio.ensure_future(office.run("reprocess", lost.id, "--wait", "--json"))
    while not waiting.done():
        await office.do_jobs()
        await asyncio.sleep(0.02)
    waited = await waiting
    await office.world.work()
    again = await office.run("reprocess", lost.id, done.id)
    once_more = await office.run("reprocess", lost.id, "--json")

    assert waited.code == Exit.OK
    assert waited.objects[-1]["state"] == "done"
    assert {"ref": lost.id, "outcome": "changed"}.items() <= waited.objects[-2].items()
    assert again.code == Exit.FAILED
    assert f"{done.id}: it reached psa already as" in again.out
    assert again.out.endswith("0 of 2 queued\n")
    assert once_more.objects[0]["refused"].keys() == {lost.id}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("reprocess", "inb_none", "--dry-run"), Exit.NOT_FOUND, "inb_none"),
        (("reprocess", "inb_none", "state:held"), Exit.USAGE, "not both"),
        (("reprocess", "state:hold", "--dry-run"), Exit.INVALID_INPUT, "state:hold is not known"),
        (("reprocess", "stat:held"), Exit.INVALID_INPUT, "there is state:"),
        (("jobs", "show", "job_none"), Exit.NOT_FOUND, "job_none"),
        (("jobs", "cancel", "job_none"), Exit.NOT_FOUND, "job_none"),
    ],
)
async def test_what_is_wrong_is_one_sentence(
    office: Office, arguments: tuple[str, ...], code: Exit, said: str
) -> None:
    answer = await office.run(*arguments)

    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err


async def test_retention_tells_what_would_go_and_then_deletes_it(office: Office) -> None:
    office.world.clock.set(SystemClock().now() - timedelta(days=100))
    old = await office.world.receive(mail("Old"), HELP)
    office.world.clock.set(SystemClock().now())
    young = await office.world.receive(mail("Young"), HELP)

    plan = (await office.run("retention", "--dry-run", "--json")).objects[0]
    shown = await office.run("retention", "--dry-run")
    done = (await office.run("retention", "--json")).objects[0]
    rest = await office.run("retention", "--yes")

    assert (plan["dry_run"], plan["messages"]) == (True, 1)
    assert plan["gone"][0]["status"] == "forwarded"
    assert "1 messages would go" in shown.out
    assert (done["dry_run"], done["messages"], done["raw_deleted"]) == (False, 1, 1)
    assert rest.out.startswith("0 messages are gone")
    missing = await office.run("show", old.id)
    assert missing.code == Exit.NOT_FOUND
    assert (await office.run("show", young.id)).code == Exit.OK


async def test_retention_settings_that_cannot_work_are_refused_at_start(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAY_RETENTION_DELETES_RAW", "false")
    monkeypatch.setenv("RELAY_RETENTION_DISCARDED_DAYS", "1")

    answer = await office.run("retention", "--dry-run")

    assert answer.code == Exit.CONFIGURATION
    assert "RELAY_SWEEP_DAYS=7" in answer.err


async def test_an_open_backend_carries_a_job_out_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    database = str(tmp_path / "own.db")
    config = Config(database=database, inbound_domain="relay.example", poll_seconds=0.02)
    async with open_backend(config) as backend:
        tenant = await backend.add_tenant("Acme", actor="ann")
        raw = mail("Printer").replace(b"jo@client", b"kim@client")
        taken = await backend.ingest.take_file(raw, [f"nobody+1@{config.inbound_domain}"])
        (inbound_id,) = taken.new

        async def is_at(status: InboundStatus) -> bool:
            return (await backend.inbound_message(inbound_id)).message.status is status

        await until_async(partial(is_at, InboundStatus.UNROUTED))
        rule = {"name": "R", "when": {"subject": "Printer"}, "then": RULE["then"]}
        rule |= {"then": {"action": "route", "target": "psa", "tenant": tenant.id}}
        await backend.routing.add_rule("", rule, actor="ann")
        query = InboundQuery(statuses=frozenset({InboundStatus.UNROUTED}))
        job = await backend.reprocessing.start(Selection(query=query), actor="ann")
        await until_async(partial(is_at, InboundStatus.HELD))  # PSA has no URL here
        over = await backend.jobs.get(job.id)
        (line,) = await backend.jobs.report(job.id, 0, 9)
        plan = await backend.retention.plan()

    assert (over.changed, line.ref) == (1, inbound_id)
    assert line.after["reason"] == "target_not_configured"
    assert (plan.messages, plan.stored) == (0, len(raw))
