"""The socket on which our HTTP servers listen."""

from __future__ import annotations

import socket

from backend.http_server import listening_socket


def test_an_accepted_connection_is_one_asyncio_answers_without_delay() -> None:
    """asyncio sets TCP_NODELAY where the protocol is named only; else answers come 40 ms late."""
    with listening_socket("127.0.0.1", 0) as listener:
        listener.setblocking(True)
        listener.listen()
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.proto == socket.IPPROTO_TCP
