"""Reading URLs that others write: which are refused, and where the connection goes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from backend.errors import InvalidInputError, ServiceUnavailableError
from backend.inbound.sources.fetch import GuardedFetch, TooLargeError, checked_url
from backend.net_guard import is_public
from tests.tls_world import make_identity

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.tls_world import Identity

MAIL = b"Subject: hello\r\n\r\nhi\r\n"


@pytest.mark.parametrize(
    "url",
    [
        "http://files.example/mail.eml",
        "ftp://files.example/mail.eml",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "//files.example/mail.eml",
        "https:///mail.eml",
        "https://",
        "https://user@files.example/",
        "https://user:pw@files.example/",
        "https://@files.example/",
        "https://files.example:22/",
        "https://files.example:8443/",
        "https://files.example:99999/",
        "https://files.example\\@evil.example/",
        "https://files.example /x",
        "https://files.example/\r\nHost: evil",
        "https://files.example/\x00",
        "https://f\u0131les.example/",
        "https://[::1",
        "https://" + "a" * 5000 + ".example/",
        "mail.eml",
        "",
    ],
)
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError, match="raw_mime_url"):
        checked_url(url)


INSIDE = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",
    "10.0.0.8",
    "172.16.3.4",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:0:0:0:0:8000:1",
    "not an address",
]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_everybodys_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "52.216.8.5", "2600:1f18::1", "1.1.1.1"])
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "2130706433", "0x7f.1", "localhost"])
async def test_every_spelling_of_this_machine_is_refused(host: str) -> None:
    with pytest.raises((InvalidInputError, ServiceUnavailableError)) as caught:
        await GuardedFetch(limit=1000)(f"https://{host}/mail.eml")

    assert "not a public address" in str(caught.value) or "cannot be resolved" in str(caught.value)


async def test_one_private_address_among_public_ones_spoils_the_name() -> None:
    async def rebinding(_host: str, _port: int) -> list[tuple[str, int]]:
        return [("8.8.8.8", 443), ("169.254.169.254", 443)]

    with pytest.raises(InvalidInputError, match="not a public address"):
        await GuardedFetch(limit=1000, resolve=rebinding)("https://files.example/x")


async def test_a_name_without_addresses_is_refused() -> None:
    async def nowhere(_host: str, _port: int) -> list[tuple[str, int]]:
        return []

    with pytest.raises(InvalidInputError, match="not a public address"):
        await GuardedFetch(limit=1000, resolve=nowhere)("https://files.example/x")


class Server:
    """An HTTPS server on loopback that answers with fixed bytes and keeps what it was asked."""

    def __init__(self, answer: bytes, *, silent: bool = False) -> None:
        self.answer = answer
        self.silent = silent
        self.heads: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        if self.silent:
            await reader.read()
        writer.write(self.answer)
        try:
            await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return make_identity(tmp_path_factory.mktemp("tls"))


@asynccontextmanager
async def serving(
    identity: Identity, server: Server, *, seconds: float = 5
) -> AsyncIterator[GuardedFetch]:
    """Serve, and give a fetch for which the name files.example leads to the server."""
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=identity[0])
    port = listening.sockets[0].getsockname()[1]

    async def here(_host: str, _port: int) -> list[tuple[str, int]]:
        return [("127.0.0.1", port)]

    yield GuardedFetch(
        limit=1000,
        seconds=seconds,
        allows=lambda _address: True,
        resolve=here,
        trust=identity[1],
    )
    listening.close()
    await listening.wait_closed()


def answer(status: str, body: bytes = b"", *more: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *more]
    return "\r\n".join([*head, "", ""]).encode() + body


async def test_the_connection_goes_to_the_checked_address_under_the_asked_name(
    identity: Identity,
) -> None:
    server = Server(answer("200 OK", MAIL))
    async with serving(identity, server) as fetch:
        assert await fetch("https://files.example/a/b?sig=x%2Fy") == MAIL

    assert server.heads[0].startswith(b"GET /a/b?sig=x%2Fy HTTP/1.1\r\n")
    assert b"host: files.example\r\n" in server.heads[0].lower()


async def test_a_certificate_for_another_name_is_not_accepted(
    identity: Identity,
) -> None:
    async with serving(identity, Server(answer("200 OK", MAIL))) as fetch:
        with pytest.raises(ServiceUnavailableError, match="did not answer"):
            await fetch("https://other.example/")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect"])
async def test_a_redirect_is_not_followed(identity: Identity, status: str) -> None:
    server = Server(answer(status, b"", "Location: https://files.example/inside"))
    async with serving(identity, server) as fetch:
        with pytest.raises(InvalidInputError, match="redirects are not followed"):
            await fetch("https://files.example/")

    assert len(server.heads) == 1


async def test_too_much_is_not_read_to_its_end(
    identity: Identity,
) -> None:
    async with serving(identity, Server(answer("200 OK", bytes(5000)))) as fetch:
        with pytest.raises(TooLargeError):
            await fetch("https://files.example/")


async def test_a_fault_of_the_server_may_pass(
    identity: Identity,
) -> None:
    async with serving(identity, Server(answer("503 Busy"))) as fetch:
        with pytest.raises(ServiceUnavailableError, match="503"):
            await fetch("https://files.example/")


async def test_an_answer_that_does_not_come_is_waited_for_only_so_long(
    identity: Identity,
) -> None:
    async with serving(identity, Server(b"", silent=True), seconds=0.3) as fetch:
        with pytest.raises(ServiceUnavailableError, match=r"0\.3 s"):
            await fetch("https://files.example/")
