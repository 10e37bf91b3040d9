"""A loopback SES that takes mail after a fixed wait: what both sides of send.py talk to.

Answers ``POST /v2/email/outbound-emails`` and ``GET /v2/email/account`` as SES does, each after
``latency`` seconds, with keep-alive. It runs in a process of its own, so that it costs the sender
no interpreter time. Run: python benchmarks/ses_stub.py LATENCY_SECONDS; it prints its port.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count

ACCOUNT = (
    b'{"SendQuota":{"Max24HourSend":-1,"MaxSendRate":100000,"SentLast24Hours":0},'
    b'"SendingEnabled":true,"ProductionAccessEnabled":true,"EnforcementStatus":"HEALTHY"}'
)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


class Stub(asyncio.Protocol):
    """One connection; requests on it come one after another."""

    numbers = count(1)

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._seen = bytearray()
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once the whole request is here."""
        self._seen += data
        head, found, rest = bytes(self._seen).partition(b"\r\n\r\n")
        if found and len(rest) >= _length(head):
            self._seen.clear()
            self._loop.call_later(self._latency, self._answer, head)

    def _answer(self, head: bytes) -> None:
        body = ACCOUNT
        if head.startswith(b"POST"):
            body = b'{"MessageId":"0100-%012d-000000"}' % next(self.numbers)
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.write(_HEAD % (len(body), body))


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def main() -> None:
    """Serve until killed."""
    latency = float(sys.argv[1])
    server = await asyncio.get_running_loop().create_server(
        lambda: Stub(latency), "127.0.0.1", 0, backlog=256
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
