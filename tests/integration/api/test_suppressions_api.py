"""The suppression list over HTTP, on Relay's surface and on Resend's."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, Any

import pytest

from backend.model.suppression import Suppression, SuppressionReason, SuppressionState
from backend.model.tenant import Scope
from backend.store import suppressions
from tests.settable import START

if TYPE_CHECKING:
    from tests.integration.api.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")
HERE = "/api/suppressions"


async def call(served: Served, method: str, path: str, status: int = 200, **more: Any) -> Any:
    answer = await served.http.request(method, path, **more)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_an_entry_is_made_read_checked_and_removed(served: Served) -> None:
    body = {"address": "Kim@Client.example", "note": "by phone", "expires_at": "2999-01-01T00:00Z"}
    made = await call(served, "POST", HERE, 201, json=body)
    again = await call(
        served,
        "POST",
        HERE,
        201,
        json={"address": "kim@client.example", "expires_at": "2998-01-01"},
    )
    asked = {"addresses": ["KIM@Client.example", "free@client.example"]}
    checked = await call(served, "POST", f"{HERE}/check", json=asked)
    read = await call(served, "GET", f"{HERE}/kim%40client.example")
    gone = await call(served, "DELETE", f"{HERE}/{made['id']}")

    assert (made["address"], made["kind"], made["scope"]) == (
        "kim@client.example",
        "address",
        "tenant",
    )
    assert (made["reason"], made["expires_at"]) == ("manual", "2999-01-01T00:00:00.000Z")
    assert again == read == made == checked["data"][0]["entry"]
    assert [one["suppressed"] for one in checked["data"]] == [True, False]
    assert gone == {"object": "suppression", "id": made["id"], "deleted": True}
    missing = await call(served, "GET", f"{HERE}/kim%40client.example", 404)
    assert missing["name"] == "not_found"


async def test_a_list_is_filtered_and_paged_by_id(served: Served) -> None:
    for address in ("l1@list.example", "l2@list.example", "list.example"):
        await call(served, "POST", HERE, 201, json={"address": address, "reason": "unsubscribe"})
    first = await call(served, "GET", HERE, params={"text": "list.example", "limit": 2})
    rest = await call(
        served, "GET", HERE, params={"text": "list.example", "after": first["data"][-1]["id"]}
    )
    domains = await call(served, "GET", HERE, params={"kind": "domain", "reason": "unsubscribe"})

    assert (first["total"], first["has_more"], rest["has_more"]) == (3, True, False)
    assert [one["address"] for one in first["data"] + rest["data"]] == [
        "list.example",
        "l2@list.example",
        "l1@list.example",
    ]
    assert [one["address"] for one in domains["data"]] == ["list.example"]


async def test_another_tenant_sees_and_changes_nothing(served: Served) -> None:
    made = await call(served, "POST", HERE, 201, json={"address": "own@acme-only.example"})
    rival: dict[str, Any] = {"headers": served.with_key(served.rival_key)}
    for method, path in (
        ("GET", f"{HERE}/{made['id']}"),
        ("DELETE", f"{HERE}/{made['id']}"),
        ("GET", f"/suppressions/{made['id']}"),
        ("GET", f"{HERE}/own%40acme-only.example"),
        ("POST", f"{HERE}/{made['id']}/accept"),
        ("DELETE", f"{HERE}/imports/imp_1"),
    ):
        await call(served, method, path, 404, **rival)
    listed = await call(served, "GET", HERE, params={"text": "acme-only"}, **rival)
    exported = await served.http.get(f"{HERE}/export", **rival)

    assert (listed["total"], "acme-only" in exported.text) == (0, False)
    assert (await call(served, "GET", f"{HERE}/{made['id']}"))["address"] == "own@acme-only.example"


async def test_a_key_without_the_scope_and_bad_input_are_refused(served: Served) -> None:
    key = await served.key_for(Scope.SEND)
    for method, path in (("GET", HERE), ("POST", "/suppressions"), ("GET", f"{HERE}/export")):
        answer = await served.http.request(method, path, headers=served.with_key(key))
        assert answer.status_code in {401, 403}, (method, path)
    wrong = await call(served, "POST", HERE, 422, json={"address": "nobody"})
    late = await call(
        served, "POST", HERE, 422, json={"address": "a@x.example", "expires_at": "2001-01-01"}
    )
    both = await call(served, "GET", "/suppressions?after=a&before=b", 422)

    assert (wrong["field"], late["field"]) == ("address", "expires")
    assert both["name"] == "validation_error"


async def test_what_waits_for_review_is_listed_and_decided(served: Served) -> None:
    for number in (1, 2):
        entry = Suppression(
            id=f"sup_review{number}",
            tenant_id=served.acme,
            address=f"r{number}@review.example",
            reason=SuppressionReason.COMPLAINT,
            state=SuppressionState.REVIEW,
            created_at=START,
        )
        await served.db.write(suppressions.insert, entry)
    waiting = await call(served, "GET", HERE, params={"state": "review"})
    accepted = await call(served, "POST", f"{HERE}/sup_review1/accept")
    dismissed = await call(served, "POST", f"{HERE}/sup_review2/dismiss")

    assert [one["id"] for one in waiting["data"]] == ["sup_review2", "sup_review1"]
    assert (accepted["state"], dismissed["deleted"]) == ("active", True)
    await call(served, "POST", f"{HERE}/sup_review2/accept", 404)


async def test_a_file_goes_in_comes_out_and_is_undone(served: Served) -> None:
    text = "\ufeffemail,reason\nin1@file.example,BOUNCE\nnonsense,\nin2@file.example,\n"
    dry = await call(served, "POST", f"{HERE}/import?dry_run=true", content=text.encode())
    done = await call(served, "POST", f"{HERE}/import?source=crm.csv", content=text.encode())
    exported = await served.http.get(f"{HERE}/export", params={"text": "@file.example"})
    lines = await served.http.get(f"{HERE}/export?format=jsonl&text=in1@file")
    (listed,) = (await call(served, "GET", f"{HERE}/imports"))["data"]
    undone = await call(served, "DELETE", f"{HERE}/imports/{done['import_id']}")

    assert (dry["import_id"], dry["added"], dry["errors"]) == (None, 2, 1)
    assert (done["lines"], done["added"], done["first_errors"][0]["line"]) == (3, 2, 3)
    assert (listed["id"], listed["source"]) == (done["import_id"], "crm.csv")
    assert exported.headers["content-type"] == "text/csv; charset=utf-8"
    assert [row.split(",")[0] for row in exported.text.splitlines()] == [
        '"address"',
        '"in2@file.example"',
        '"in1@file.example"',
    ]
    assert lines.json()["reason"] == "bounce"
    assert undone["removed"] == 2


async def test_no_length_of_a_list_is_too_long(served: Served) -> None:
    """Others stop at 200 lines in and 1,000 out; this is more than one transaction takes."""
    text = "email\n" + "".join(f"u{n}@many.example\n" for n in range(5_000))
    done = await call(served, "POST", f"{HERE}/import", content=text.encode())
    exported = await served.http.get(f"{HERE}/export", params={"text": "@many.example"})
    undone = await call(served, "DELETE", f"{HERE}/imports/{done['import_id']}")

    assert (done["added"], done["errors"], undone["removed"]) == (5_000, 0, 5_000)
    assert len(set(exported.text.splitlines())) == 5_001


async def test_resends_sdk_works_unchanged(served: Served) -> None:
    resend = pytest.importorskip("resend", reason="pip install resend to test with its SDK")
    importlib.import_module("resend.suppressions")
    resend.api_url, resend.api_key = served.url, served.key
    names = [f"s{number}@sdk.example" for number in range(3)]

    def use() -> dict[str, Any]:
        many = resend.Suppressions
        one = many.add({"email": names[0]})
        batch = many.Batch.add({"emails": [*names, names[1]]})
        page = many.list({"limit": 2})
        rest = many.list({"limit": 2, "after": page["data"][-1]["id"]})
        back = many.list({"limit": 2, "before": rest["data"][0]["id"]})
        read = many.get(names[0])
        removed = many.remove(names[0])
        gone = many.Batch.remove({"emails": [*names, "never@sdk.example"]})
        manual = many.list({"origin": "manual", "limit": 100})
        try:
            many.get(names[0])
        except resend.exceptions.ResendError as error:
            missing = error.code
        return locals()

    said = await asyncio.to_thread(use)

    for answer in (said["one"], said["read"]):
        answer.pop("http_headers")
    assert said["one"] == {"object": "suppression", "id": said["read"]["id"]}
    assert len(said["batch"]["data"]) == 3
    assert (said["page"]["object"], said["page"]["has_more"]) == ("list", True)
    assert said["back"]["data"] == said["page"]["data"]
    assert said["read"] == {
        "object": "suppression",
        "id": said["one"]["id"],
        "email": names[0],
        "origin": "manual",
        "source_id": None,
        "created_at": said["read"]["created_at"],
    }
    assert said["removed"]["deleted"] is True
    assert len(said["gone"]["data"]) == 2
    assert not any(row["email"].endswith("@sdk.example") for row in said["manual"]["data"])
    assert str(said["missing"]) == "404"
