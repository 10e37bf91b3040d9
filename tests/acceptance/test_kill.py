"""kill -9, under load and at every named point: nothing accepted is lost, nothing is sent twice.

benchmarks/faults.py does the same for as many rounds as one likes.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import smtplib
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from backend.demo.ledger import Audit, Fate, Ledger
from backend.demo.witness import mail_at_ses, markers_at_desk
from backend.faultpoints import FaultPoint
from tests.acceptance.processes import running_sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

KILLS = 4
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "faults.py"
POINTS = (
    FaultPoint.ACCEPT_AFTER_COMMIT,
    FaultPoint.SEND_BEFORE_CALL,
    FaultPoint.SEND_AFTER_CALL,
    FaultPoint.EVENT_AFTER_COMMIT,
    FaultPoint.PUBLISH_AFTER_CALL,
)
SETTLE_SECONDS = 60


class Load:
    """A bounded stream of mail, both ways, that knocks again while the server is away."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ
        self.ledger = Ledger()
        self.running = True

    async def send(self) -> None:
        number = 0
        async with httpx.AsyncClient(timeout=5) as http:
            while self.running:
                number += 1
                await self._send_one(http, f"out-{number:05d}")

    async def _send_one(self, http: httpx.AsyncClient, marker: str) -> None:
        body = {
            "from": "notify@northwind.example",
            "to": ["someone@customers.example"],
            "subject": marker,
            "text": "hello",
            "tags": {"world": marker},
        }
        key = {"X-Relay-Key": self.environ["RELAY_API_KEY"], "Idempotency-Key": marker}
        while self.running:
            try:
                url = f"{self.environ['RELAY_API_URL']}/api/send"
                answer = await http.post(url, json=body, headers=key)
            except httpx.TransportError:
                await asyncio.sleep(0.02)
                continue
            if answer.is_success:
                self.ledger.outbound[marker] = Fate.SENT
                return
            # 409: the first try, whose answer we did not wait for, is still under way
            assert answer.status_code in (409, 503), answer.text
            await asyncio.sleep(0.02)

    async def receive(self) -> None:
        number = 0
        while self.running:
            number += 1
            marker = f"in-{number:05d}@world.example"
            await asyncio.to_thread(self._mail, marker)
            self.ledger.inbound[marker] = Fate.FORWARDED
            await asyncio.sleep(0.03)

    def _mail(self, marker: str) -> None:
        host, _, port = self.environ["RELAY_SMTP"].partition(":")
        head = f"From: a@customers.example\r\nSubject: {marker}\r\nMessage-ID: <{marker}>\r\n"
        with smtplib.SMTP(host, int(port), timeout=10) as door:
            door.sendmail("a@customers.example", ["support@northwind.example"], f"{head}\r\nx\r\n")


async def _settled(load: Load, database: str) -> Audit:
    """Wait until everything is where it belongs, or SETTLE_SECONDS, and give the audit."""
    for _ in range(SETTLE_SECONDS * 2):
        audit = await _audit(load, database)
        if audit.clean:
            return audit
        await asyncio.sleep(0.5)
    return await _audit(load, database)


async def _audit(load: Load, database: str) -> Audit:
    async with httpx.AsyncClient(timeout=10) as http:
        seen = await mail_at_ses(http, load.environ["AWS_ENDPOINT_URL"], 0)
        desk = load.environ["PSA_API_URL"].rpartition("/")[0]
        at_desk = await markers_at_desk(http, desk)
    with sqlite3.connect(database) as db:
        rows = db.execute("select message_id, status from inbound").fetchall()
    stored = {m.strip("<>"): s not in {"received", "forwarding"} for m, s in rows}
    return load.ledger.audit(at_ses=[m.marker for m in seen], at_desk=at_desk, stored=stored)


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The settings of a sandbox that outlives every kill."""
    with running_sandbox(tmp_path_factory.mktemp("kill")) as settings:
        yield settings | {"RELAY_UNKNOWN_WAIT_SECONDS": "7"}


@pytest.mark.timeout(120)
def test_a_death_at_a_named_point_loses_nothing_and_flags_what_may_go_twice(
    environ: dict[str, str],
) -> None:
    command = [sys.executable, str(SCRIPT), "--mails", "2", "--points", *POINTS]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)

    assert set(found["kills"]) == set(POINTS)
    assert (found["lost"], found["missed"], found["left"]) == ([], [], 0)
    assert (found["duplicates_not_flagged"], found["sent_again_though_told"]) == ([], [])
    assert found["promised"] == 2 * len(POINTS)
    assert done.returncode == 0, found


@pytest.mark.timeout(120)
async def test_kills_under_load_lose_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    chance = random.Random(7)
    load = Load(environ)
    server = await asyncio.to_thread(serve, environ, tmp_path)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(load.send())
            group.create_task(load.receive())
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0.2, 1.2))
                await asyncio.to_thread(server.stop, signal.SIGKILL)
                server = await asyncio.to_thread(serve, environ, tmp_path)
            await asyncio.sleep(0.5)
            load.running = False
        audit = await _settled(load, environ["RELAY_DATABASE"])
    finally:
        code = await asyncio.to_thread(server.stop)
    with sqlite3.connect(environ["RELAY_DATABASE"]) as db:
        check = db.execute("PRAGMA integrity_check").fetchone()[0]

    assert (audit.lost, audit.duplicates) == ((), ())
    assert check == "ok"
    assert code == 0
    assert len(load.ledger.outbound) > KILLS
    assert len(load.ledger.inbound) > KILLS
