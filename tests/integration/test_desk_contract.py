"""The desk keeps the contract of docs/targets.md, over a socket and a real file."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from backend.desk import Desk, DeskAddresses, DeskSettings
from backend.errors import RefusedError, ServiceUnavailableError
from backend.inbound.targets import HttpTargets
from backend.model.inbound import TargetName
from backend.ports import TargetRequest
from tests.settable import START, SettableClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

KEY = "integration-key"
MAIL = {
    "inbound_id": "inb_1",
    "tenant_id": "ten_1",
    "subject": "Printer is slow",
    "from": {"address": "jo@client.example", "name": "Jo"},
    "recipient": "support@acme.example",
    "message_id": "m1@client.example",
    "a_field_of_tomorrow": True,
}
TICKET = MAIL | {"description": "It is."}
ENTRY = MAIL | {"text": "Still slow."}


@pytest.fixture
def settings(tmp_path: Path) -> DeskSettings:
    return DeskSettings(
        folder=tmp_path / "desk",
        integration_key=KEY,
        tickets=("1001", "1002"),
        contacts={"c-101": "jo@client.example"},
    )


@pytest.fixture
async def at(settings: DeskSettings, clock: SettableClock) -> AsyncIterator[DeskAddresses]:
    desk = Desk(settings, clock)
    yield await desk.start()
    await desk.stop()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}) as client:
        yield client


def once(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def received(http: httpx.AsyncClient, at: DeskAddresses) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await http.get(f"{at.desk_url}/inspect")).json()["received"]
    return rows


async def test_a_new_ticket_gets_number_url_priority_and_due_time(
    at: DeskAddresses, http: httpx.AsyncClient
) -> None:
    answer = await http.post(f"{at.psa_url}/tickets", json=TICKET, headers=once("inb_1/psa"))
    made = answer.json()
    shown = (await http.get(made["url"])).json()

    assert answer.status_code == 201
    assert (made["ticket_id"], made["number"]) == ("1003", "ACM-1003")
    assert (made["priority"], made["sla_due_at"]) == (
        "normal",
        (START + timedelta(hours=24)).isoformat(timespec="milliseconds"),
    )
    assert (shown["subject"], shown["description"]) == ("Printer is slow", "It is.")


@pytest.mark.parametrize(
    ("subject", "priority", "hours"),
    [("URGENT: all screens dark", "urgent", 1), ("VPN is down", "high", 4), ("Hi", "normal", 24)],
)
async def test_the_due_time_follows_the_priority(
    at: DeskAddresses, http: httpx.AsyncClient, subject: str, priority: str, hours: int
) -> None:
    body = TICKET | {"subject": subject}
    made = (await http.post(f"{at.psa_url}/tickets", json=body, headers=once("1"))).json()

    assert made["priority"] == priority
    assert made["sla_due_at"].startswith(f"{START + timedelta(hours=hours):%Y-%m-%dT%H:%M}")


async def test_notes_replies_and_activities_reach_what_they_are_about(
    at: DeskAddresses, http: httpx.AsyncClient
) -> None:
    note = await http.post(f"{at.psa_url}/tickets/1001/notes", json=ENTRY, headers=once("1"))
    reply = await http.post(f"{at.portal_url}/tickets/1001/replies", json=ENTRY, headers=once("2"))
    activity = await http.post(
        f"{at.crm_url}/contacts/c-101/activities", json=ENTRY, headers=once("3")
    )
    ticket = (await http.get(f"{at.desk_url}/tickets/1001")).json()
    activities = (await http.get(f"{at.desk_url}/activities")).json()["activities"]

    assert {note.status_code, reply.status_code, activity.status_code} == {201}
    assert note.json() == {"note_id": "note-1", "ticket_id": "1001", "number": "TKT-1001"}
    assert reply.json()["ticket_id"] == "1001"
    assert [n["id"] for n in ticket["notes"]] == [note.json()["note_id"]]
    assert [r["text"] for r in ticket["replies"]] == ["Still slow."]
    assert [a["id"] for a in activities] == [activity.json()["activity_id"]]


@pytest.mark.parametrize("way", ["psa/tickets/{}/notes", "portal/tickets/{}/replies"])
async def test_a_ticket_of_another_client_is_refused_and_its_own_client_may_write(
    at: DeskAddresses, http: httpx.AsyncClient, way: str
) -> None:
    mine = TICKET | {"tenant_id": "ten_1"}
    made = await http.post(f"{at.psa_url}/tickets", json=mine, headers=once("1"))
    path = way.format(made.json()["number"].lower())

    async def write(key: str, tenant_id: str) -> httpx.Response:
        entry = ENTRY | {"tenant_id": tenant_id}
        return await http.post(f"{at.desk_url}/{path}", json=entry, headers=once(key))

    other = await write("2", "ten_2")
    assert other.status_code == 403
    assert "another client's" in other.json()["detail"]
    assert len(await received(http, at)) == 1
    assert (await write("3", "ten_1")).status_code == 201
    assert (await write("4", "")).status_code == 201, "its address alone names the ticket"


async def test_what_the_desk_refuses_reaches_relay_with_its_sentence(
    at: DeskAddresses, http: httpx.AsyncClient, clock: SettableClock
) -> None:
    mine = TICKET | {"tenant_id": "ten_1"}
    made = await http.post(f"{at.psa_url}/tickets", json=mine, headers=once("1"))
    ticket = made.json()["ticket_id"]
    targets = HttpTargets({TargetName.PSA: at.psa_url}, KEY, http, clock)
    body = ENTRY | {"tenant_id": "ten_2"}
    request = TargetRequest(path=f"/tickets/{ticket}/notes", body=body, idempotency_key="inb_2/psa")

    with pytest.raises(RefusedError, match=f"ticket {ticket} is another client's") as refused:
        await targets.call(TargetName.PSA, request)
    assert refused.value.status == 403


@pytest.mark.parametrize("ref", ["1001", "TKT-1001", "tkt-1001"])
async def test_a_ticket_answers_to_its_id_and_its_number_in_any_case(
    at: DeskAddresses, http: httpx.AsyncClient, ref: str
) -> None:
    answer = await http.post(f"{at.psa_url}/tickets/{ref}/notes", json=ENTRY, headers=once("1"))

    assert answer.json()["ticket_id"] == "1001"


@pytest.mark.parametrize(
    ("product", "path"),
    [
        ("psa", "/tickets/9999/notes"),
        ("portal", "/tickets/9999/replies"),
        ("crm", "/contacts/c-999/activities"),
        ("crm", "/contacts/%2e%2e%2fx/activities"),
    ],
)
async def test_what_it_does_not_know_is_404_with_a_sentence_and_leaves_no_trace(
    at: DeskAddresses, http: httpx.AsyncClient, product: str, path: str
) -> None:
    answer = await http.post(f"{at.desk_url}/{product}{path}", json=ENTRY, headers=once("1"))

    assert answer.status_code == 404
    assert answer.json()["detail"]
    assert await received(http, at) == []


async def test_a_repeat_makes_nothing_and_gets_the_first_answer(
    at: DeskAddresses, http: httpx.AsyncClient
) -> None:
    url = f"{at.psa_url}/tickets"
    first = await http.post(url, json=TICKET, headers=once("inb_1/psa"))
    again = await http.post(url, json=dict(reversed(TICKET.items())), headers=once("inb_1/psa"))
    other = await http.post(url, json=TICKET | {"subject": "x"}, headers=once("inb_1/psa"))
    rows = await received(http, at)

    assert (again.status_code, again.json()) == (200, first.json())
    assert other.status_code == 409
    assert other.json()["ticket_id"] == first.json()["ticket_id"]
    assert [(r["message_id"], r["subject"], r["repeats"]) for r in rows] == [
        ("m1@client.example", "Printer is slow", 2)
    ]


async def test_repeats_that_arrive_at_once_make_one_ticket(
    at: DeskAddresses, http: httpx.AsyncClient
) -> None:
    url = f"{at.psa_url}/tickets"
    answers = await asyncio.gather(
        *(http.post(url, json=TICKET, headers=once("inb_1/psa")) for _ in range(20))
    )

    assert sorted(a.status_code for a in answers) == [200] * 19 + [201]
    assert len({a.json()["ticket_id"] for a in answers}) == 1


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Basic {KEY}"])
async def test_without_the_integration_key_nothing_is_taken(
    at: DeskAddresses, http: httpx.AsyncClient, header: str
) -> None:
    headers = once("1") | {"Authorization": header}
    answer = await http.post(f"{at.psa_url}/tickets", json=TICKET, headers=headers)

    assert answer.status_code == 401
    assert await received(http, at) == []


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({}, b"{}", 400),
        (once("1"), b"no json", 400),
        (once("1"), b"[]", 422),
        (once("1"), b'{"subject": "no text"}', 422),
        (once("x" * 257), b"{}", 400),
    ],
)
async def test_a_bad_call_is_refused_with_one_sentence(
    at: DeskAddresses,
    http: httpx.AsyncClient,
    headers: dict[str, str],
    content: bytes,
    status: int,
) -> None:
    answer = await http.post(f"{at.psa_url}/tickets", content=content, headers=headers)

    assert answer.status_code == status
    assert isinstance(answer.json()["detail"], str)


async def test_an_outage_takes_one_product_down_and_ends_by_itself(
    at: DeskAddresses, http: httpx.AsyncClient, clock: SettableClock
) -> None:
    outage = {"target": "crm", "seconds": 6, "status": 429, "retry_after": 2}
    await http.post(f"{at.desk_url}/_desk/outage", json=outage)
    activities = f"{at.crm_url}/contacts/c-101/activities"
    down = await http.post(activities, json=ENTRY, headers=once("1"))
    psa = await http.post(f"{at.psa_url}/tickets", json=TICKET, headers=once("2"))
    clock.advance(6)
    up = await http.post(activities, json=ENTRY, headers=once("1"))

    assert (down.status_code, down.headers["retry-after"]) == (429, "2")
    assert (psa.status_code, up.status_code) == (201, 201)


async def test_a_lost_answer_leaves_the_work_done_and_the_repeat_finds_it(
    at: DeskAddresses, http: httpx.AsyncClient
) -> None:
    await http.post(f"{at.desk_url}/_desk/outage", json={"target": "psa", "drops": 1})

    with pytest.raises(httpx.RemoteProtocolError):
        await http.post(f"{at.psa_url}/tickets", json=TICKET, headers=once("inb_1/psa"))
    again = await http.post(f"{at.psa_url}/tickets", json=TICKET, headers=once("inb_1/psa"))
    assert again.status_code == 200
    assert len(await received(http, at)) == 1


async def test_what_it_made_survives_a_restart_in_a_private_file(
    settings: DeskSettings, http: httpx.AsyncClient
) -> None:
    first = Desk(settings)
    at = await first.start()
    made = (await http.post(f"{at.psa_url}/tickets", json=TICKET, headers=once("1"))).json()
    await first.stop()
    second = Desk(replace(settings, tickets=("1001", "1002", "7")))
    at = await second.start()
    again = await http.post(f"{at.psa_url}/tickets", json=TICKET, headers=once("1"))
    tickets = (await http.get(f"{at.desk_url}/tickets")).json()["tickets"]
    mode = (settings.folder / "desk.db").stat().st_mode & 0o777
    await second.stop()

    assert (again.status_code, again.json()["ticket_id"]) == (200, made["ticket_id"])
    assert {t["id"] for t in tickets} == {"1001", "1002", "1003", "7"}
    assert mode == 0o600


async def test_its_views_need_no_key_from_loopback(at: DeskAddresses) -> None:
    async with httpx.AsyncClient() as http:
        paths = ["/tickets", "/tickets/1001", "/contacts", "/activities", "/inspect"]
        answers = [await http.get(at.desk_url + path) for path in paths]

    assert {a.status_code for a in answers} == {200}
    assert answers[2].json() == {"contacts": [{"id": "c-101", "address": "jo@client.example"}]}


async def test_relays_own_caller_and_the_desk_understand_each_other(
    at: DeskAddresses, clock: SettableClock
) -> None:
    urls = {TargetName.PSA: at.psa_url, TargetName.PORTAL: at.portal_url}
    new = TargetRequest(path="/tickets", body=TICKET, idempotency_key="inb_1/psa")
    lost = TargetRequest(path="/tickets/9/replies", body=ENTRY, idempotency_key="inb_2/portal")
    async with httpx.AsyncClient() as http:
        targets = HttpTargets(urls, KEY, http, clock)
        await http.post(f"{at.desk_url}/_desk/outage", json={"target": "psa", "drops": 1})
        with pytest.raises(ServiceUnavailableError):
            await targets.call(TargetName.PSA, new)
        receipt = await targets.call(TargetName.PSA, new)
        with pytest.raises(RefusedError, match="there is no ticket 9"):
            await targets.call(TargetName.PORTAL, lost)

    assert receipt.external_id == "1003"
