"""Settings and compliance of a tenant, and what its rate limits count and what not."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio

from backend.clock import SystemClock
from backend.model.compliance import Alert, AlertKind, Level
from backend.model.limits import SendLimits
from backend.model.stats import Counter
from backend.model.tenant import KeyWish, Scope
from backend.model.work import WorkKind
from backend.queue import items
from backend.store import compliance, counters
from backend.store.schema_limits import send_limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.api.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLOCK = SystemClock()
MAIL: dict[str, Any] = {
    "from": "a@acme.example",
    "to": "jo@client.example",
    "subject": "Hi",
    "text": "x",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admin(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    key = served.with_key(await served.key_for(Scope.ADMIN))
    async with httpx.AsyncClient(base_url=served.url, headers=key) as http:
        yield http


async def used(admin: httpx.AsyncClient) -> int:
    """Give what counts in the window of a day."""
    found: int = (await admin.get("/api/settings")).json()["limits"]["day"]["used"]
    return found


async def test_limits_are_changed_one_by_one_and_taken_back(served: Served) -> None:
    wish = KeyWish(
        tenant_id=served.acme, name="noc", scopes=frozenset({Scope.ADMIN}), any_tenant=True
    )
    wide = served.with_key((await served.backend.access.issue(wish, actor="t")).secret)
    admin = httpx.AsyncClient(base_url=served.url, headers=wide)
    before = (await admin.get("/api/settings")).json()
    changed = await admin.patch("/api/settings", json={"limits": {"second": 5, "hour": 900}})
    more = await admin.patch("/api/settings", json={"limits": {"second": None}})
    for bad in ({"limits": {"second": 0}}, {"limits": {"week": 1}}, {"speed": 1}):
        assert (await admin.patch("/api/settings", json=bad)).status_code == 422

    assert before["limits"]["second"] == {"limit": None, "own": None, "used": 0}
    assert changed.json()["limits"]["second"]["limit"] == 5
    assert {name: one["own"] for name, one in more.json()["limits"].items()} == {
        "second": None,
        "minute": None,
        "hour": 900,
        "day": None,
    }
    await admin.patch("/api/settings", json={"limits": {"hour": None}})
    await admin.aclose()


async def test_a_key_of_one_tenant_lowers_its_limits_and_never_raises_them(
    served: Served, admin: httpx.AsyncClient
) -> None:
    await served.backend.limits.set(served.acme, SendLimits(second=10, day=500), actor="t")
    lower = await admin.patch("/api/settings", json={"limits": {"second": 5, "hour": 50}})
    for raised in ({"second": 6}, {"second": None}, {"day": 501}, {"day": 9, "hour": None}):
        answer = await admin.patch("/api/settings", json={"limits": raised})
        assert answer.status_code == 403, raised
        assert "lower limits, not raise" in answer.json()["error"]
    held = (await admin.get("/api/settings")).json()["limits"]
    await served.backend.limits.set(served.acme, SendLimits(), actor="t")

    assert lower.status_code == 200
    assert {name: one["own"] for name, one in held.items()} == {
        "second": 5,
        "minute": None,
        "hour": 50,
        "day": 500,
    }


async def test_only_what_is_accepted_counts_whoever_asks_and_however_often(
    served: Served, admin: httpx.AsyncClient
) -> None:
    await served.backend.limits.set(served.acme, SendLimits(day=7), actor="t")
    start = await used(admin)
    once = {"Idempotency-Key": "counts"}
    wrong = MAIL | {"to": "nobody"}
    assert (await admin.post("/emails", json=wrong, headers=once)).status_code == 422
    refused = [
        await admin.post("/emails", json=MAIL | {"from": "a@rival.example"}, headers=once),
        await admin.post("/emails/batch", json=[MAIL, wrong], headers=once),
        await admin.post("/emails/batch", json=[MAIL] * 8, headers=once),
    ]
    assert [answer.status_code for answer in refused] == [400, 422, 422]
    assert await used(admin) == start

    first = await admin.post("/emails", json=MAIL, headers=once)  # no refusal took the key
    again = await admin.post("/emails", json=MAIL, headers=once)
    other = await admin.post("/emails", json=MAIL | {"subject": "2"}, headers=once)
    assert (first.status_code, again.json(), other.status_code) == (200, first.json(), 409)
    assert await used(admin) == start + 1
    partly = await admin.post("/api/send-batch", json=[MAIL, wrong, MAIL])
    assert partly.json()["accepted"] == 2
    assert partly.headers["ratelimit-remaining"] == str(7 - start - 3)
    assert await used(admin) == start + 3
    await served.backend.limits.set(served.acme, SendLimits(), actor="t")


async def test_a_batch_over_the_window_passes_not_at_all_and_says_when_it_will(
    served: Served, admin: httpx.AsyncClient
) -> None:
    room = await used(admin) + 5
    await served.backend.limits.set(served.acme, SendLimits(day=room), actor="t")
    once = {"Idempotency-Key": "too-many"}
    six = await admin.post("/api/send-batch", json=[MAIL] * 6, headers=once)
    resend = await admin.post("/emails/batch", json=[MAIL] * 6)
    five = await admin.post("/api/send-batch", json=[MAIL] * 5, headers=once)
    one = await admin.post("/api/send", json=MAIL)

    for answer in (six, resend):
        assert answer.status_code == 429
        assert answer.headers["ratelimit-limit"] == str(room)
        assert answer.headers["ratelimit-remaining"] == "5"
        assert 0 < int(answer.headers["retry-after"]) <= int(answer.headers["ratelimit-reset"])
    assert six.json()["retry_after"] == int(six.headers["retry-after"])
    assert (five.status_code, five.headers["ratelimit-remaining"]) == (202, "0")
    assert one.status_code == 429
    assert await used(admin) == room
    await served.backend.limits.set(served.acme, SendLimits(), actor="t")


async def test_in_parallel_one_key_makes_one_mail_though_its_first_uses_fail(
    served: Served, admin: httpx.AsyncClient
) -> None:
    once = {"Idempotency-Key": "storm"}
    before = await used(admin)
    bodies = [MAIL | {"to": "nobody"}, MAIL] * 15
    answers = await asyncio.gather(
        *(admin.post("/emails", json=body, headers=once) for body in bodies)
    )
    ids = {answer.json()["id"] for answer in answers if answer.status_code == 200}

    assert {answer.status_code for answer in answers} <= {200, 409, 422}
    assert all(a.status_code == 422 for a, b in zip(answers, bodies, strict=True) if b is not MAIL)
    assert len(ids) == 1
    assert await used(admin) == before + 1


async def test_without_its_counts_the_limiter_lets_nobody_through(
    served: Served, admin: httpx.AsyncClient
) -> None:
    """Others let all mail pass when the store of their limiter is down."""
    await served.backend.limits.set(served.acme, SendLimits(minute=1000), actor="t")
    before = (await admin.get("/emails", params={"limit": 1})).json()["data"]
    name = send_limits.name
    await served.db.write(lambda tx: tx.exec_driver_sql(f"ALTER TABLE {name} RENAME TO away"))
    answer = await admin.post("/emails", json=MAIL)
    await served.db.write(lambda tx: tx.exec_driver_sql(f"ALTER TABLE away RENAME TO {name}"))
    after = (await admin.get("/emails", params={"limit": 1})).json()["data"]

    assert answer.status_code >= 500
    assert "send_limits" not in answer.text
    assert after == before
    assert (await admin.post("/emails", json=MAIL)).status_code == 200
    await served.backend.limits.set(served.acme, SendLimits(), actor="t")


async def test_a_mail_in_a_workers_hands_is_neither_called_off_nor_moved(
    served: Served, admin: httpx.AsyncClient
) -> None:
    sent = (await admin.post("/emails", json=MAIL | {"scheduled_at": "in 1 hour"})).json()["id"]
    later = CLOCK.now() + timedelta(hours=2)
    claimed = await served.db.write(
        lambda tx: items.claim(
            tx, {WorkKind.SEND}, "worker", now=later, lease=timedelta(hours=1), limit=500
        )
    )
    (mine,) = (item for item in claimed if item.ref == sent)
    late = [
        await admin.post(f"/emails/{sent}/cancel"),
        await admin.patch(f"/emails/{sent}", json={"scheduled_at": "in 2 hours"}),
    ]
    status = (await admin.get(f"/emails/{sent}")).json()["last_event"]
    for item in claimed:
        await served.db.write(items.proceed, item, later)
    cancelled = await asyncio.gather(*(admin.post(f"/emails/{sent}/cancel") for _ in range(5)))

    assert mine.ref == sent
    assert [(a.status_code, a.json()["name"]) for a in late] == [(422, "validation_error")] * 2
    assert status == "scheduled"
    assert [answer.status_code for answer in cancelled] == [200] * 5
    assert (await admin.get(f"/emails/{sent}")).json()["last_event"] == "canceled"


async def test_the_borders_of_one_mail(admin: httpx.AsyncClient) -> None:
    many = [f"u{n}@client.example" for n in range(51)]
    fifty = {"to": many[:20], "cc": many[20:40], "bcc": many[40:50]}
    file = {"filename": "a.txt", "content": "YQ=="}
    taken = (
        fifty,
        fifty | {"cc": [*many[20:40], "U3@Client.example"]},  # who is named twice counts once
        {"attachments": [file] * 10},
        {"tags": {"a" * 256: "b" * 256}},
        {"tags": [{"name": "a", "value": "b"}]},
        {"scheduled_at": (CLOCK.now() - timedelta(minutes=4)).isoformat()},
        {"scheduled_at": (CLOCK.now() + timedelta(days=29.9)).isoformat()},
    )
    refused = (
        (fifty | {"bcc": many[40:51]}, "to"),
        ({"attachments": [file] * 11}, "attachments"),
        ({"tags": {"a" * 257: "b"}}, "tags"),
        ({"tags": {"a": "b c"}}, "tags"),
        ({"tags": {"": "b"}}, "tags"),
        ({"tags": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}, "tags"),
        ({"tags": {"relay-attempt": "att_1"}}, "tags"),
        ({"tags": {f"t{n}": "v" for n in range(41)}}, "tags"),
        ({"scheduled_at": (CLOCK.now() - timedelta(minutes=6)).isoformat()}, "scheduled_at"),
        ({"scheduled_at": (CLOCK.now() + timedelta(days=31)).isoformat()}, "scheduled_at"),
        ({"scheduled_at": "2026-11-20T21:00:00"}, "scheduled_at"),
    )
    for change in taken:
        answer = await admin.post("/api/send", json=MAIL | change)
        assert answer.status_code == 202, answer.text
    for change, field in refused:
        answer = await admin.post("/api/send", json=MAIL | change)
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text


async def test_compliance_tells_a_tenant_of_itself_alone(
    served: Served, admin: httpx.AsyncClient
) -> None:
    rival = (await served.backend.authenticate(served.rival_key)).tenant_id
    none = (await admin.get("/api/compliance")).json()
    now = CLOCK.now()
    for number, subject in enumerate((served.acme, rival, "")):
        alert = Alert(
            id=f"alr_{number}",
            kind=AlertKind.BOUNCES,
            subject=subject,
            level=Level.WARNING,
            sentence=f"about {number}",
            raised_at=now,
        )
        await served.db.write(compliance.raise_alert, alert)
    for tenant, n in ((served.acme, 3), (rival, 70)):
        await served.db.write(counters.bump, tenant, Counter.SENT, now, n)
    await served.backend.compliance.brake(served.acme, reason="many bounces", actor="ann")
    await served.backend.compliance.brake(rival, reason="theirs", actor="ann")
    found = (await admin.get("/api/compliance")).json()
    await served.backend.compliance.lift(served.acme, actor="ann")
    await served.backend.compliance.lift(rival, actor="ann")

    assert (none["standing"], none["brake"], none["alerts"]) == (None, None, [])
    assert (found["standing"]["eligible"], found["standing"]["level"]) == (3, "good")
    assert found["limits"]["bounce_rate"] == {"review": 0.05, "pause": 0.1}
    assert (found["brake"]["reason"], found["brake"]["automatic"]) == ("many bounces", False)
    assert [one["sentence"] for one in found["alerts"]] == ["about 0"]
    assert "theirs" not in str(found)
    assert "ann" not in str(found)
