"""The surface of The One Relay over a socket."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.integration.api.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAIL: dict[str, Any] = {
    "from": "support@acme.example",
    "to": ["jo@client.example"],
    "subject": "Ticket ABC-1001",
    "html": "<p>Hi</p>",
    "tags": {"product": "psa", "ticket_id": "1001"},
}


@pytest.fixture
def relay(served: Served) -> Any:
    """A client that carries the key as The One Relay's callers do."""
    return httpx.AsyncClient(base_url=served.url, headers={"X-Relay-Key": served.key})


async def test_202_means_it_is_on_disk(served: Served, relay: httpx.AsyncClient) -> None:
    async with relay:
        answer = await relay.post("/api/send", json=MAIL)
    detail = await served.backend.email(answer.json()["message_id"])

    assert answer.status_code == 202
    assert answer.json() == {"message_id": detail.email.id, "status": "queued", "skipped": []}
    assert detail.email.tags == MAIL["tags"]


async def test_suppressed_recipients_are_skipped_and_named(
    served: Served, relay: httpx.AsyncClient
) -> None:
    entry = await served.backend.add_suppression(
        served.acme, "left@client.example", detail="", actor="test"
    )
    async with relay:
        answer = await relay.post("/api/send", json=MAIL | {"bcc": "Left@Client.example"})
    skipped = answer.json()["skipped"]

    assert answer.status_code == 202
    assert skipped == [
        {"address": "left@client.example", "reason": "manual", "since": skipped[0]["since"]}
    ]
    assert skipped[0]["since"].startswith(f"{entry.created_at:%Y-%m-%dT%H:%M:%S}")


async def test_who_was_left_out_shows_in_the_mail_and_in_the_log(
    served: Served, relay: httpx.AsyncClient
) -> None:
    """Others tell of dropped mail in no list, or look at "to" alone."""
    for name in ("off-to", "off-cc", "off-bcc"):
        await served.backend.add_suppression(
            served.acme, f"{name}@client.example", detail="left", actor="test"
        )
    async with relay:
        some = MAIL | {
            "to": ["off-to@client.example", "on@client.example"],
            "cc": "Off-CC@client.example",
            "bcc": ["off-bcc@client.example"],
        }
        sent = (await relay.post("/api/send", json=some)).json()
        read = (await relay.get(f"/emails/{sent['message_id']}")).json()
        found = (await relay.get("/api/logs", params={"q": "to:off-bcc@client.example"})).json()
        none = await relay.post("/api/send", json=some | {"to": "off-to@client.example"})

    off = {"off-to@client.example", "off-cc@client.example", "off-bcc@client.example"}
    assert {one["address"] for one in sent["skipped"]} == off
    told = {one["address"]: (one["status"], one["detail"]) for one in read["recipients"]}
    assert {
        who for who, said in told.items() if said == ("suppressed", "on the list: manual")
    } == off
    assert told["on@client.example"][0] == "queued"
    assert [one["id"] for one in found["data"]] == [sent["message_id"]]
    assert (none.status_code, none.json()["name"]) == (400, "all_suppressed")
    assert all(address in none.json()["error"] for address in off)


async def test_a_repeat_gets_the_first_answer_and_says_so(relay: httpx.AsyncClient) -> None:
    once = {"Idempotency-Key": "relay-once"}
    async with relay:
        first = await relay.post("/api/send", json=MAIL, headers=once)
        again = await relay.post("/api/send", json=MAIL, headers=once)
        other = await relay.post("/api/send", json=MAIL | {"to": "x@y.example"}, headers=once)

    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["name"]) == (409, "idempotency_conflict")


async def test_an_unknown_field_is_refused_by_name(relay: httpx.AsyncClient) -> None:
    async with relay:
        answer = await relay.post("/api/send", json=MAIL | {"replyto": "x@y.example"})

    assert answer.status_code == 422
    assert answer.json() == {
        "error": "replyto: there is no such field; docs/api.md lists them",
        "name": "invalid_input",
        "field": "replyto",
    }


async def test_no_key_and_a_wrong_key_are_both_401(served: Served) -> None:
    async with httpx.AsyncClient(base_url=served.url) as http:
        none = await http.post("/api/send", json=MAIL)
        wrong = await http.post("/api/send", json=MAIL, headers={"X-Relay-Key": "rly_a_b"})

    assert (none.status_code, none.json()["name"]) == (401, "missing_api_key")
    assert (wrong.status_code, wrong.json()["name"]) == (401, "invalid_api_key")
    assert "rly_a_b" not in wrong.text


async def test_a_domain_of_somebody_else_is_refused_naming_the_field(
    relay: httpx.AsyncClient,
) -> None:
    async with relay:
        answer = await relay.post("/api/send", json=MAIL | {"from": "a@rival.example"})

    assert answer.status_code == 400
    assert (answer.json()["name"], answer.json()["field"]) == ("domain_not_verified", "from")


async def test_attachments_of_thirty_megabytes_go_through(
    served: Served, relay: httpx.AsyncClient
) -> None:
    content = base64.b64encode(bytes(25_000_000)).decode()
    mail = MAIL | {"attachments": [{"filename": "big.bin", "content": content}]}
    async with relay:
        answer = await relay.post("/api/send", json=mail, timeout=60)

    assert answer.status_code == 202, answer.text


async def test_logs_are_this_tenants_filtered_and_paged(
    served: Served, relay: httpx.AsyncClient
) -> None:
    rival = served.with_key(served.rival_key)
    theirs = MAIL | {"from": "a@rival.example", "to": "findme@client.example"}
    await served.http.post("/api/send", json=theirs, headers=rival)
    async with relay:
        for subject in ("findme one", "findme two"):
            await relay.post("/api/send", json=MAIL | {"subject": subject})
        page = await relay.get("/api/logs", params={"text": "findme", "limit": 1})
        bounced = await relay.get("/api/logs", params={"text": "findme", "status": "bounced"})

    assert page.json()["total"] == 2
    assert [e["subject"] for e in page.json()["data"]] == ["findme two"]
    assert page.json()["data"][0]["direction"] == "out"
    assert bounced.json()["total"] == 0


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"q": "staus:sent"}, "staus"),
        ({"q": "status:sunk"}, "status"),
        ({"sort": "size"}, "sort"),
        ({"status": "sunk"}, "status"),
        ({"direction": "up"}, "direction"),
    ],
)
async def test_a_bad_filter_is_named(
    relay: httpx.AsyncClient, params: dict[str, Any], field: str
) -> None:
    async with relay:
        answer = await relay.get("/api/logs", params=params)

    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_stats_count_what_was_accepted(served: Served) -> None:
    rival = served.with_key(served.rival_key)
    before = (await served.http.get("/api/stats", headers=rival)).json()
    mail = MAIL | {"from": "a@rival.example", "cc": "sam@client.example"}
    await served.http.post("/api/send", json=mail, headers=rival)
    after = (await served.http.get("/api/stats", params={"days": 1}, headers=rival)).json()

    assert after["counts"]["accepted"] == before["counts"]["accepted"] + 2
    assert (after["days"], after["bounce_rate"]) == (1, None)


async def test_an_unknown_path_below_api_answers_in_relays_shape(
    relay: httpx.AsyncClient,
) -> None:
    async with relay:
        answer = await relay.get("/api/nowhere")

    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "name"}
