"""The services around the program, in one process of their own: local AWS, SMTP door and desk.

``python -m backend.demo.services SETTINGS`` starts them, prints their addresses as one JSON line
and stops when its standard input ends, so it cannot outlive the program that started it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backend.demo import places
from backend.errors import ServiceUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

START_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Where the services keep their files, the seed of their chance, and the key the desk wants."""

    folder: str
    seed: int
    integration_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where everything listens, all on loopback."""

    aws_endpoint: str
    smtp_host: str
    smtp_port: int
    events_queue_url: str
    inbound_queue_url: str
    inbound_bucket: str
    configuration_set: str
    desk_url: str
    psa_url: str
    crm_url: str
    portal_url: str


@asynccontextmanager
async def local_services(settings: ServiceSettings) -> AsyncGenerator[Addresses]:
    """Run the services in this process for as long as the context lasts."""
    from backend.desk import Desk, DeskSettings  # noqa: PLC0415  # the parent never needs them
    from backend.sandbox import Sandbox, SandboxSettings  # noqa: PLC0415

    domains = tuple(client.domain for client in places.CLIENTS)
    sandbox = Sandbox(
        SandboxSettings(
            folder=Path(settings.folder),
            seed=settings.seed,
            verified_domains=domains,
            receiving_domains=(*domains, places.SHARED_DOMAIN),
            outcomes=places.BEHAVIOURS,
        )
    )
    desk = Desk(
        DeskSettings(
            folder=Path(settings.folder),
            integration_key=settings.integration_key,
            tickets=places.TICKETS,
            contacts={p.ref: p.address for client in places.CLIENTS for p in client.people},
        )
    )
    aws = await asyncio.to_thread(sandbox.start)
    try:
        at = await desk.start()
        try:
            yield Addresses(
                aws_endpoint=aws.aws_endpoint,
                smtp_host=aws.smtp_host,
                smtp_port=aws.smtp_port,
                events_queue_url=aws.events_queue_url,
                inbound_queue_url=aws.inbound_queue_url,
                inbound_bucket=aws.inbound_bucket,
                configuration_set=aws.configuration_set,
                desk_url=at.desk_url,
                psa_url=at.psa_url,
                crm_url=at.crm_url,
                portal_url=at.portal_url,
            )
        finally:
            await desk.stop()
    finally:
        await asyncio.to_thread(sandbox.stop)


@asynccontextmanager
async def child_services(settings: ServiceSettings) -> AsyncGenerator[Addresses]:
    """Run the services in a child process for as long as the context lasts.

    A process of their own keeps AWS's work off the console's event loop. Raises
    ServiceUnavailableError with the child's last words when it does not come up.
    """
    journal = Path(settings.folder) / "services.log"
    with journal.open("wb") as stderr:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "backend.demo.services",
            json.dumps(asdict(settings)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,  # Ctrl-C is for us; the child ends when its stdin does
        )
    assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018  # PIPE above
    try:
        line = await asyncio.wait_for(child.stdout.readline(), START_SECONDS)
        if not line:
            last = journal.read_text(errors="replace").strip().rpartition("\n")[2]
            raise ServiceUnavailableError(f"the local services did not start: {last}")
        yield Addresses(**json.loads(line))
    finally:
        child.stdin.close()
        try:
            await asyncio.wait_for(child.wait(), 5)
        except TimeoutError:
            child.kill()
            await child.wait()


async def _main(settings: ServiceSettings) -> None:
    async with local_services(settings) as addresses:
        print(json.dumps(asdict(addresses)), flush=True)  # noqa: T201  # our parent reads it
        await asyncio.to_thread(sys.stdin.buffer.read)


if __name__ == "__main__":
    asyncio.run(_main(ServiceSettings(**json.loads(sys.argv[1]))))
