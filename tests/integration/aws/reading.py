"""Talks to a running sandbox as any client of AWS would, and waits for its notices."""

from __future__ import annotations

import asyncio
import json
import smtplib
import time
from typing import TYPE_CHECKING, Any

import httpx

from backend.aws.client import Clients
from backend.aws.sqs import SqsQueue
from backend.ports import OutgoingMail

if TYPE_CHECKING:
    from collections.abc import Callable

    from backend.ports import Notice
    from backend.sandbox import SandboxAddresses

PATIENCE = 10.0


class Reader:
    """A sandbox at work: its addresses, clients, and everything read from its queues so far."""

    def __init__(self, at: SandboxAddresses) -> None:
        self.at = at
        self.clients = Clients(at.region, at.aws_endpoint)
        self.impatient = Clients(at.region, at.aws_endpoint, read_timeout=0.4)
        self.http = httpx.Client(base_url=at.aws_endpoint)
        self.notices: list[Notice] = []
        self.events: list[dict[str, Any]] = []
        self.receipts: list[dict[str, Any]] = []

    def close(self) -> None:
        self.clients.close()
        self.impatient.close()
        self.http.close()

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.http.post(f"/_sandbox/{path}", json=body)
        answer.raise_for_status()
        result: dict[str, Any] = answer.json()
        return result

    def accepted(self, world: str, *, raw: bool = False) -> list[dict[str, Any]]:
        answer = self.http.get("/_sandbox/ses/messages", params={"raw": int(raw)})
        return [row for row in answer.json()["messages"] if row["tags"].get("world") == world]

    def calls(self, name: str) -> int:
        calls: dict[str, int] = self.http.get("/_sandbox/health").json()["calls"]
        return calls.get(name, 0)

    async def events_of(self, message_id: str, count: int) -> list[dict[str, Any]]:
        """Wait for so many events about a mail, in the order they came."""

        def found() -> list[dict[str, Any]]:
            return [event for event in self.events if event["mail"]["messageId"] == message_id]

        await self._poll(self.at.events_queue_url, self.events, lambda: len(found()) >= count)
        return found()

    async def receipt_of(self, subject: str) -> dict[str, Any]:
        """Wait for the receipt notice of a mail by its subject."""

        def found() -> list[dict[str, Any]]:
            return [
                notice
                for notice in self.receipts
                if notice["mail"]["commonHeaders"]["subject"] == subject
            ]

        await self._poll(self.at.inbound_queue_url, self.receipts, lambda: bool(found()))
        return found()[0]

    def hand_in(
        self, raw: bytes, *recipients: str, sender: str = "kim@customer.example"
    ) -> tuple[int, bytes]:
        """Hand a mail to the SMTP door and give its answer."""
        with smtplib.SMTP(self.at.smtp_host, self.at.smtp_port, timeout=5) as client:
            client.ehlo("mx.customer.example")
            client.mail(sender)
            for recipient in recipients:
                client.rcpt(recipient)
            return client.data(raw)

    async def _poll(self, url: str, seen: list[dict[str, Any]], enough: Callable[[], bool]) -> None:
        queue = SqsQueue(self.clients, url)
        deadline = time.monotonic() + PATIENCE
        while not enough() and time.monotonic() < deadline:
            notices = await queue.receive(10, 1)
            await queue.acknowledge(notices)
            self.notices += notices
            seen += [json.loads(json.loads(notice.body)["Message"]) for notice in notices]
        assert enough(), f"not seen within {PATIENCE} s"


def outgoing(*to: str, world: str = "w1", sender: str = "desk@client.example", **other: Any) -> Any:
    """Make a mail with sensible defaults."""
    raw = (
        f"From: Desk <{sender}>\r\nTo: {', '.join(to)}\r\nSubject: Re: =?utf-8?q?caf=C3=A9?=\r\n"
        f"Message-ID: <ours@client.example>\r\nX-Relay-Attempt: {world}\r\n"
        "Bcc: hidden@x.example\r\n"
        "\r\nSee https://client.example/ticket/1 for more.\r\n"
    )
    values: dict[str, Any] = {
        "raw": raw.encode(),
        "sender": sender,
        "to": to,
        "cc": (),
        "bcc": (),
        "tags": {"world": world},
        "configuration_set": "relay",
    }
    return OutgoingMail(**(values | other))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, by a deadline."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"not so within {PATIENCE} s"
        await asyncio.sleep(0.02)
