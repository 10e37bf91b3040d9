"""What holds for every call: size, health, the document, a busy database, a silent log."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from backend.api.app import create_app
from backend.api.limits import MAX_BODY
from backend.api.server import ApiServer
from backend.errors import ConfigError, DatabaseBusyError, ThrottledError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.api.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAIL = {"from": "a@acme.example", "to": "b@client.example", "subject": "Hi", "text": "canary-body"}


class Refusing:
    """The backend, but every send ends in one error: what cannot be had from a healthy disk."""

    def __init__(self, served: Served, error: Exception) -> None:
        self._backend = served.backend
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    async def send(self, *_: object, **__: object) -> None:
        raise self._error


async def ask(served: Served, error: Exception, path: str) -> httpx.Response:
    service: Any = Refusing(served, error)
    server = ApiServer(create_app(service), "127.0.0.1", 0)
    url = await server.start()
    try:
        async with httpx.AsyncClient(headers=served.with_key(served.key)) as http:
            return await http.post(url + path, json=MAIL)
    finally:
        await server.stop()


async def test_health_needs_no_key(served: Served) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{served.url}/health")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_the_document_names_every_call_with_its_body_and_examples(served: Served) -> None:
    document = (await served.http.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    body = document["paths"]["/api/send"]["post"]["requestBody"]["content"]["application/json"]

    assert {"/emails", "/emails/{email_id}", "/emails/receiving", "/api/send"} <= set(
        document["paths"]
    )
    assert body["schema"]["$ref"] == "#/components/schemas/RelayMail"
    assert schemas["RelayMail"]["examples"]
    assert schemas["RelayMail"]["additionalProperties"] is False
    assert all(call["summary"] for path in document["paths"].values() for call in path.values())


async def test_every_reference_in_the_document_leads_somewhere(served: Served) -> None:
    answer = await served.http.get("/openapi.json")
    schemas = answer.json()["components"]["schemas"]
    names = [part.partition('"')[0] for part in answer.text.split("#/components/schemas/")[1:]]

    assert names
    assert [name for name in names if name not in schemas] == []


async def test_an_announced_body_that_is_too_large_is_not_read(served: Served) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /emails HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n"
    writer.write(head.encode())
    status = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    await writer.wait_closed()

    assert status.split()[1] == b"413"


async def test_a_body_that_grows_too_large_is_stopped(served: Served) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 1_000_000 + 2):
            yield bytes(1_000_000)

    answer = await served.http.post("/api/send", content=endless(), timeout=30)

    assert (answer.status_code, answer.json()["name"]) == (413, "body_too_large")


@pytest.mark.parametrize("path", ["/emails/%00", "/api/logs?text=a%00b", "/emails/receiving/x%00"])
async def test_a_nul_in_the_address_is_refused_before_the_database(
    served: Served, path: str
) -> None:
    answer = await served.http.get(path)

    assert answer.status_code == 422
    assert "%00" in answer.text


@pytest.mark.parametrize("path", ["/emails", "/api/send"])
async def test_a_busy_database_is_never_a_success(served: Served, path: str) -> None:
    answer = await ask(served, DatabaseBusyError("the disk is full"), path)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert "disk is full" in answer.text


async def test_a_throttled_call_says_how_long_to_wait(served: Served) -> None:
    relay = await ask(served, ThrottledError("slow down", retry_after=4.2), "/api/send")
    resend = await ask(served, ThrottledError("slow down", retry_after=4.2), "/emails")

    assert relay.json() == {"error": "slow down", "name": "rate_limit_exceeded", "retry_after": 5}
    assert resend.json()["name"] == "rate_limit_exceeded"
    assert (resend.status_code, resend.headers["retry-after"]) == (429, "5")


@pytest.mark.parametrize("error", [ConfigError("canary-detail"), ValueError("canary-detail")])
async def test_a_fault_of_our_own_is_a_500_that_keeps_its_details(
    served: Served, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await ask(served, error, "/emails")

    assert (answer.status_code, answer.json()["name"]) == (500, "application_error")
    assert "canary" not in answer.text
    assert "canary-detail" in caplog.text  # for the operator, with its traceback


async def test_no_key_and_no_body_reaches_the_log(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await served.http.post("/emails", json=MAIL)
    await served.http.post("/emails", json=MAIL | {"from": "canary-from"})
    await served.http.post("/api/send", content=b'{"canary-json')
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]

    assert [line for line in ours if "canary" in line or served.key in line] == []


async def test_a_taken_port_is_told_in_one_sentence(served: Served) -> None:
    port = int(served.url.rpartition(":")[2])

    with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1 port {port}"):
        await ApiServer(create_app(served.backend), "127.0.0.1", port).start()


async def test_stop_lets_a_request_under_way_finish(served: Served) -> None:
    begun = asyncio.Event()

    class Slow(Refusing):
        async def send(self, *args: Any, **kwargs: Any) -> Any:
            begun.set()
            await asyncio.sleep(0.2)
            return await served.backend.send(*args, **kwargs)

    service: Any = Slow(served, ValueError())
    server = ApiServer(create_app(service), "127.0.0.1", 0)
    url = await server.start()
    async with httpx.AsyncClient(headers=served.with_key(served.key)) as http:
        async with asyncio.TaskGroup() as group:
            under_way = group.create_task(http.post(f"{url}/emails", json=MAIL))
            await begun.wait()
            await server.stop()
        assert under_way.result().status_code == 200
        with pytest.raises(httpx.ConnectError):
            await http.get(f"{url}/health")
    await server.stop()  # a second time does nothing
