"""Templates over HTTP, from the first draft to a mail made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backend.model.tenant import Scope
from backend.outbound.drafts import load_draft
from backend.store import emails

if TYPE_CHECKING:
    from tests.integration.api.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")

TICKET: dict[str, Any] = {
    "name": "Ticket opened",
    "alias": "ticket-opened",
    "from": "support@acme.example",
    "subject": "[Ticket #{{ticket}}] {{title}}",
    "html": "<p>{{title}}, {{{who}}}</p>",
    "text": "{{title}}",
    "variables": [{"key": "who", "type": "string", "fallback_value": "customer"}],
}


async def _sent(served: Served, email_id: str) -> Any:
    stored = await served.db.read(emails.draft, email_id)
    assert stored is not None
    return load_draft(stored)


async def test_a_template_lives_through_versions_publishing_and_rollback(served: Served) -> None:
    made = await served.http.post("/templates", json=TICKET)
    template_id = made.json()["id"]
    mail = {"template_id": "ticket-opened", "to": "jo@client.example", "variables": {}}
    early = await served.http.post("/api/send-template", json=mail)
    first = await served.http.post(f"/templates/{template_id}/publish", json={})
    changed = await served.http.patch(f"/templates/{template_id}", json={"text": "new {{title}}"})
    between = await served.http.get("/templates/ticket-opened")
    values = {"ticket": 7, "title": "R&D"}
    sent = await served.http.post("/api/send-template", json=mail | {"variables": values})
    await served.http.post(f"/templates/{template_id}/publish")
    newer = await served.http.post("/api/send-template", json=mail | {"variables": values})
    back = await served.http.post(f"/templates/{template_id}/publish", json={"version": 1})
    versions = await served.http.get(f"/api/templates/{template_id}/versions")

    found = await served.http.get("/api/logs", params={"q": f"template:{template_id}"})

    assert {one["id"] for one in found.json()["data"]} == {
        sent.json()["message_id"],
        newer.json()["message_id"],
    }
    assert (made.status_code, made.json()["object"]) == (201, "template")
    assert (early.status_code, early.json()["field"]) == (422, "template")
    assert "not published yet" in early.json()["error"]
    assert (first.json()["version"], changed.json()["version"]) == (1, 2)
    assert between.json()["has_unpublished_versions"] is True
    assert between.json()["variables"] == [
        {"key": "who", "type": "string", "fallback_value": "customer"},
        {"key": "ticket", "type": "string", "fallback_value": None},
        {"key": "title", "type": "string", "fallback_value": None},
    ]
    draft = await _sent(served, sent.json()["message_id"])
    assert (draft.sender, draft.subject) == ("support@acme.example", "[Ticket #7] R&D")
    assert (draft.html, draft.text) == ("<p>R&amp;D, customer</p>", "R&D")
    assert (await _sent(served, newer.json()["message_id"])).text == "new R&D"
    assert back.json()["version"] == 1
    assert [one["version"] for one in versions.json()["data"]] == [2, 1]


async def test_mail_with_files_is_found(served: Served) -> None:
    file = {"filename": "a.txt", "content": "YQ=="}
    mail = {"from": "support@acme.example", "to": "jo@client.example", "subject": "f", "text": "x"}
    sent = await served.http.post("/api/send", json=mail | {"attachments": [file]})
    found = await served.http.get("/api/logs", params={"q": "has:attachment"})

    assert [one["id"] for one in found.json()["data"]] == [sent.json()["message_id"]]


async def test_missing_variables_are_all_named_unless_the_tenant_leaves_them(
    served: Served,
) -> None:
    await served.http.post("/templates", json=TICKET | {"name": "M", "alias": "m"})
    await served.http.post("/templates/m/publish")
    mail = {"template_id": "m", "to": "jo@client.example"}
    refused = await served.http.post("/api/send-template", json=mail)
    preview = await served.http.post("/templates/m/preview", json={"variables": {"titel": "x"}})
    admin = served.with_key(await served.key_for(Scope.ADMIN))
    leave, refuse = {"leave_missing": True}, {"leave_missing": False}
    left = await served.http.patch("/api/settings", json=leave, headers=admin)
    accepted = await served.http.post("/api/send-template", json=mail)
    await served.http.patch("/api/settings", json=refuse, headers=admin)

    assert refused.status_code == 422
    assert refused.json()["error"].startswith("variables: ticket, title: not given")
    assert (preview.json()["missing"], preview.json()["unused"]) == (["ticket", "title"], ["titel"])
    assert left.json()["leave_missing"] is True
    draft = await _sent(served, accepted.json()["message_id"])
    assert draft.subject == "[Ticket #{{ticket}}] {{title}}"


@pytest.mark.parametrize("name", ["EMAIL", "FIRST_NAME", "this"])
async def test_a_name_that_resend_reserves_cannot_be_declared(served: Served, name: str) -> None:
    wish = TICKET | {"name": "R", "variables": [{"key": name, "type": "string"}]}
    refused = await served.http.post("/templates", json=wish)
    assert refused.status_code == 422
    assert f"{name} is reserved" in refused.text


async def test_lists_turn_pages_both_ways_and_tenants_do_not_meet(served: Served) -> None:
    for number in range(3):
        await served.http.post("/templates", json={"name": f"Page {number}"})
    first = (await served.http.get("/templates", params={"limit": 2})).json()
    after = first["data"][-1]["id"]
    second = (await served.http.get("/templates", params={"limit": 2, "after": after})).json()
    before = second["data"][0]["id"]
    again = (await served.http.get("/templates", params={"limit": 2, "before": before})).json()
    rival = served.with_key(served.rival_key)
    theirs = await served.http.get("/templates", headers=rival)
    stolen = await served.http.get(f"/templates/{after}", headers=rival)
    both = await served.http.get("/templates", params={"after": "a", "before": "b"})

    assert [one["name"] for one in first["data"]] == ["Page 2", "Page 1"]
    assert first["has_more"] is True
    assert second["data"][0]["name"] == "Page 0"
    assert [one["id"] for one in again["data"]] == [one["id"] for one in first["data"]]
    assert theirs.json()["data"] == []
    assert (stolen.status_code, both.status_code) == (404, 422)


async def test_copies_names_and_rights(served: Served) -> None:
    made = (await served.http.post("/templates", json={"name": "Base", "text": "x"})).json()
    copies = [await served.http.post(f"/templates/{made['id']}/duplicate") for _ in range(2)]
    names = [
        (await served.http.get(f"/templates/{copy.json()['id']}")).json()["name"] for copy in copies
    ]
    taken = await served.http.post("/templates", json={"name": "Base"})
    empty = await served.http.post(f"/templates/{made['id']}/publish")
    gone = await served.http.delete(f"/templates/{made['id']}")
    sender = served.with_key(await served.key_for(Scope.SEND))
    refused = await served.http.get("/templates", headers=sender)

    assert names == ["Base (Copy)", "Base (Copy 2)"]
    assert (taken.status_code, taken.json()["name"]) == (422, "validation_error")
    assert "there is a template 'Base' already" in taken.json()["message"]
    assert "subject" in empty.json()["message"]
    assert gone.json() == {"object": "template", "id": made["id"], "deleted": True}
    assert refused.status_code == 401


async def test_a_repeat_is_replayed_though_the_template_changed_or_went(served: Served) -> None:
    words = {"name": "Once", "from": "support@acme.example", "subject": "S", "text": "{{who}}"}
    template_id = (await served.http.post("/templates", json=words)).json()["id"]
    await served.http.post(f"/templates/{template_id}/publish")
    use: dict[str, Any] = {"id": template_id, "variables": {"who": "Ann"}}
    mail: dict[str, Any] = {"to": "jo@client.example", "template": use}
    relay = {"to": "jo@client.example", "template_id": template_id, "variables": {"who": "Ann"}}
    asked: list[tuple[str, Any]] = [
        ("/emails", mail),
        ("/api/send-template", relay),
        ("/emails/batch", [mail]),
    ]

    async def answers(who: str = "Ann") -> list[tuple[int, Any]]:
        use["variables"] = relay["variables"] = {"who": who}
        found = [
            await served.http.post(path, json=body, headers={"Idempotency-Key": f"once {path}"})
            for path, body in asked
        ]
        return [(one.status_code, one.json()) for one in found]

    first = await answers()
    other = await answers("Bob")
    await served.http.patch(f"/templates/{template_id}", json={"text": "{{who}} {{more}}"})
    await served.http.post(f"/templates/{template_id}/publish")
    anew = await answers()
    await served.http.delete(f"/templates/{template_id}")
    gone = await answers()
    fresh = await served.http.post("/emails", json=mail)
    fresh_key = await served.http.post("/emails", json=mail, headers={"Idempotency-Key": "new"})

    assert [status for status, _ in first] == [200, 202, 200]
    assert first == anew == gone
    assert [status for status, _ in other] == [409, 409, 409]
    assert (fresh.status_code, fresh_key.status_code) == (404, 404)
