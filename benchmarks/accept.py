"""How fast mail is accepted, durably, against two floors measured in the same run.

* in process: ``Backend.send`` by 64 callers, against the same bytes inserted with the bare sqlite3
  module, 64 rows a commit, synchronous=FULL;
* over HTTP: ``POST /emails`` by 64 connections of another process, against an endpoint of an empty
  FastAPI app on the same server program.

The sides alternate in short rounds, so what else the machine does hits both. Trust the ratios.
Run: python benchmarks/accept.py [seconds]
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import FastAPI

from backend import Config, EmailDraft, Scope, open_backend
from backend.api.app import create_app
from backend.api.server import ApiServer
from backend.model.tenant import Domain, DomainStatus
from backend.server import calm_collector
from backend.store import domains
from backend.store.engine import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from backend import Backend

CALLERS = 64
WHO = "jo-000000@client.example"  # another one each time: nothing may be remembered
TEXT = "Your ticket has been updated. " * 20
MAIL = {
    "from": "Acme Support <support@acme.example>",
    "to": [WHO],
    "subject": "Ticket ABC-1001",
    "text": TEXT,
    "tags": {"product": "psa"},
}
DRAFT = EmailDraft(
    sender="Acme Support <support@acme.example>",
    to=(WHO,),
    subject="Ticket ABC-1001",
    text=TEXT,
    tags={"product": "psa"},
)


@asynccontextmanager
async def backend_in(folder: str) -> AsyncIterator[tuple[Backend, str, str]]:
    """Open a backend without limits; give it, a tenant and a key."""
    config = Config(database=f"{folder}/relay.db", send_limits="none")
    async with open_backend(config, workers=False) as backend:
        tenant = await backend.add_tenant("Acme", actor="benchmark")
        db = Database(config.database_url)
        await db.write(domains.add, acme(tenant.id))
        db.close()
        key = await backend.issue_key(
            tenant.id, "benchmark", frozenset({Scope.ADMIN}), actor="benchmark"
        )
        yield backend, tenant.id, key.secret


def acme(tenant_id: str) -> Domain:
    return Domain(
        id="dom_acme",
        tenant_id=tenant_id,
        name="acme.example",
        status=DomainStatus.VERIFIED,
        inbound_enabled=True,
        dkim_tokens=(),
        mail_from="",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


async def accepts(backend: Backend, tenant_id: str, seconds: float) -> float:
    """Give mails accepted a second in process."""
    until = time.perf_counter() + seconds
    done = 0

    async def call() -> None:
        nonlocal done
        while time.perf_counter() < until:
            done += 1
            await backend.send(tenant_id, replace(DRAFT, to=(numbered(done),)))

    began = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return done / (time.perf_counter() - began)


def bare_inserts(folder: str, seconds: float) -> float:
    """Give rows of the same bytes inserted a second with nothing in between."""
    connection = sqlite3.connect(f"{folder}/bare.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE IF NOT EXISTS mail (id INTEGER PRIMARY KEY, draft BLOB)")
    draft = json.dumps(MAIL).encode()
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO mail (draft) VALUES (?)", [(draft,)] * CALLERS)
        connection.execute("COMMIT")
        done += CALLERS
    connection.close()
    return done / (time.perf_counter() - began)


def numbered(n: int) -> str:
    return WHO.replace("000000", f"{n % 1_000_000:06d}")


def empty_app() -> FastAPI:
    app = FastAPI()

    @app.post("/emails")
    async def empty() -> dict[str, str]:
        return {"id": "msg_0"}

    return app


async def load(url: str, key: str, seconds: float) -> float:
    """Ask by keep-alive connections as fast as answers come; give answers a second."""
    place = urlsplit(url)
    body = json.dumps(MAIL).encode()
    head = (
        f"POST /emails HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request, done = head.encode() + body, 0
    until = time.perf_counter() + seconds

    async def ask() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        while time.perf_counter() < until:
            writer.write(request.replace(b"000000", b"%06d" % (done % 1_000_000), 1))
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"the server refused: {head!r}")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            done += 1
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(CALLERS)))
    return done / (time.perf_counter() - began)


async def load_elsewhere(url: str, key: str, seconds: float) -> float:
    """Have another process ask, so that asking does not slow the server's loop."""
    asking = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "load", url, key, str(seconds), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asking.communicate()
    if asking.returncode:
        raise SystemExit("the asking process failed")
    return float(out)


async def compare(
    rounds: int, ours: Callable[[], Awaitable[float]], floor: Callable[[], Awaitable[float]]
) -> tuple[float, float, float]:
    """Give the medians of both sides and of their ratio over alternating rounds."""
    pairs = [(await ours(), await floor()) for _ in range(rounds)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


async def main(total: float) -> None:
    rounds = 3
    each = total / 4 / rounds
    with tempfile.TemporaryDirectory() as folder:
        async with backend_in(folder) as (backend, tenant_id, key):

            async def bare() -> float:
                return await asyncio.to_thread(bare_inserts, folder, each)

            await accepts(backend, tenant_id, 0.3)
            mine, floor, ratio = await compare(
                rounds, lambda: accepts(backend, tenant_id, each), bare
            )
            print(f"in process  {mine:8,.0f} accepts/s, all on disk ({CALLERS} callers)")
            print(f"floor       {floor:8,.0f} bare inserts/s of the same bytes, {CALLERS} a commit")
            print(f"ratio       {ratio:8.1%}")
            served, empty = (
                ApiServer(create_app(backend), "127.0.0.1", 0),
                ApiServer(empty_app(), "127.0.0.1", 0),
            )
            url, empty_url = await served.start(), await empty.start()
            await load_elsewhere(url, key, 0.3)
            mine, floor, ratio = await compare(
                rounds,
                lambda: load_elsewhere(url, key, each),
                lambda: load_elsewhere(empty_url, key, each),
            )
            await served.stop()
            await empty.stop()
    print(f"over HTTP   {mine:8,.0f} accepts/s, all on disk ({CALLERS} connections)")
    print(f"floor       {floor:8,.0f} answers/s of an empty FastAPI endpoint")
    print(f"ratio       {ratio:8.1%}  (wanted: 40 %; load average {os.getloadavg()[0]:.1f})")


if __name__ == "__main__":
    if sys.argv[1:2] == ["load"]:
        print(asyncio.run(load(sys.argv[2], sys.argv[3], float(sys.argv[4]))))
    else:
        calm_collector()  # as `relay-console serve` does; it holds for the floors too
        asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 12))
