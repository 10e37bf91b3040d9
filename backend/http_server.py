"""One HTTP server inside another asyncio program: uvicorn with start and stop, no signals taken.

Used by the API and by the desk.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

import uvicorn

from backend.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Generator

GRACE_SECONDS = 10  # how long stop() waits for requests under way
BACKLOG = 1024
_STEP_SECONDS = 0.005


class _Quiet(uvicorn.Server):
    """uvicorn that leaves SIGINT and SIGTERM to the program around it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield


class HttpServer:
    """Serves one ASGI app on one address; port 0 takes a free one."""

    def __init__(self, app: Any, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._server: _Quiet | None = None
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Listen and give the base URL without a trailing slash.

        Raises ConfigError when the address cannot be had.
        """
        listener = listening_socket(self._host, self._port)
        config = uvicorn.Config(
            self._app,
            access_log=False,
            log_config=None,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        self._server = _Quiet(config)
        # the server's own loop: it lives between start() and stop(), which waits for its end
        self._running = asyncio.create_task(  # noqa: TID251
            self._server.serve(sockets=[listener]), name=f"http {self._host}"
        )
        while not self._server.started:
            if self._running.done():
                await self._running
                raise ConfigError(f"the HTTP server on {self._host} ended while it started")
            await asyncio.sleep(_STEP_SECONDS)
        return _url(self._host, listener.getsockname()[1])

    async def stop(self) -> None:
        """Take no new connection, finish the requests under way, and close; safe to call twice."""
        if self._server is None or self._running is None:
            return
        self._server.should_exit = True
        await self._running
        self._server = self._running = None

    async def wait(self) -> None:
        """Return when the server has ended, for a supervisor that wants to know."""
        if self._running is not None:
            await asyncio.shield(self._running)


def listening_socket(host: str, port: int) -> socket.socket:
    """Give a bound socket; raises ConfigError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay off only where the protocol is named; without that a small
    # answer waits 40 ms for the acknowledgement of its own header
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"cannot listen on {host} port {port}: {error.strerror or error};"
            " choose another address or port"
        ) from None
    listener.setblocking(False)
    return listener


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
