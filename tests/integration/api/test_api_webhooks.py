"""Webhooks and usage over HTTP: The One Relay's surface, and Resend's by its official client."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio
import resend
from resend.exceptions import ResendError

from backend.bus.webhook_desk import WebhookDesk
from backend.clock import SystemClock
from backend.model.bus import BusEvent
from backend.model.stats import Counter
from backend.model.tenant import Scope
from backend.queue.announce import announce
from backend.store import counters
from tests.settable import START, CountingIds, SettableClock
from tests.webhook_world import Receiver, World, receiving, telling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.api.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")

URL = "https://hooks.example/relay"


@dataclass
class Both:
    """An API whose webhooks may post to this machine, and a receiver there."""

    served: Served
    world: World
    receiver: Receiver
    admin: httpx.AsyncClient


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(served: Served) -> AsyncIterator[Both]:
    key = await served.key_for(Scope.ADMIN)
    kept = served.backend.webhooks
    async with (
        # the client compares the signature's time with the system's
        telling(served.db, SettableClock(SystemClock().now()), CountingIds()) as world,
        receiving() as receiver,
        httpx.AsyncClient(base_url=served.url, headers=served.with_key(key)) as admin,
    ):
        served.backend.webhooks = WebhookDesk(world.bus, lambda: None)
        resend.api_url, resend.api_key = served.url, key
        yield Both(served=served, world=world, receiver=receiver, admin=admin)
        served.backend.webhooks = kept


async def happen(both: Both, number: int, what: str) -> None:
    event = BusEvent(
        id=f"evt_api{number}",
        type=what,
        created_at=START,
        tenant_id=both.served.acme,
        data={"email_id": "msg_gone", "recipients": ["jo@client.example"], "subtype": "a/b"},
    )
    await both.served.db.write(announce, event)
    await both.world.work()
    await both.world.work()


async def test_the_life_of_a_webhook_on_our_own_surface(both: Both) -> None:
    asked = {"url": both.receiver.url, "events": ["relay.email.*"], "description": "CRM"}
    made = await both.admin.post("/api/webhooks", json=asked)
    at = f"/api/webhooks/{made.json()['id']}"
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    assert made.json().items() >= asked.items()

    rotated = (await both.admin.post(f"{at}/rotate", json={"overlap_hours": 2})).json()
    assert rotated["secret"] != made.json()["secret"]
    until = datetime.fromisoformat(rotated["previous_secret_until"])
    assert until == both.world.clock.now() + timedelta(hours=2)

    both.receiver.answer = "500 Oops"
    await happen(both, 1, "relay.email.sent")
    (line,) = (await both.admin.get("/api/webhooks")).json()["data"]
    assert (line["failures"], line["pending"], line["dead"]) == (1, 1, 0)
    assert line["last_error"] == "it answered 500"
    assert "secret" not in line

    listed = (await both.admin.get(f"{at}/deliveries", params={"state": "pending"})).json()
    assert (listed["total"], listed["data"][0]["event_id"]) == (1, "evt_api1")
    one = f"{at}/deliveries/{listed['data'][0]['id']}"
    assert (await both.admin.get(one)).json()["payload"]["type"] == "relay.email.sent"

    both.receiver.answer = "200 OK"
    assert (await both.admin.post(f"{one}/replay")).json()["state"] == "pending"
    await both.world.work()
    assert (await both.admin.get(one)).json()["state"] == "delivered"
    tested = (await both.admin.post(f"{at}/test")).json()
    assert (tested["state"], tested["tries"][0]["status"]) == ("delivered", 200)

    again = {"state": "delivered", "type": "relay.email.sent"}
    assert (await both.admin.post(f"{at}/replay", json=again)).json() == {"queued": 1}
    missed = {"missed": True, "since": "2026-03-01T00:00:00Z"}
    assert (await both.admin.post(f"{at}/replay", json=missed)).json() == {"queued": 0}

    off = (await both.admin.patch(at, json={"enabled": False, "events": []})).json()
    assert (off["enabled"], off["events"], off["url"]) == (False, [], both.receiver.url)
    assert off["disabled_reason"].startswith("switched off by key ")
    assert (await both.admin.delete(at)).json()["id"] == made.json()["id"]
    assert (await both.admin.get(at)).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("", {"url": "nonsense"}, 422, "url"),
        ("", {"url": "ftp://hooks.example/"}, 422, "url"),
        ("", {"url": URL, "events": ["relay.email.sned"]}, 422, "events"),
        ("", {"events": []}, 422, "url"),
        ("/whk_none/replay", {"missed": True}, 404, None),
    ],
)
async def test_wrong_input_is_told_with_its_field(
    both: Both, path: str, body: dict[str, Any], status: int, field: str | None
) -> None:
    answer = await both.admin.post(f"/api/webhooks{path}", json=body)

    assert (answer.status_code, answer.json().get("field")) == (status, field)


async def test_a_key_needs_admin_and_sees_the_webhooks_of_its_tenant_only(both: Both) -> None:
    made = (await both.admin.post("/api/webhooks", json={"url": URL})).json()
    weak = both.served.with_key(both.served.key)
    rival = await both.served.backend.authenticate(both.served.rival_key)
    strange = await both.served.backend.issue_key(
        rival.tenant_id, "r", frozenset({Scope.ADMIN}), actor="test"
    )
    other = both.served.with_key(strange.secret)
    http = both.served.http
    for at, status in (("/api/webhooks", 403), ("/webhooks", 401), ("/api/usage", 403)):
        assert (await http.get(at, headers=weak)).status_code == status
    for at in ("/api/webhooks", "/webhooks"):
        assert (await http.get(at, headers=other)).json()["data"] == []
        one = f"{at}/{made['id']}"
        assert (await http.get(one, headers=other)).status_code == 404
        assert (await http.patch(one, headers=other, json={})).status_code == 404
        assert (await http.delete(one, headers=other)).status_code == 404
    assert (await both.admin.delete(f"/api/webhooks/{made['id']}")).status_code == 200


async def test_resends_client_makes_a_webhook_and_verifies_what_it_gets(both: Both) -> None:
    call = asyncio.to_thread
    made = await call(
        resend.Webhooks.create,
        {"endpoint": both.receiver.url, "events": ["email.bounced", "contact.created"]},
    )
    hook = made["id"]
    assert (await call(resend.Webhooks.get, hook))["status"] == "enabled"
    listed = await call(resend.Webhooks.list, {"limit": 1})
    assert [one["id"] for one in listed["data"]] == [hook]
    both.receiver.seen.clear()
    await happen(both, 10, "relay.email.sent")
    await happen(both, 11, "relay.email.bounced")

    ((headers, body),) = both.receiver.seen
    verified = resend.Webhooks.verify(
        {
            "payload": body,
            "headers": {
                "id": headers["svix-id"],
                "timestamp": headers["svix-timestamp"],
                "signature": headers["svix-signature"],
            },
            "webhook_secret": made["signing_secret"],
        }
    )
    assert verified["type"] == "email.bounced"
    events = await call(resend.Webhooks.list_events, hook)
    assert [(one["id"], one["type"], one["status"]) for one in events["data"]] == [
        ("evt_api11", "email.bounced", "success")
    ]
    event: Any = await call(resend.Webhooks.get_event, hook, "evt_api11")
    assert event["payload"]["data"]["bounce"]["type"] == "a"
    assert (await call(resend.Webhooks.replay_event, hook, "evt_api11"))["id"] == "evt_api11"
    await both.world.work()
    attempts = await call(resend.Webhooks.list_event_attempts, hook, "evt_api11", {"limit": 1})
    assert (attempts["has_more"], attempts["data"][0]["http_status_code"]) == (True, 200)

    await call(resend.Webhooks.update, {"webhook_id": hook, "status": "disabled"})
    assert (await call(resend.Webhooks.get, hook))["status"] == "disabled"
    rotated = await call(resend.Webhooks.rotate_signing_secret, hook)
    assert rotated["signing_secret"] != made["signing_secret"]
    assert (await call(resend.Webhooks.remove, hook))["deleted"] is True
    with pytest.raises(ResendError, match="there is no webhook"):
        await call(resend.Webhooks.get, hook)


async def test_lists_of_webhooks_have_cursors_both_ways(both: Both) -> None:
    ids = [
        (
            await both.admin.post("/webhooks", json={"endpoint": URL, "events": ["email.sent"]})
        ).json()["id"]
        for _ in range(3)
    ]
    newest = ids[::-1]

    async def page(**asked: Any) -> tuple[list[str], bool]:
        got = (await both.admin.get("/webhooks", params=asked)).json()
        return [one["id"] for one in got["data"]], got["has_more"]

    assert await page(limit=2) == (newest[:2], True)
    assert await page(limit=2, after=newest[1]) == (newest[2:], False)
    assert await page(limit=1, before=newest[2]) == ([newest[1]], True)
    wrong = await both.admin.get("/webhooks", params={"after": "whk_none"})
    assert (wrong.status_code, wrong.json()["name"]) == (422, "validation_error")
    for one in ids:
        await both.admin.delete(f"/webhooks/{one}")


async def test_usage_of_a_month_comes_with_its_sums(both: Both) -> None:
    for day in (3, 4):
        at = START.replace(year=2025, day=day)
        await both.served.db.write(counters.bump, both.served.acme, Counter.SENT, at, 2)
    found = (await both.admin.get("/api/usage", params={"month": "2025-03"})).json()

    assert [(one["day"], one["sent"]) for one in found["data"]] == [
        ("2025-03-03", 2),
        ("2025-03-04", 2),
    ]
    assert found["total"]["sent"] == 4
    wrong = await both.admin.get("/api/usage", params={"month": "March"})
    assert wrong.json()["field"] == "month"
