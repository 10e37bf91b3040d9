"""``relay-console serve``: the backend, its workers and the HTTP API, until told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
from functools import partial
from typing import TYPE_CHECKING

from backend.api.app import create_app
from backend.api.server import ApiServer
from backend.app import open_backend
from backend.errors import ServiceUnavailableError
from backend.queue.supervisor import first_to_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from backend.config import Config

COLLECT_EVERY = 10_000  # objects


async def serve(config: Config, *, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then drain; ``on_ready`` gets the URL once it listens.

    The API stops first, so that nothing new is accepted while the workers finish. Raises
    ServiceUnavailableError when the API ends without having been told to.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    calm_collector()
    async with open_backend(config) as backend:
        server = ApiServer(create_app(backend), config.api_host, config.api_port)
        url = await server.start()
        try:
            if on_ready is not None:
                on_ready(url)
            await first_to_end(partial(_told, stop), server.wait)
            if not stop.is_set():
                raise ServiceUnavailableError("the HTTP API ended by itself; the log says why")
        finally:
            await server.stop()


def calm_collector() -> None:
    """Let Python look for reference cycles less often, for the whole process.

    By default it does every 700 objects, through all that requests under way have made: a tenth of
    the time of a busy server. What was loaded until now is not looked through any more at all.
    """
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, 20, 20)


async def _told(stop: asyncio.Event) -> None:
    await stop.wait()
