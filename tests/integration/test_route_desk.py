"""The desk keeps ticket fields and the content of attachments, each content once."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from backend.desk import Desk, DeskSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.settable import SettableClock

KEY = "integration-key"


def body(content: bytes, **more: Any) -> dict[str, Any]:
    file = {
        "name": "a.txt",
        "content_type": "text/plain",
        "size": len(content),
        "sha256": sha256(content).hexdigest(),
        "inline": False,
        "content": base64.b64encode(content).decode(),
        "url": None,
        "omitted": None,
    }
    return {"subject": "Hi", "description": "x", "text": "x", "attachments": [file]} | more


@pytest.fixture
async def desk(tmp_path: Path, clock: SettableClock) -> AsyncIterator[httpx.AsyncClient]:
    settings = DeskSettings(
        folder=tmp_path / "desk", integration_key=KEY, tickets=("1001",), contacts={}
    )
    desk = Desk(settings, clock)
    at = await desk.start()
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(headers=headers, base_url=at.desk_url) as client:
        yield client
    await desk.stop()


async def post(desk: httpx.AsyncClient, path: str, key: str, sent: object) -> httpx.Response:
    return await desk.post(path, json=sent, headers={"Idempotency-Key": key})


async def test_a_ticket_keeps_queue_priority_fields_tags_and_files(desk: httpx.AsyncClient) -> None:
    rules = {"queue": "noc", "priority": "Urgent", "fields": {"asset": "web1"}, "tags": ["alert"]}

    made = (await post(desk, "/psa/tickets", "inb_1/psa", body(b"hello", **rules))).json()
    shown = (await desk.get(f"/tickets/{made['ticket_id']}")).json()

    assert (made["priority"], shown["queue"], shown["tags"]) == ("urgent", "noc", ["alert"])
    assert shown["fields"] == {"asset": "web1"}
    assert [(file["name"], file["kept"]) for file in shown["attachments"]] == [("a.txt", True)]


async def test_a_priority_it_does_not_know_is_guessed_from_the_subject(
    desk: httpx.AsyncClient,
) -> None:
    sent = body(b"", priority="P1", subject="VPN is down")

    assert (await post(desk, "/psa/tickets", "inb_1/psa", sent)).json()["priority"] == "high"


async def test_a_note_keeps_its_files_and_no_content_is_kept_in_the_record(
    desk: httpx.AsyncClient,
) -> None:
    for number in (1, 2):
        await post(desk, "/psa/tickets/1001/notes", f"inb_{number}/psa", body(b"same"))

    notes = (await desk.get("/tickets/1001")).json()["notes"]
    received = (await desk.get("/inspect")).json()["received"]

    assert [note["attachments"][0]["kept"] for note in notes] == [True, True]
    assert ["content" in call["body"]["attachments"][0] for call in received] == [False, False]


@pytest.mark.parametrize(
    "change", [{"sha256": "0" * 64}, {"content": "not base64!"}], ids=["hash", "base64"]
)
async def test_content_that_is_not_what_it_says_is_refused(
    desk: httpx.AsyncClient, change: dict[str, str]
) -> None:
    sent = body(b"hello")
    sent["attachments"][0] |= change

    answer = await post(desk, "/psa/tickets", "inb_1/psa", sent)

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("attachments.0")
