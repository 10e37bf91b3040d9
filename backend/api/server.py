"""The API on a socket, inside another asyncio program."""

from __future__ import annotations

from backend.http_server import HttpServer


class ApiServer(HttpServer):
    """``ApiServer(app, host, port)``: ``await start()`` gives its URL, ``await stop()`` drains."""
