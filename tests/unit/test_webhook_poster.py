"""Posting to URLs that tenants write: where the connection goes, and where it never goes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from backend.bus.poster import Network, Poster
from backend.clock import SystemClock
from tests.tls_world import make_identity
from tests.webhook_world import Receiver, receiving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.tls_world import Identity

HEADERS = {"webhook-id": "evt_1"}


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return make_identity(tmp_path_factory.mktemp("tls"))


@asynccontextmanager
async def leading_to(identity: Identity) -> AsyncIterator[tuple[Poster, Receiver]]:
    """Let every name lead to a receiver here, which passes for an address on the internet."""
    receiver = Receiver()
    listening = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=identity[0])
    port = listening.sockets[0].getsockname()[1]

    async def here(_host: str, _port: int) -> list[tuple[str, int]]:
        return [("127.0.0.1", port)]

    network = Network(resolve=here, allows=lambda _address: True, trust=identity[1])
    poster = Poster(SystemClock(), network=network)
    yield poster, receiver
    await poster.close()
    listening.close()
    await listening.wait_closed()


async def test_the_connection_goes_to_the_judged_address_under_the_asked_name(
    identity: Identity,
) -> None:
    async with leading_to(identity) as (poster, receiver):
        answer = await poster.post("https://files.example/a?b=c", '{"a":1}', HEADERS)
        other = await poster.post("https://other.example/", "{}", HEADERS)

    assert (answer.ok, answer.status) == (True, 200)
    ((headers, body),) = receiver.seen
    assert (headers["host"], headers["webhook-id"], body) == ("files.example", "evt_1", '{"a":1}')
    # its certificate is for another name
    assert (other.ok, other.status) == (False, 0)
    assert other.error.startswith("no answer: its certificate is not accepted: Hostname mismatch")
    assert "other.example" in other.error


async def test_a_failure_is_told_in_words_and_the_status_counts_whatever_the_body_does() -> None:
    async with receiving() as receiver:
        receiver.endless = True
        poster = Poster(SystemClock(), inside=True, seconds=0.3, network=Network(trust=False))
        endless = await poster.post(receiver.url, "{}", HEADERS)
        receiver.answer = "503 Away\r\nRetry-After: 7"
        away = await poster.post(receiver.url, "{}", HEADERS)
    refused = await poster.post(receiver.url, "{}", HEADERS)
    await poster.close()

    assert (endless.ok, endless.status, endless.response) == (True, 200, "ok")
    assert (away.error, away.retry_after, away.response) == ("it answered 503", 7, "ok")
    assert refused.error == "no answer: the connection was refused; nothing listens there"


async def test_a_port_that_speaks_no_tls_is_told_so() -> None:
    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        poster = Poster(SystemClock(), inside=True)
        answer = await poster.post(f"https://127.0.0.1:{port}/", "{}", HEADERS)
        await poster.close()

    assert answer.error.startswith("no answer: no TLS connection: ")
    assert answer.error.endswith("does it speak https there?")


@pytest.mark.parametrize(
    "addresses",
    [["8.8.8.8", "169.254.169.254"], ["10.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], []],
)
async def test_a_name_that_leads_inside_is_not_posted_to(addresses: list[str]) -> None:
    async def resolve(_host: str, port: int) -> list[tuple[str, int]]:
        return [(address, port) for address in addresses]

    poster = Poster(SystemClock(), network=Network(resolve=resolve))
    answer = await poster.post("https://hooks.example/", "{}", HEADERS)

    assert answer.error == "url: hooks.example is not an address that may be posted to"
    assert answer.status == 0


async def test_a_url_that_became_wrong_is_a_failure_and_not_a_crash() -> None:
    poster = Poster(SystemClock())

    assert (await poster.post("http://hooks.example/", "{}", {})).error.startswith("url: ")
    assert (await poster.post("https://no-such-host.invalid/", "{}", {})).error != ""
