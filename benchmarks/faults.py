"""kill -9 at every named point of a mail's way out, round after round, and count what is lost.

One process holds the local AWS, which lives on. In every round a backend is forked, told the point
it dies at, given some mail and left to work until it is killed; the next one finds what is left.
Mail whose caller got no answer is handed in again with its Idempotency-Key, as a caller would. In
every fourth round that dies after SES took a mail the events of that round are lost too: then, and
only then, a mail may go out twice, and must be flagged. At last one backend works everything off.

Run: python benchmarks/faults.py --rounds 200 [--points NAME ...] [--mails 3] [--seed 1]. It starts
the sandbox itself, or uses the one that AWS_ENDPOINT_URL and its fellows name; all is loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shlex
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx

from backend import EmailDraft, TransientError, configure_logging, load_config, open_backend
from backend.faultpoints import FaultPoint, arm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backend import Backend

SENDER = "notify@northwind.example"
UNKNOWN_WAIT = 4  # seconds, for 120: events come within one here
HIDDEN = 1  # seconds a notice in a dead process's hands stays hidden, for 30
PASS_SECONDS = 20  # in which a round must have come to its point
DRAIN_SECONDS = 60
LOSING = (FaultPoint.SEND_AFTER_CALL, FaultPoint.SEND_RESULT_UNCOMMITTED)
OURS = ("RELAY_", "AWS_", "BUS_", "INTEGRATION_")
LAST_LINE = "export RELAY_POLL_SECONDS="


@dataclass(slots=True)
class Tally:
    """What the rounds did; ``answered`` are the mails whose callers were told they are safe."""

    kills: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    losing: int = 0


@contextmanager
def sandbox(folder: str) -> Iterator[dict[str, str]]:
    """Run ``relay-console sandbox``, or take the one the environment names."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RELAY_", "AWS_"))}
    if "AWS_ENDPOINT_URL" in os.environ:
        yield dict(os.environ)
        return
    command = [sys.executable, "-m", "relay_console", "sandbox", "--folder", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=kept) as running:
        try:
            assert running.stdout is not None
            lines: list[str] = []
            while not lines or not lines[-1].startswith(LAST_LINE):
                lines.append(running.stdout.readline())
                if not lines[-1]:
                    raise SystemExit("the sandbox ended while it started")
            printed = (shlex.split(line.removeprefix("export "))[0] for line in lines)
            yield kept | {name: value for name, _, value in (p.partition("=") for p in printed)}
        finally:
            running.terminate()


@contextmanager
def bus() -> Iterator[str]:
    """Run something that takes every bus event, and give its URL."""
    command = [sys.executable, str(Path(__file__).with_name("ses_stub.py")), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield f"http://127.0.0.1:{running.stdout.readline().strip()}/events"
        finally:
            running.kill()


class Rounds:
    """Forks one backend after another; this process itself never runs a thread."""

    def __init__(self, environ: dict[str, str], *, mails: int, seed: int) -> None:
        settings = {
            "RELAY_UNKNOWN_WAIT_SECONDS": str(UNKNOWN_WAIT),
            "RELAY_POLL_SECONDS": "0.05",
            "RELAY_SWEEP_SECONDS": "0",
            "RELAY_INBOUND_QUEUE_URL": "",
        }
        wanted = {k: v for k, v in environ.items() if k.startswith(OURS)}
        self.environ = wanted | settings
        self.tally = Tally()
        self._mails = mails
        self._chance = random.Random(seed)
        self._http = httpx.Client(base_url=environ["AWS_ENDPOINT_URL"], timeout=10)

    def run(self, rounds: int, points: Sequence[FaultPoint]) -> None:
        """Kill at every point in turn, until so many have died; then work everything off."""
        for number in range(rounds):
            point = points[number % len(points)]
            loses = point in LOSING and number // len(points) % 4 == 3
            self._kill_at(point, loses=loses)
        self._fork("", [])

    def _kill_at(self, point: FaultPoint, *, loses: bool) -> None:
        first = len(self.tally.given)
        fresh = [f"mail-{first + n:05d}" for n in range(self._mails)]
        self.tally.given += fresh
        if loses:
            self.tally.losing += 1
            fault = {"kind": "drop", "channel": "events", "probability": 1.0}
            self._http.post("/_sandbox/faults", json=fault).raise_for_status()
        nth = self._chance.randint(1, self._mails)
        if "uncommitted" in point or "before_commit" in point or loses:
            nth = 1  # what waits together passes such a point together
        code = self._fork(f"{point}:{nth}", fresh)
        if loses:
            while self._http.get("/_sandbox/health").json()["notices_pending"]:
                time.sleep(0.02)  # noqa: TID251  # there is no event loop here
            self._http.delete("/_sandbox/faults").raise_for_status()
        if code == -signal.SIGKILL:
            self.tally.kills[point] += 1
        else:
            self.tally.missed.append(f"{point}:{nth} ended with {code}")

    def _fork(self, setting: str, fresh: list[str]) -> int:
        unanswered = [m for m in self.tally.given if m not in self.tally.answered | set(fresh)]
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            arm(setting)
            code = 5
            try:
                code = asyncio.run(work(self.environ, unanswered + fresh, writer, setting))
            except Exception:  # noqa: BLE001  # printed; the parent sees the exit code
                traceback.print_exc()
            finally:
                os._exit(code)  # the parent's folders and processes are not ours to end
        os.close(writer)
        with os.fdopen(reader) as answers:
            self.tally.answered.update(answers.read().split())
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


async def work(environ: dict[str, str], markers: list[str], answers: int, setting: str) -> int:
    """Hand in mail and work until killed; without a point to die at, until nothing is left."""
    async with open_backend(load_config(environ)) as backend:
        (tenant,) = [t for t in await backend.tenants() if t.name.startswith("Northwind")]
        for marker in markers:
            draft = EmailDraft(
                sender=SENDER,
                to=("someone@customers.example",),
                subject=marker,
                text="hello",
                tags={"world": marker},
            )
            await send(backend, tenant.id, draft, marker)
            os.write(answers, f"{marker}\n".encode())
        if setting:
            await asyncio.sleep(PASS_SECONDS)
            return 3
        for _ in range(DRAIN_SECONDS * 10):
            if not left_in(environ["RELAY_DATABASE"]):
                return 0
            await asyncio.sleep(0.1)
    return 4


async def send(backend: Backend, tenant_id: str, draft: EmailDraft, marker: str) -> None:
    """Hand in one mail, as often as its rate limit asks for."""
    while True:
        try:
            await backend.send(tenant_id, draft, idempotency_key=marker)
        except TransientError as error:
            await asyncio.sleep(error.retry_after or 0.2)
        else:
            return


def left_in(database: str) -> int:
    """Count what is not done: work items, and mail not yet at its end."""
    with sqlite3.connect(database) as db:
        items = db.execute("select count(*) from work_items where kind <> 'inbound'").fetchone()[0]
        open_ = "select count(*) from emails where status in ('queued', 'unknown')"
        return int(items + db.execute(open_).fetchone()[0])


def audit(rounds: Rounds) -> dict[str, Any]:
    """Compare what callers were promised with what SES has taken."""
    taken: Counter[str] = Counter()
    after = 0
    with httpx.Client(base_url=rounds.environ["AWS_ENDPOINT_URL"], timeout=10) as http:
        while page := http.get("/_sandbox/ses/messages", params={"after": after}).json()[
            "messages"
        ]:
            taken.update(row["tags"].get("world", "") for row in page)
            after = page[-1]["number"]
    tally = rounds.tally
    with sqlite3.connect(rounds.environ["RELAY_DATABASE"]) as db:
        rows = db.execute("select json_extract(tags, '$.world'), possible_duplicate from emails")
        flagged = {marker for marker, flag in rows if flag}
        (check,) = db.execute("PRAGMA integrity_check").fetchone()
        (unpublished,) = db.execute(
            "select count(*) from bus_outbox where published_at is null"
        ).fetchone()
        told = {row[0] for row in db.execute(TOLD_IN_TIME)}
    twice = {marker for marker, n in taken.items() if n > 1 and marker in set(tally.given)}
    return {
        "rounds": sum(tally.kills.values()) + len(tally.missed),
        "kills": dict(tally.kills),
        "missed": tally.missed,
        "promised": len(tally.answered),
        "lost": sorted(tally.answered - taken.keys()),
        "duplicates": len(twice),
        "duplicates_not_flagged": sorted(twice - flagged),
        "sent_again_though_told": sorted(told),
        "flagged": len(flagged),
        "rounds_that_lost_events": tally.losing,
        "left": left_in(rounds.environ["RELAY_DATABASE"]),
        "unpublished": unpublished,
        "integrity": check,
    }


# mail tried again although a SEND event for an attempt before was known by then
TOLD_IN_TIME = """
    select json_extract(e.tags, '$.world') from emails e
    join attempts later on later.email_id = e.id
    join attempts earlier on earlier.email_id = e.id and earlier.number < later.number
    join events v on v.attempt_id = earlier.id and v.kind = 'send'
    where v.received_at < later.started_at
"""


def judge(found: dict[str, Any]) -> bool:
    """Tell whether every promise was kept."""
    wrong = ("lost", "missed", "duplicates_not_flagged", "sent_again_though_told")
    return not any(found[name] for name in (*wrong, "left", "unpublished")) and (
        found["integrity"] == "ok"
    )


def main() -> int:
    """Run the rounds, print what came of them; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=0, help="0: each point once")
    parser.add_argument("--points", nargs="+", type=FaultPoint, default=list(FaultPoint))
    parser.add_argument("--mails", type=int, default=3, help="new mail in every round")
    parser.add_argument("--seed", type=int, default=1)
    wish = parser.parse_args()
    configure_logging("error")
    began = time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        environ = stack.enter_context(sandbox(folder))
        environ["BUS_API_URL"] = stack.enter_context(bus())
        boto3.client(
            "sqs",
            region_name="us-east-1",
            endpoint_url=environ["AWS_ENDPOINT_URL"],
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
        ).set_queue_attributes(
            QueueUrl=environ["RELAY_EVENTS_QUEUE_URL"],
            Attributes={"VisibilityTimeout": str(HIDDEN)},
        )
        rounds = Rounds(environ, mails=wish.mails, seed=wish.seed)
        rounds.run(wish.rounds or len(wish.points), wish.points)
        found = audit(rounds) | {"seconds": round(time.monotonic() - began, 1)}
    print(json.dumps(found, indent=2))
    return 0 if judge(found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
