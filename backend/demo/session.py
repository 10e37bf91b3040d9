"""The demo: sandbox, desk, backend, HTTP API and world joined on loopback, with free ports."""

from __future__ import annotations

import secrets
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr

from backend.api.app import create_app
from backend.api.server import ApiServer
from backend.app import Backend, open_backend
from backend.clock import SystemClock
from backend.config import Config
from backend.demo import places
from backend.demo.services import Addresses, ServiceSettings, child_services
from backend.demo.settle import DemoSummary, settle
from backend.demo.staging import ACTOR, stage_templates, stage_webhooks, watch_over
from backend.demo.world import Doors, World
from backend.model.tenant import Scope
from backend.queue.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """``folder`` None means a temporary one that goes with the demo; ``quiet`` means no traffic."""

    seed: int = 7
    folder: Path | None = None
    quiet: bool = False


class Demo:
    """A running demo; ``finish`` ends the traffic and audits it."""

    def __init__(self, backend: Backend, world: World, database: str) -> None:
        self.backend = backend
        self._world = world
        self._database = database

    def connection(self) -> dict[str, str]:
        """Give where everything listens: the first line of ``demo --headless --json``."""
        doors, home = self._world.doors, places.CLIENTS[0]
        return {
            "api_url": doors.api_url,
            "api_key": doors.api_keys[home.domain],
            "from_address": f"notify@{home.domain}",
            "inbound_domain": home.domain,
            "smtp": f"{doors.smtp_host}:{doors.smtp_port}",
            "aws_endpoint": doors.aws_endpoint,
            "desk_url": doors.desk_url,
            "database": self._database,
        }

    async def finish(self) -> DemoSummary:
        """Stop the traffic, wait for what is under way, and compare with the ledger."""
        self._world.stop()
        for brake in (await self.backend.compliance.report()).brakes:
            await self.backend.compliance.lift(brake.tenant_id, actor=ACTOR)
        async with httpx.AsyncClient(timeout=10) as http:
            return await settle(self._world, self.backend, http, SystemClock())


@asynccontextmanager
async def open_demo(settings: DemoSettings) -> AsyncGenerator[Demo]:
    """Start everything; what it started ends with the context."""
    async with AsyncExitStack() as stack:
        folder = settings.folder
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relay-demo-")))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        services = ServiceSettings(
            folder=str(folder), seed=settings.seed, integration_key=secrets.token_urlsafe(16)
        )
        addresses = await stack.enter_async_context(child_services(services))
        config = demo_config(addresses, services, folder)
        backend = await stack.enter_async_context(open_backend(config))
        keys = await provision(backend)
        await stage_webhooks(backend, addresses.desk_url)
        server = ApiServer(create_app(backend), "127.0.0.1", 0)
        api_url = await server.start()
        stack.push_async_callback(server.stop)
        world = World(doors(addresses, api_url, keys), settings.seed, SystemClock())
        if not settings.quiet:
            supervisor = Supervisor(SystemClock())
            supervisor.add("world", world.run)
            supervisor.add("technician", partial(watch_over, backend, world))
            await supervisor.start()
            stack.push_async_callback(supervisor.stop)
        yield Demo(backend, world, str(folder / "relay.db"))


def demo_config(addresses: Addresses, services: ServiceSettings, folder: Path) -> Config:
    """Give the settings that point a backend at the local services."""
    return Config(
        database=str(folder / "relay.db"),
        aws_endpoint_url=addresses.aws_endpoint,
        configuration_set=addresses.configuration_set,
        events_queue_url=addresses.events_queue_url,
        inbound_queue_url=addresses.inbound_queue_url,
        inbound_bucket=addresses.inbound_bucket,
        inbound_domain=places.SHARED_DOMAIN,
        psa_api_url=addresses.psa_url,
        crm_api_url=addresses.crm_url,
        portal_api_url=addresses.portal_url,
        books_api_url=f"{addresses.desk_url}/books",
        integration_key=SecretStr(services.integration_key),
        reply_token_secret=SecretStr(secrets.token_urlsafe(32)),
        ingester_inbound_token=SecretStr("demo"),  # it listens on this machine only
        poll_seconds=0.1,
        unknown_wait_seconds=15,
        webhooks_inside=True,
        brake_bounce_percent=0,  # its rates are dreadful, and nobody would let the mail go on
        brake_complaint_percent=0,
        send_limits="50/s 1000/min 20000/h 400000/day",  # its day has to fit into minutes
    )


def doors(addresses: Addresses, api_url: str, keys: dict[str, str]) -> Doors:
    """Give the world the doors it knocks at."""
    return Doors(
        api_url=api_url,
        api_keys=keys,
        smtp_host=addresses.smtp_host,
        smtp_port=addresses.smtp_port,
        aws_endpoint=addresses.aws_endpoint,
        desk_url=addresses.desk_url,
    )


async def provision(backend: Backend) -> dict[str, str]:
    """Make tenants, domains and templates where missing, and give a fresh key for each domain."""
    tenants = {tenant.name: tenant for tenant in await backend.tenants()}
    known = {detail.domain.name for detail in await backend.domains()}
    keys, owners = {}, {}
    for client in places.CLIENTS:
        tenant = tenants.get(client.name) or await backend.add_tenant(client.name, actor=ACTOR)
        owners[client.domain] = tenant
        if client.domain not in known:
            await backend.add_domain(tenant.id, client.domain, inbound_enabled=True, actor=ACTOR)
        issued = await backend.issue_key(tenant.id, "demo", frozenset(Scope), actor=ACTOR)
        keys[client.domain] = issued.secret
    await stage_templates(backend, owners)
    return keys
