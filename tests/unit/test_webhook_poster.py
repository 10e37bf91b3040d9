"""Posting to URLs that tenants write: where the connection goes, and where it never goes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from backend.bus.poster import Network, Poster
from backend.clock import SystemClock
from tests.tls_world import make_identity
from tests.webhook_world import Receiver

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
    assert (other.ok, other.status, other.error) == (False, 0, "no answer: ConnectError")


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
