"""Starting, stopping and steering a sandbox."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from backend.aws.ses import SesTransport
from backend.errors import ConfigError, ServiceUnavailableError, ThrottledError
from backend.sandbox import Sandbox, SandboxSettings
from tests.integration.aws.reading import Reader, outgoing

if TYPE_CHECKING:
    from pathlib import Path

CHILD = """
import json, sys
from backend.sandbox import Sandbox, SandboxSettings
sandbox = Sandbox(SandboxSettings(verified_domains=("client.example",)))
print(json.dumps(sandbox.start().to_json()), flush=True)
sys.stdin.read()
sandbox.stop()
"""


def test_a_sandbox_in_a_child_process_is_all_there() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        at = json.loads(child.stdout.readline())
        answer = httpx.get(f"{at['aws_endpoint']}/_sandbox/health")
        child.stdin.close()
        assert child.wait(10) == 0

    assert answer.json()["status"] == "ok"


def test_stopping_ends_every_thread_and_frees_the_ports() -> None:
    before = set(threading.enumerate())
    sandbox = Sandbox(SandboxSettings())
    at = sandbox.start()
    client = httpx.Client(base_url=at.aws_endpoint)
    client.get("/_sandbox/health")
    sandbox.stop()
    client.close()
    sandbox.stop()

    deadline = time.monotonic() + 5
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    assert {t.name for t in set(threading.enumerate()) - before} == set()
    with socket.create_server((at.smtp_host, at.smtp_port)):
        assert not at.smtp.endswith(":0")


def test_a_port_that_is_taken_is_named_and_nothing_is_left_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sandbox = Sandbox(SandboxSettings(smtp_port=port))
        with pytest.raises(ServiceUnavailableError, match="cannot listen"):
            sandbox.start()

    assert not [t for t in threading.enumerate() if t.name == "sandbox-http"]


def test_only_loopback_is_listened_on() -> None:
    with pytest.raises(ConfigError, match="loopback only"):
        Sandbox(SandboxSettings(host="0.0.0.0")).start()


def test_a_missing_extra_is_told_in_one_sentence(tmp_path: Path) -> None:
    code = (
        "import sys; from importlib.machinery import PathFinder as P\n"
        "find = P.find_spec\n"
        "P.find_spec = lambda n, *a, **k: None if n == 'aiosmtpd' else find(n, *a, **k)\n"
        "from backend.sandbox import Sandbox, SandboxSettings\n"
        "Sandbox(SandboxSettings()).start()\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert run.stderr.strip().endswith(
        "the sandbox needs aiosmtpd, which is not installed; "
        'run: pip install "relay-console[sandbox]"'
    )


def test_importing_the_sandbox_and_aws_loads_neither_moto_nor_boto3() -> None:
    code = (
        "import sys, backend.sandbox, backend.aws.ses, backend.aws.provision\n"
        "print(sorted({'boto3', 'botocore', 'moto', 'flask', 'aiosmtpd'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"


async def test_the_folder_tells_other_processes_where_the_sandbox_is(tmp_path: Path) -> None:
    sandbox = Sandbox(
        SandboxSettings(
            folder=tmp_path / "box",
            verified_domains=("client.example",),
            max_send_rate=2,
            enforce_rate=True,
        )
    )
    at = sandbox.start()
    reader = Reader(at)
    try:
        assert json.loads((tmp_path / "box" / "sandbox.json").read_text()) == at.to_json()
        transport = SesTransport(reader.clients)
        await transport.send(outgoing("a@b.example", "b@b.example"))
        with pytest.raises(ThrottledError, match="Maximum sending rate"):
            await transport.send(outgoing("c@b.example"))
    finally:
        reader.close()
        sandbox.stop()


async def test_a_domain_added_at_run_time_may_send_at_once(world: Reader) -> None:
    world.control("domains", name="New.example", verified=True)

    assert await SesTransport(world.clients).send(
        outgoing("a@b.example", sender="desk@new.example")
    )


async def test_accepted_mail_can_be_read_on_from_a_number(world: Reader) -> None:
    first = await SesTransport(world.clients).send(outgoing("a@b.example", world="page"))
    last = world.http.get("/_sandbox/ses/messages").json()["last"]
    second = await SesTransport(world.clients).send(outgoing("a@b.example", world="page"))
    page = world.http.get("/_sandbox/ses/messages", params={"after": last, "raw": 1}).json()

    assert first != second
    assert [row["message_id"] for row in page["messages"]] == [second]
    assert page["messages"][0]["number"] == last + 1
    assert page["messages"][0]["raw"]


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("faults", {"kind": "earthquake"}, "a fault needs a kind"),
        ("faults", {"kind": "throttle", "count": "many"}, "a fault needs a kind"),
        ("outcomes", {"address": "a@b.example", "outcomes": ["lost"]}, "'lost' is not known"),
        ("outcomes", {"address": "nobody", "outcomes": []}, "need an address"),
        ("domains", {"name": "x"}, "a domain needs a name"),
        ("weather", {}, "the sandbox has no POST /_sandbox/weather"),
    ],
)
def test_a_wrong_order_is_answered_with_a_sentence(
    world: Reader, path: str, body: dict[str, object], sentence: str
) -> None:
    answer = world.http.post(f"/_sandbox/{path}", json=body)

    assert answer.status_code in {404, 422}
    assert sentence in answer.json()["message"]


async def test_a_probable_fault_strikes_some_and_stays(world: Reader) -> None:
    world.control("faults", kind="throttle", probability=0.5)
    transport, taken, refused = SesTransport(world.clients), 0, 0
    for _ in range(40):
        try:
            await transport.send(outgoing("a@b.example", configuration_set=""))
            taken += 1
        except ThrottledError:
            refused += 1

    assert taken > 5
    assert refused > 5
    assert world.http.get("/_sandbox/faults").json()["faults"][0]["remaining"] is None


def test_one_connection_serves_many_calls(world: Reader) -> None:
    with socket.create_connection(("127.0.0.1", httpx.URL(world.at.aws_endpoint).port)) as line:
        for _ in range(3):
            line.sendall(b"GET /_sandbox/health HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while b"notices_published" not in answer:
                answer += line.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_two_sandboxes_in_one_process_do_not_meet(world: Reader) -> None:
    other = Sandbox(SandboxSettings(receiving_domains=("client.example",)))
    reader = Reader(other.start())
    try:
        raw = b"From: k@x.example\r\nTo: help@client.example\r\nSubject: apart\r\n\r\nx\r\n"
        await asyncio.to_thread(reader.hand_in, raw, "help@client.example")
        await reader.receipt_of("apart")
        await asyncio.to_thread(world.hand_in, raw, "help@client.example")
        await world.receipt_of("apart")
    finally:
        reader.close()
        other.stop()

    assert len(reader.receipts) == len(world.receipts) == 1
