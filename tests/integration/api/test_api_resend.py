"""The Resend-compatible surface over a socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from backend.model.inbound import InboundMessage, InboundStatus, Reason, ScanVerdicts
from backend.model.tenant import Scope
from backend.store import inbound
from tests.settable import START

if TYPE_CHECKING:
    from tests.integration.api.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAIL: dict[str, Any] = {
    "from": "Acme <support@acme.example>",
    "to": ["jo@client.example"],
    "subject": "Hello",
    "text": "Hi",
}


async def test_a_mail_is_answered_with_its_id_and_can_be_read(served: Served) -> None:
    mail = MAIL | {"cc": "sam@client.example", "tags": [{"name": "product", "value": "psa"}]}
    sent = await served.http.post("/emails", json=mail)
    read = (await served.http.get(f"/emails/{sent.json()['id']}")).json()

    assert sent.status_code == 200
    assert list(sent.json()) == ["id"]
    assert sent.headers["content-type"] == "application/json"
    assert (read["object"], read["last_event"]) == ("email", "queued")
    assert (read["to"], read["cc"], read["bcc"]) == (
        ["jo@client.example"],
        ["sam@client.example"],
        [],
    )
    assert read["tags"] == [{"name": "product", "value": "psa"}]


async def test_the_alias_below_api_is_the_same_surface(served: Served) -> None:
    sent = await served.http.post("/api/emails", json=MAIL)
    wrong = await served.http.post("/api/emails", json={})

    assert sent.status_code == 200
    assert wrong.json()["statusCode"] == 422


async def test_the_same_key_and_body_replay_and_another_body_conflicts(served: Served) -> None:
    headers = {"Idempotency-Key": "resend-once"}
    first = await served.http.post("/emails", json=MAIL, headers=headers)
    again = await served.http.post("/emails", json=MAIL, headers=headers)
    other = await served.http.post("/emails", json=MAIL | {"subject": "x"}, headers=headers)

    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert other.status_code == 409
    assert other.json()["name"] == "invalid_idempotent_request"


async def test_parallel_repeats_make_one_mail(served: Served) -> None:
    headers = {"Idempotency-Key": "resend-parallel"}
    answers = await asyncio.gather(
        *(served.http.post("/emails", json=MAIL, headers=headers) for _ in range(100))
    )
    later = await served.http.post("/emails", json=MAIL, headers=headers)

    taken = [a for a in answers if a.status_code == 200]
    busy = [a for a in answers if a.status_code == 409]
    assert len(taken) + len(busy) == 100
    assert {a.json()["id"] for a in taken} == {later.json()["id"]}
    assert sum("idempotent-replayed" not in a.headers for a in taken) == 1
    assert {a.json()["name"] for a in busy} <= {"concurrent_idempotent_requests"}
    assert {a.headers["retry-after"] for a in busy} <= {"1"}


async def test_two_tenants_may_use_the_same_idempotency_key(served: Served) -> None:
    once = {"Idempotency-Key": "shared"}
    mine = await served.http.post("/emails", json=MAIL, headers=once)
    theirs = await served.http.post(
        "/emails",
        json=MAIL | {"from": "a@rival.example"},
        headers=once | served.with_key(served.rival_key),
    )

    assert (mine.status_code, theirs.status_code) == (200, 200)
    assert mine.json() != theirs.json()


@pytest.mark.parametrize("key", ["", "x" * 257, "a\tb"])
async def test_a_bad_idempotency_key_is_named(served: Served, key: str) -> None:
    answer = await served.http.post("/emails", json=MAIL, headers={"Idempotency-Key": key})

    assert (answer.status_code, answer.json()["name"]) == (400, "invalid_idempotency_key")


@pytest.mark.parametrize(
    ("headers", "status", "name"),
    [
        ({}, 401, "missing_api_key"),
        ({"Authorization": "Basic abc"}, 401, "missing_api_key"),
        ({"Authorization": "Bearer"}, 401, "missing_api_key"),
        ({"Authorization": "Bearer rly_nope_nope"}, 403, "invalid_api_key"),
        ({"Authorization": "Bearer re_123"}, 403, "invalid_api_key"),
    ],
)
async def test_without_a_live_key_nothing_is_read(
    served: Served, headers: dict[str, str], status: int, name: str
) -> None:
    async with httpx.AsyncClient(base_url=served.url, headers=headers) as http:
        answer = await http.post("/emails", content=b"not even json")

    assert answer.status_code == status
    assert answer.json() == {
        "statusCode": status,
        "name": name,
        "message": answer.json()["message"],
    }


async def test_a_key_without_the_scope_is_told_which_one(served: Served) -> None:
    reader = served.with_key(await served.key_for(Scope.READ_LOGS))
    sender = served.with_key(await served.key_for(Scope.SEND))
    sends = await served.http.post("/emails", json=MAIL, headers=reader)
    reads = await served.http.get("/emails/msg_1", headers=sender)

    assert (sends.status_code, sends.json()["name"]) == (401, "restricted_api_key")
    assert "scope send" in sends.json()["message"]
    assert "scope read-logs" in reads.json()["message"]


async def test_an_admin_key_may_do_all(served: Served) -> None:
    admin = served.with_key(await served.key_for(Scope.ADMIN))

    assert (await served.http.post("/emails", json=MAIL, headers=admin)).status_code == 200


async def test_a_mail_of_another_tenant_is_not_found(served: Served) -> None:
    sent = await served.http.post("/emails", json=MAIL)
    answer = await served.http.get(
        f"/emails/{sent.json()['id']}", headers=served.with_key(served.rival_key)
    )

    assert (answer.status_code, answer.json()["name"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("changed", "status", "name"),
    [
        ({"from": "a@rival.example"}, 400, "validation_error"),
        ({"from": "nobody"}, 422, "validation_error"),
        ({"to": []}, 422, "validation_error"),
        ({"to": [f"u{n}@client.example" for n in range(51)]}, 422, "validation_error"),
        ({"text": None}, 422, "validation_error"),
        ({"subject": "a\r\nBcc: x@y.example"}, 422, "validation_error"),
        ({"headers": {"Bcc": "x@y.example"}}, 422, "validation_error"),
    ],
)
async def test_what_the_backend_refuses_is_told_in_resends_words(
    served: Served, changed: dict[str, Any], status: int, name: str
) -> None:
    answer = await served.http.post("/emails", json=MAIL | changed)

    assert (answer.status_code, answer.json()["name"]) == (status, name)
    assert answer.json()["statusCode"] == status


async def test_all_recipients_suppressed_is_refused_naming_them(served: Served) -> None:
    await served.backend.add_suppression(
        served.acme, "gone@client.example", detail="left", actor="test"
    )
    answer = await served.http.post("/emails", json=MAIL | {"to": "Gone@client.example"})

    assert answer.status_code == 400
    assert "gone@client.example" in answer.json()["message"]


async def test_received_mail_is_listed_newest_first_with_its_reason(served: Served) -> None:
    for number in range(3):
        await served.db.write(inbound.add, received(served.acme, number))
    first = (await served.http.get("/emails/receiving", params={"limit": 2})).json()
    rest = (await served.http.get("/emails/receiving", params={"after": "inb_1"})).json()
    back = (
        await served.http.get("/emails/receiving", params={"limit": 1, "before": "inb_0"})
    ).json()
    both = await served.http.get("/emails/receiving", params={"after": "a", "before": "b"})
    one = (await served.http.get("/emails/receiving/inb_2")).json()
    rival = await served.http.get(
        "/emails/receiving/inb_2", headers=served.with_key(served.rival_key)
    )

    assert [m["id"] for m in first["data"]] == ["inb_2", "inb_1"]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert [m["id"] for m in rest["data"]] == ["inb_0"]
    assert (back["has_more"], [m["id"] for m in back["data"]]) == (True, ["inb_1"])
    assert (both.status_code, both.json()["name"]) == (422, "validation_error")
    assert one["reason"] == {"name": "no_route", "sentence": Reason.NO_ROUTE.sentence}
    assert one["explanation"] == []
    assert rival.status_code == 404


def received(tenant_id: str, number: int) -> InboundMessage:
    return InboundMessage(
        id=f"inb_{number}",
        tenant_id=tenant_id,
        source="test",
        blob_key=f"k{number}",
        recipient="support@acme.example",
        envelope_from="jo@client.example",
        status=InboundStatus.UNROUTED,
        reason=Reason.NO_ROUTE,
        received_at=START,
        size=10,
        verdicts=ScanVerdicts(),
        subject="Printer",
    )


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("DELETE", "/emails")])
async def test_a_call_that_is_none_is_answered_in_the_same_shape(
    served: Served, method: str, path: str
) -> None:
    answer = await served.http.request(method, path)

    assert answer.json()["statusCode"] == answer.status_code
    assert answer.json()["name"] in {"not_found", "method_not_allowed"}
