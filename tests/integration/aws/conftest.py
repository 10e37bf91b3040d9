"""One sandbox per module, started once and asked over the network only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backend.sandbox import Sandbox, SandboxSettings
from tests.integration.aws.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def running() -> Iterator[Reader]:
    sandbox = Sandbox(
        SandboxSettings(
            verified_domains=("client.example",),
            receiving_domains=("client.example", "relay.example"),
            event_seconds=(0.005, 0.02),
            verify_seconds=(0.1, 0.2),
            outcomes={"full@customer.example": ["bounce:MailboxFull"]},
        )
    )
    reader = Reader(sandbox.start())
    try:
        yield reader
    finally:
        reader.close()
        sandbox.stop()


@pytest.fixture
def world(running: Reader) -> Iterator[Reader]:
    """The sandbox of this module, with no faults left over."""
    running.http.delete("/_sandbox/faults")
    yield running
    running.http.delete("/_sandbox/faults")
