"""``relay-console sandbox``: the local services alone, for a server that is started elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shlex
import signal
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.app import open_backend
from backend.clock import SystemClock
from backend.demo import places
from backend.demo.services import ServiceSettings, local_services
from backend.demo.session import demo_config, doors, provision
from backend.demo.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from backend.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """``folder`` keeps the desk's and the new server's files; ``world`` adds the traffic."""

    folder: Path
    seed: int = 7
    world: bool = False


async def run_sandbox(options: SandboxOptions, on_ready: Callable[[list[str]], None]) -> None:
    """Run until SIGINT or SIGTERM; ``on_ready`` gets one ``export NAME=value`` line per setting."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    options.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    services = ServiceSettings(
        folder=str(options.folder),
        seed=options.seed,
        integration_key=secrets.token_urlsafe(16),
    )
    async with local_services(services) as addresses:
        config = demo_config(addresses, services, options.folder)
        async with open_backend(config, workers=False) as backend:
            keys = await provision(backend)
        port = _free_port()
        api_url = f"http://127.0.0.1:{port}"
        on_ready(_environment(config, port, keys, f"{addresses.smtp_host}:{addresses.smtp_port}"))
        world = World(doors(addresses, api_url, keys), options.seed, SystemClock())
        await _until(stop, world if options.world else None)


async def _until(stop: asyncio.Event, world: World | None) -> None:
    async with asyncio.TaskGroup() as group:
        running = group.create_task(world.run()) if world is not None else None
        await stop.wait()
        if running is not None:
            running.cancel()


def _environment(config: Config, port: int, keys: dict[str, str], smtp: str) -> list[str]:
    """Give the lines that point any ``serve`` or console at these services."""
    home = places.CLIENTS[0].domain
    values = {
        "AWS_ENDPOINT_URL": config.aws_endpoint_url or "",
        "AWS_REGION": config.aws_region,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",  # moto wants any
        "RELAY_CONFIGURATION_SET": config.configuration_set,
        "RELAY_EVENTS_QUEUE_URL": config.events_queue_url,
        "RELAY_INBOUND_QUEUE_URL": config.inbound_queue_url,
        "RELAY_INBOUND_BUCKET": config.inbound_bucket,
        "RELAY_INBOUND_DOMAIN": config.inbound_domain,
        "PSA_API_URL": config.psa_api_url,
        "CRM_API_URL": config.crm_api_url,
        "PORTAL_API_URL": config.portal_api_url,
        "BOOKS_API_URL": config.books_api_url,
        "INTEGRATION_KEY": config.integration_key.get_secret_value(),
        "RELAY_REPLY_TOKEN_SECRET": config.reply_token_secret.get_secret_value(),
        "INGESTER_INBOUND_TOKEN": config.ingester_inbound_token.get_secret_value(),
        "RELAY_DATABASE": config.database,
        "RELAY_API_PORT": str(port),
        "RELAY_API_URL": f"http://127.0.0.1:{port}",
        "RELAY_API_KEY": keys[home],
        "RELAY_SMTP": smtp,
        "RELAY_UNKNOWN_WAIT_SECONDS": str(config.unknown_wait_seconds),
        "RELAY_POLL_SECONDS": str(config.poll_seconds),
        "RELAY_WEBHOOKS_INSIDE": str(config.webhooks_inside).lower(),
        "RELAY_BRAKE_BOUNCE_PERCENT": str(config.brake_bounce_percent),
        "RELAY_BRAKE_COMPLAINT_PERCENT": str(config.brake_complaint_percent),
    }
    return [f"export {name}={shlex.quote(value)}" for name, value in values.items()]


def _free_port() -> int:
    """Give a port nobody listens on now; the server takes it when it starts."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
