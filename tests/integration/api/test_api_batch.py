"""Batches, scheduled mail and rate limits over a socket, on both surfaces."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import pytest

from backend.model.limits import SendLimits
from backend.model.tenant import Scope

if TYPE_CHECKING:
    import httpx

    from tests.integration.api.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAIL: dict[str, Any] = {
    "from": "Acme <support@acme.example>",
    "to": ["jo@client.example"],
    "subject": "Hello",
    "text": "Hi",
}
FILE = {"filename": "a.txt", "content": base64.b64encode(b"file").decode()}
WRONG = [MAIL | {"to": "nobody"}, {"subject": "x"}, MAIL | {"from": "a@rival.example"}, 7]


async def post(served: Served, path: str, body: Any, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await served.http.post(path, json=body, headers=sent)


async def test_a_batch_of_resend_gives_ids_in_order_files_and_all(served: Served) -> None:
    mails = [MAIL | {"subject": f"No. {n}", "attachments": [FILE]} for n in range(100)]
    answer = await post(served, "/emails/batch", mails, Idempotency_Key="batch-1")
    again = await post(served, "/emails/batch", mails, Idempotency_Key="batch-1")
    other = await post(served, "/emails/batch", mails[:1], Idempotency_Key="batch-1")
    ids = [one["id"] for one in answer.json()["data"]]
    last = (await served.http.get(f"/emails/{ids[-1]}")).json()

    assert (answer.status_code, list(answer.json()), len(set(ids))) == (200, ["data"], 100)
    assert last["subject"] == "No. 99"
    assert again.json() == answer.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["name"]) == (409, "invalid_idempotent_request")


async def test_a_strict_batch_with_a_fault_accepts_nothing_and_tells_each(served: Served) -> None:
    resend = await post(served, "/emails/batch", [MAIL, *WRONG], x_batch_validation="strict")
    relay = await post(
        served, "/api/send-batch", {"messages": [MAIL, *WRONG]}, x_batch_validation="strict"
    )

    assert (resend.status_code, resend.json()["name"]) == (422, "validation_error")
    assert resend.json()["message"].startswith("[1].to: ")
    assert (relay.status_code, relay.json()["name"]) == (422, "invalid_input")
    assert [(e["index"], e["name"], e.get("field")) for e in relay.json()["errors"]] == [
        (1, "invalid_input", "to"),
        (2, "invalid_input", "from"),
        (3, "domain_not_verified", "from"),
        (4, "invalid_input", None),
    ]


async def test_a_permissive_batch_takes_what_is_right_and_tells_the_rest(served: Served) -> None:
    await served.backend.add_suppression(
        served.acme, "left@client.example", detail="", actor="test"
    )
    skipping = MAIL | {"cc": "left@client.example"}
    resend = await post(served, "/emails/batch", [*WRONG, MAIL], x_batch_validation="permissive")
    relay = await post(served, "/api/send-batch", [WRONG[0], skipping, MAIL])
    none = await post(served, "/api/send-batch", {"messages": WRONG})

    assert len(resend.json()["data"]) == 1
    assert [e["index"] for e in resend.json()["errors"]] == [0, 1, 2, 3]
    assert all(e["message"] for e in resend.json()["errors"])
    told = relay.json()
    assert (relay.status_code, told["accepted"], told["refused"]) == (202, 2, 1)
    assert [one["index"] for one in told["results"]] == [0, 1, 2]
    assert told["results"][0]["field"] == "to"
    assert [s["address"] for s in told["results"][1]["skipped"]] == ["left@client.example"]
    assert told["results"][2]["status"] == "queued"
    assert (none.status_code, none.json()["accepted"], none.json()["refused"]) == (422, 0, 4)


@pytest.mark.parametrize(
    ("path", "body", "status", "hint"),
    [
        ("/emails/batch", [], 422, "1 to 100 mails; this one has 0"),
        ("/emails/batch", [MAIL] * 101, 422, "1 to 100 mails; this one has 101"),
        ("/api/send-batch", [MAIL] * 51, 422, "1 to 50 mails; this one has 51"),
        ("/emails/batch", {"to": "x"}, 400, "not a list of mails"),
        ("/api/send-batch", "text", 400, "not a list of mails"),
    ],
)
async def test_what_is_no_batch_is_told(
    served: Served, path: str, body: Any, status: int, hint: str
) -> None:
    answer = await post(served, path, body)

    assert answer.status_code == status
    assert hint in answer.text


async def test_batches_need_their_scope_and_a_known_way_of_validation(served: Served) -> None:
    plain = served.with_key(await served.key_for(Scope.SEND))
    both = served.with_key(await served.key_for(Scope.SEND, Scope.SEND_BATCH))
    refused = await served.http.post("/emails/batch", json=[MAIL], headers=plain)
    taken = await served.http.post("/emails/batch", json=[MAIL], headers=both)
    odd = await post(served, "/emails/batch", [MAIL], x_batch_validation="lenient")

    assert (refused.status_code, refused.json()["name"]) == (401, "restricted_api_key")
    assert taken.status_code == 200
    assert (odd.status_code, "strict or permissive" in odd.text) == (422, True)


async def test_scheduled_mail_is_moved_and_called_off_and_then_it_is_too_late(
    served: Served,
) -> None:
    sent = await post(served, "/emails", MAIL | {"scheduled_at": "in 2 hours"})
    path = f"/emails/{sent.json()['id']}"
    before = (await served.http.get(path)).json()
    moved = await served.http.patch(path, json={"scheduled_at": "in 3 hours"})
    after = (await served.http.get(path)).json()
    rival = await served.http.post(f"{path}/cancel", headers=served.with_key(served.rival_key))
    cancelled = await served.http.post(f"/api{path}/cancel")
    late = await served.http.patch(path, json={"scheduled_at": "in 1 hour"})
    plain = await post(served, "/emails", MAIL)
    unscheduled = await served.http.post(f"/emails/{plain.json()['id']}/cancel")

    assert before["last_event"] == "scheduled"
    assert moved.json() == cancelled.json() == {"object": "email", "id": sent.json()["id"]}
    assert after["scheduled_at"] > before["scheduled_at"]
    assert rival.status_code == 404
    assert (await served.http.get(path)).json()["last_event"] == "canceled"
    for answer in (late, unscheduled):
        assert (answer.status_code, answer.json()["name"]) == (422, "validation_error")


@pytest.mark.parametrize("body", [{}, {"scheduled_at": "whenever"}, {"scheduled_at": None}])
async def test_a_time_that_is_none_is_refused(served: Served, body: dict[str, Any]) -> None:
    sent = await post(served, "/emails", MAIL | {"scheduled_at": "tomorrow at 9am"})
    answer = await served.http.patch(f"/emails/{sent.json()['id']}", json=body)

    assert answer.status_code == 422
    assert "scheduled_at" in answer.json()["message"]


async def test_of_a_hundred_at_once_ten_pass_and_the_rest_are_told_when_to_return(
    served: Served,
) -> None:
    # the window of a minute: how long a hundred requests take here must not matter
    tenants = await served.backend.tenants()
    rival = next(tenant.id for tenant in tenants if tenant.name == "Rival")
    await served.backend.limits.set(rival, SendLimits(minute=10), actor="test")
    mail, key = MAIL | {"from": "a@rival.example"}, {"X-Relay-Key": served.rival_key}
    answers = await asyncio.gather(*(post(served, "/emails", mail, **key) for _ in range(100)))
    relay = await post(served, "/api/send", mail, **key)
    taken = [a for a in answers if a.status_code == 200]
    refused = [a for a in answers if a.status_code == 429]

    assert (len(taken), len(refused)) == (10, 90)
    assert sorted(int(a.headers["ratelimit-remaining"]) for a in taken) == list(range(10))
    assert {a.headers["ratelimit-limit"] for a in answers} == {"10"}
    assert {a.headers["ratelimit-policy"] for a in answers} == {"10;w=60"}
    assert {a.json()["name"] for a in refused} == {"rate_limit_exceeded"}
    assert all(1 <= int(a.headers["retry-after"]) <= 63 for a in refused)
    assert relay.status_code == 429
    assert relay.json()["retry_after"] == int(relay.headers["retry-after"])
    assert (relay.headers["ratelimit-remaining"], relay.json()["name"]) == (
        "0",
        "rate_limit_exceeded",
    )
