"""The sender against a bare boto3 thread pool of the same width, on the same stub, in one run.

The stub (ses_stub.py) is another process on loopback that answers after 30 ms, as SES might; the
longer it takes, the less the sender's own work shows. The pool sends mail composed beforehand and
keeps nothing; the sender takes accepted mail from its queue on disk (SQLite, synchronous=FULL),
composes it, writes an attempt before each call and the outcome, counters and bus event after it.
Publishing the events is not part of either.

The two sides take turns in short rounds, so that the ratio means something on a busy machine.
Run: python benchmarks/send.py [--rounds 3] [--mails 800] [--latency 0.03] [--width 8]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from sqlalchemy import select

from backend.aws.client import Clients
from backend.aws.ses import SesTransport
from backend.clock import SystemClock, UlidIds
from backend.model.outbound import EmailDraft
from backend.model.tenant import Domain, DomainStatus, Tenant
from backend.model.work import WorkKind
from backend.outbound.accept import accept
from backend.outbound.context import LINGER, Outbound, OutboundSettings
from backend.outbound.decide import Patience
from backend.outbound.sender import make_sender
from backend.queue import items
from backend.queue.worker import WorkerSettings
from backend.store import domains, emails, tenants
from backend.store.engine import Database, open_database
from backend.store.schema import work_items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.store.types import Tx

TENANT = "ten_bench"
LEFT = select(work_items.c.id).where(work_items.c.kind == WorkKind.SEND.value).limit(1)
LETTER = "We have looked into it and will be back by noon.\n" * 20
DRAFT = EmailDraft(
    sender="Help Desk <help@acme.example>",
    to=("ann@client.example",),
    subject="Your ticket",
    text=LETTER,
    html="<p>" + LETTER.replace("\n", "<br>\n") + "</p>",
    tags={"product": "psa", "ticket_id": "1001"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured: mails a round, rounds, threads, and seconds SES takes to answer."""

    mails: int
    rounds: int
    width: int
    latency: float


@contextmanager
def stub(latency: float) -> Iterator[str]:
    """Run the stub in a process of its own and give its URL."""
    command = [sys.executable, str(Path(__file__).with_name("ses_stub.py")), str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process_:
        try:
            assert process_.stdout is not None
            yield f"http://127.0.0.1:{process_.stdout.readline().strip()}"
        finally:
            process_.kill()


class Pool:
    """The peer: boto3 in threads, nothing else."""

    def __init__(self, url: str, width: int) -> None:
        self._client: Any = boto3.session.Session().client(
            "sesv2",
            region_name="us-east-1",
            endpoint_url=url,
            aws_access_key_id="bench",
            aws_secret_access_key="bench",
            config=Config(max_pool_connections=width, retries={"total_max_attempts": 1}),
        )
        self._width = width

    def rate(self, mails: int) -> float:
        """Send so many mails; give mails per second."""
        raw = f"From: help@acme.example\r\nSubject: x\r\n\r\n{LETTER * 2}".encode()
        began = time.perf_counter()
        with ThreadPoolExecutor(self._width) as pool:
            for number in range(mails):
                pool.submit(self._send, raw, number)
        return mails / (time.perf_counter() - began)

    def _send(self, raw: bytes, number: int) -> None:
        tags = {"product": "psa", "relay-attempt": f"att_{number}", "relay-tenant": TENANT}
        self._client.send_email(
            FromEmailAddress="help@acme.example",
            Destination={"ToAddresses": ["ann@client.example"]},
            Content={"Raw": {"Data": raw}},
            EmailTags=[{"Name": name, "Value": value} for name, value in tags.items()],
            ConfigurationSetName="events",
        )


class Sender:
    """Our side: the worker and the way out, as the backend joins them."""

    def __init__(self, db: Database, clients: Clients, width: int) -> None:
        clock = SystemClock()
        self._width = width
        self._db = db
        self._outbound = Outbound(
            db=db,
            transport=SesTransport(clients, clock=clock),
            clock=clock,
            ids=UlidIds(),
            settings=OutboundSettings(
                configuration_set="events",
                linger=LINGER,
                patience=Patience(
                    unknown_wait=timedelta(seconds=120), retry_for=timedelta(hours=24)
                ),
            ),
        )

    async def rate(self, mails: int) -> float:
        """Send so many mails that were accepted before; give mails per second."""
        accepted = [accept(self._outbound, TENANT, DRAFT) for _ in range(mails)]
        taken = [answer.email_id for answer in await asyncio.gather(*accepted)]

        worker = make_sender(
            self._outbound, owner="bench:1:1", threads=self._width, settings=WorkerSettings()
        )
        running = asyncio.ensure_future(worker.run())
        began = time.perf_counter()
        worker.nudge()
        while await self._db.read(self._left):  # noqa: ASYNC110  # a row ends, not a task
            await asyncio.sleep(0.01)
        spent = time.perf_counter() - began
        worker.stop()
        await running
        await self._check(taken)
        return mails / spent

    def _left(self, tx: Tx) -> bool:
        return bool(tx.execute(LEFT).first())

    async def _check(self, taken: list[str]) -> None:
        for email_id in taken:
            email = await self._db.read(emails.get, email_id)
            assert email is not None
            assert email.ses_message_id
        counted = await self._db.read(items.counts, self._outbound.clock.now())
        assert sum(one.due + one.leased for one in counted if one.kind is WorkKind.SEND) == 0


def set_up(tx: Tx) -> None:
    """Add the tenant and its domain."""
    now = SystemClock().now()
    tenants.add(tx, Tenant(id=TENANT, name="bench", created_at=now))
    domains.add(
        tx,
        Domain(
            id="dom_bench",
            tenant_id=TENANT,
            name="acme.example",
            status=DomainStatus.VERIFIED,
            inbound_enabled=False,
            dkim_tokens=(),
            mail_from="",
            created_at=now,
        ),
    )


async def measure(plan: Plan, url: str, folder: str) -> dict[str, Any]:
    """Let the two sides take turns; give the medians and the ratio of the medians."""
    db = open_database(f"sqlite:///{folder}/relay.db")
    clients = Clients("us-east-1", url, threads=plan.width)
    pool, sender = Pool(url, plan.width), Sender(db, clients, plan.width)
    try:
        await db.write(set_up)
        await asyncio.to_thread(pool.rate, 32)  # connections, caches
        await sender.rate(32)
        peers, ours = [], []
        for _ in range(plan.rounds):
            peers.append(await asyncio.to_thread(pool.rate, plan.mails))
            ours.append(await sender.rate(plan.mails))
    finally:
        clients.close()
        db.close()
    return {
        "pool": [round(rate, 1) for rate in peers],
        "sender": [round(rate, 1) for rate in ours],
        "ratio": round(median(ours) / median(peers), 3),
    }


def read_plan() -> Plan:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--mails", type=int, default=800, help="mails a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--width", type=int, default=8, help="threads that call SES")
    parser.add_argument("--latency", type=float, default=0.03, help="seconds SES takes")
    return Plan(**vars(parser.parse_args()))


def main() -> None:
    """Measure and print."""
    plan = read_plan()
    with stub(plan.latency) as url, tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(plan, url, folder))
    most = plan.width / plan.latency
    print(
        f"{plan.width} threads, {plan.latency * 1000:g} ms an answer: at most {most:,.0f} mails/s"
    )
    print(json.dumps(found | {"load": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()
