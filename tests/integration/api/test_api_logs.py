"""The log over HTTP: queries, cursors, Resend's list, figures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from backend.store import emails
from tests.log_world import email_of, mails

if TYPE_CHECKING:
    from tests.integration.api.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORLD = [mail for mail in mails(70, seed=5) if mail.way == "out"]
NEWEST = [mail.id for mail in sorted(WORLD, key=lambda m: (m.at, m.id), reverse=True)]


async def fill(served: Served) -> None:
    """Give Acme the mail of WORLD, once for this module."""
    rows = [(replace(email_of(mail), tenant_id=served.acme), b"") for mail in WORLD]
    if await served.db.read(emails.get, WORLD[0].id) is None:
        await served.db.write(emails.insert_many, rows)


async def pages(served: Served, path: str, params: dict[str, Any], edge: str) -> list[str]:
    """Follow a list to its end by the cursor ``edge``."""
    found: list[str] = []
    while True:
        answer = (await served.http.get(path, params=params)).json()
        found += [one["id"] for one in answer["data"]]
        if not answer["has_more"]:
            return found
        params = params | {edge: answer["next"] if edge == "cursor" else found[-1]}


async def test_the_log_is_read_by_query_and_cursor(served: Served) -> None:
    await fill(served)
    rival = served.with_key(served.rival_key)
    psa = [mail.id for mail in WORLD if "product=psa" in mail.tags]

    assert await pages(served, "/api/logs", {"limit": 9}, "cursor") == NEWEST
    by_status = await pages(served, "/api/logs", {"limit": 9, "sort": "status"}, "cursor")
    assert sorted(by_status) == sorted(NEWEST)
    oldest = {"limit": 9, "order": "asc"}
    assert await pages(served, "/api/logs", oldest, "cursor") == NEWEST[::-1]
    tagged = await pages(served, "/api/logs", {"limit": 5, "q": "tag:product=psa"}, "cursor")
    assert tagged == [i for i in NEWEST if i in psa]
    one = (await served.http.get("/api/logs", params={"q": "tag:product=psa", "limit": 1})).json()
    assert (one["total"], one["total_exact"], one["limit"]) == (len(psa), True, 1)
    assert (await served.http.get("/api/logs", headers=rival)).json()["data"] == []


async def test_resends_list_goes_both_ways_by_ids(served: Served) -> None:
    await fill(served)

    assert await pages(served, "/emails", {"limit": 9}, "after") == NEWEST
    before: dict[str, Any] = {"limit": 5, "before": NEWEST[20]}
    answer = (await served.http.get("/api/emails", params=before)).json()
    assert [one["id"] for one in answer["data"]] == NEWEST[15:20]
    assert (answer["object"], answer["has_more"]) == ("list", True)
    line = answer["data"][0]
    mail = next(mail for mail in WORLD if mail.id == line["id"])
    assert (line["to"], line["from"]) == (list(mail.people), mail.sender)
    refused: list[dict[str, str]] = [
        {"after": "msg_none"},
        {"after": NEWEST[0], "before": NEWEST[1]},
    ]
    for params in refused:
        wrong = await served.http.get("/emails", params=params)
        assert (wrong.status_code, wrong.json()["name"]) == (422, "validation_error")
    theirs = {"after": NEWEST[0]}
    rival = served.with_key(served.rival_key)
    assert (await served.http.get("/emails", params=theirs, headers=rival)).status_code == 422


async def test_analytics_count_by_day_and_product_with_thresholds(served: Served) -> None:
    await fill(served)
    span = {"since": "2026-11-01", "until": "2026-11-20"}
    found = (await served.http.get("/api/analytics", params=span)).json()
    bounced = sum(len(mail.people) for mail in WORLD if mail.status == "bounced")

    assert len(found["days"]) == 19
    assert found["total"]["accepted"] == sum(len(mail.people) for mail in WORLD)
    assert found["total"]["bounced"] == bounced
    assert sum(day["bounced"] for day in found["days"]) == bounced
    assert {one["product"] for one in found["products"]} == {None, "psa", "crm"}
    assert found["thresholds"]["bounce_rate"]["state"] == "danger"
    for days in (7, 30, 90):
        answer = await served.http.get("/api/analytics", params={"days": days})
        assert len(answer.json()["days"]) == days
    wrong = await served.http.get("/api/analytics", params={"since": "soon"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "since")
