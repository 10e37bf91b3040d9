"""Every call of the API, from its OpenAPI document: which scope opens it, and to whom it is closed.

A new call fails here until it has its line in ``SCOPES``, and one with an id in its path until
``world`` has such a thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio

from backend.model.bus import BusEvent
from backend.model.inbound import (
    AttachmentInfo,
    InboundMessage,
    InboundStatus,
    Reason,
    ScanVerdicts,
)
from backend.model.suppression import Suppression, SuppressionReason, SuppressionState
from backend.model.tenant import KeyWish, Scope
from backend.model.webhooks import DeliveryState, WebhookDelivery
from backend.queue.announce import announce
from backend.store import inbound, suppressions, webhook_deliveries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.integration.api.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
SCOPES: Mapping[Scope, str] = {
    Scope.SEND: """
        POST /api/send
        POST /api/send-template
        POST /emails
        PATCH /emails/{email_id}
        POST /emails/{email_id}/cancel""",
    Scope.SEND_BATCH: """
        POST /api/send-batch
        POST /emails/batch""",
    Scope.READ_LOGS: """
        GET /api/analytics
        GET /api/compliance
        GET /api/logs
        GET /api/stats
        GET /emails
        GET /emails/{email_id}
        GET /emails/{email_id}/attachments
        GET /emails/{email_id}/attachments/{attachment_id}
        GET /emails/{email_id}/attachments/{attachment_id}/content
        GET /emails/{email_id}/thread
        GET /emails/receiving
        GET /emails/receiving/{inbound_id}
        GET /emails/receiving/{inbound_id}/attachments
        GET /emails/receiving/{inbound_id}/attachments/{attachment_id}
        GET /emails/receiving/{inbound_id}/attachments/{attachment_id}/content""",
    Scope.MANAGE_DOMAINS: """
        GET /domains
        POST /domains
        GET /domains/{domain_id}
        PATCH /domains/{domain_id}
        DELETE /domains/{domain_id}
        POST /domains/{domain_id}/verify""",
    Scope.MANAGE_TEMPLATES: """
        GET /templates
        POST /templates
        GET /templates/{template_id}
        PATCH /templates/{template_id}
        DELETE /templates/{template_id}
        POST /templates/{template_id}/duplicate
        POST /templates/{template_id}/preview
        POST /templates/{template_id}/publish
        GET /templates/{template_id}/versions""",
    Scope.MANAGE_SUPPRESSIONS: """
        GET /api/suppressions
        POST /api/suppressions
        POST /api/suppressions/check
        GET /api/suppressions/export
        POST /api/suppressions/import
        GET /api/suppressions/imports
        DELETE /api/suppressions/imports/{import_id}
        POST /api/suppressions/{suppression_id}/accept
        POST /api/suppressions/{suppression_id}/dismiss
        GET /api/suppressions/{name}
        DELETE /api/suppressions/{name}
        GET /suppressions
        POST /suppressions
        POST /suppressions/batch/add
        POST /suppressions/batch/remove
        GET /suppressions/{name}
        DELETE /suppressions/{name}""",
    Scope.ADMIN: """
        GET /api-keys
        POST /api-keys
        PATCH /api-keys/{key_id}
        DELETE /api-keys/{key_id}
        GET /api/keys
        POST /api/keys
        DELETE /api/keys/{key_id}
        POST /api/keys/{key_id}/rotate
        POST /api/inbound/{inbound_id}/attach
        POST /api/inbound/{inbound_id}/discard
        POST /api/inbound/{inbound_id}/release
        POST /api/inbound/{inbound_id}/reroute
        POST /api/inbound/{inbound_id}/restore
        POST /api/inbound/{inbound_id}/spam
        GET /api/settings
        PATCH /api/settings
        GET /api/usage
        GET /api/webhooks
        POST /api/webhooks
        GET /api/webhooks/{webhook_id}
        PATCH /api/webhooks/{webhook_id}
        DELETE /api/webhooks/{webhook_id}
        GET /api/webhooks/{webhook_id}/deliveries
        GET /api/webhooks/{webhook_id}/deliveries/{delivery_id}
        POST /api/webhooks/{webhook_id}/deliveries/{delivery_id}/replay
        POST /api/webhooks/{webhook_id}/replay
        POST /api/webhooks/{webhook_id}/rotate
        POST /api/webhooks/{webhook_id}/test
        GET /webhooks
        POST /webhooks
        GET /webhooks/{webhook_id}
        PATCH /webhooks/{webhook_id}
        DELETE /webhooks/{webhook_id}
        GET /webhooks/{webhook_id}/events
        GET /webhooks/{webhook_id}/events/{event_id}
        GET /webhooks/{webhook_id}/events/{event_id}/attempts
        POST /webhooks/{webhook_id}/events/{event_id}/replay
        POST /webhooks/{webhook_id}/signing-secret/rotate""",
}
OPEN = {
    "GET /health",
    # these have proofs of their own: test_ingest_api.py
    "POST /events/inbound",
    "POST /events/inbound/ses-s3",
    "POST /events/ses",
}
SCOPE_OF = {
    line.strip(): scope for scope, lines in SCOPES.items() for line in lines.split("\n") if line
}
BODIES: Mapping[str, dict[str, Any]] = {
    "PATCH /emails/{email_id}": {"scheduled_at": "in 2 hours"},
    "PATCH /api-keys/{key_id}": {"name": "mine now"},
    "POST /api/inbound/{inbound_id}/attach": {"to": "T-1"},
    "POST /api/inbound/{inbound_id}/reroute": {"target": "psa"},
}
"""What a call needs to be understood at all; the others take an empty object."""


@dataclass(frozen=True, kw_only=True)
class World:
    """Acme's things by the name they have in a path, a client with its admin key, and Rival's."""

    ids: Mapping[str, tuple[str, ...]]
    own: httpx.AsyncClient
    rival: httpx.AsyncClient


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(served: Served) -> list[tuple[str, str]]:
    """Method and path of every call, those that are served below /api as well among them."""
    async with httpx.AsyncClient(base_url=served.url) as nobody:
        document = (await nobody.get("/openapi.json")).json()
        found = [(m.upper(), path) for path, one in document["paths"].items() for m in one]
        twice = [(m, f"/api{path}") for m, path in found if not path.startswith("/api/")]
        answers = [(await nobody.request(m, path)).status_code for m, path in twice]
    also = [call for call, status in zip(twice, answers, strict=True) if status == 401]
    return found + [call for call in also if call not in found]


def line_of(method: str, path: str) -> str:
    """Give the line in the table for a call or for what it is an alias of."""
    own = f"{method} {path}"
    return own if own in SCOPE_OF or own in OPEN else f"{method} {path.removeprefix('/api')}"


async def test_the_table_names_every_call_of_the_document(calls: list[tuple[str, str]]) -> None:
    assert {line_of(*call) for call in calls} == set(SCOPE_OF) | OPEN
    assert {"/api/emails", "/api/templates/{template_id}", "/api/domains"} <= {p for _, p in calls}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(served: Served) -> AsyncIterator[World]:
    theirs = (await served.backend.authenticate(served.rival_key)).tenant_id
    keys = [
        (await served.backend.issue_key(one, "a", frozenset({Scope.ADMIN}), actor="t")).secret
        for one in (served.acme, theirs)
    ]
    mine, others = (served.with_key(key) for key in keys)
    async with (
        httpx.AsyncClient(base_url=served.url, headers=mine) as own,
        httpx.AsyncClient(base_url=served.url, headers=others) as rival,
    ):
        yield World(ids=await _things(served, own), own=own, rival=rival)


async def _things(served: Served, own: httpx.AsyncClient) -> dict[str, tuple[str, ...]]:
    async def made(path: str, **body: Any) -> dict[str, Any]:
        answer = await own.post(path, json=body)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    mail = {"from": "a@acme.example", "to": "jo@client.example", "subject": "s", "text": "x"}
    files = [{"filename": "a.txt", "content": "YQ=="}]
    waits = await made("/emails", **mail, attachments=files, scheduled_at="in 1 hour")
    template = await made("/templates", name="T", alias="hello", subject="s", text="x")
    await made("/templates/hello/publish")
    hook = await made("/webhooks", endpoint="https://hooks.example/", events=["email.sent"])
    manual = await made("/api/suppressions", address="left@client.example", reason="manual")
    await own.post("/api/suppressions/import?source=f", content="email\nfile@client.example\n")
    (imported,) = (await own.get("/api/suppressions/imports")).json()["data"]
    key = await made("/api/keys", name="k", scopes=["send"])
    await _stored(served, hook["id"])
    return {
        "email_id": (waits["id"], "inb_acme"),
        "inbound_id": ("inb_acme",),
        "attachment_id": ("0",),
        "template_id": (template["id"], "hello", "T"),
        "webhook_id": (hook["id"],),
        "delivery_id": ("dlv_acme",),
        "event_id": ("evt_acme",),
        "suppression_id": ("sup_review",),
        "name": (manual["id"], "left@client.example", "sup_review"),
        "import_id": (imported["id"],),
        "key_id": (key["id"],),
        "domain_id": ("dom_acme", "acme.example"),
    }


async def _stored(served: Served, hook: str) -> None:
    message = InboundMessage(
        id="inb_acme",
        tenant_id=served.acme,
        source="test",
        blob_key="in/acme",
        recipient="support@acme.example",
        envelope_from="jo@client.example",
        status=InboundStatus.QUARANTINED,
        reason=Reason.SPAM_VERDICT,
        received_at=AT,
        size=1,
        verdicts=ScanVerdicts(),
        from_address="jo@client.example",
    )
    file = AttachmentInfo(
        name="a.txt", content_type="text/plain", size=1, sha256="0" * 64, inline=False
    )
    entry = Suppression(
        id="sup_review",
        tenant_id=served.acme,
        address="maybe@client.example",
        reason=SuppressionReason.COMPLAINT,
        state=SuppressionState.REVIEW,
        created_at=AT,
    )
    event = BusEvent(
        id="evt_acme",
        type="relay.email.sent",
        created_at=AT,
        tenant_id=served.acme,
        data={"email_id": "msg_x"},
    )
    told = WebhookDelivery(
        id="dlv_acme",
        endpoint_id=hook,
        tenant_id=served.acme,
        event_id="evt_acme",
        type="email.sent",
        body="{}",
        state=DeliveryState.DEAD,
        created_at=AT,
    )
    await served.db.write(inbound.add, message)
    await served.db.write(inbound.set_attachments, message.id, [file])
    await served.db.write(suppressions.insert, entry)
    await served.db.write(announce, event)
    await served.db.write(webhook_deliveries.add, told)


def filled(path: str, ids: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Give a path with each of the things it may name; KeyError for one that is not known."""
    found = [path]
    while "{" in found[0]:
        name = found[0].partition("{")[2].partition("}")[0]
        found = [one.replace(f"{{{name}}}", value, 1) for one in found for value in ids[name]]
    return found


async def test_nothing_of_one_tenant_is_there_for_another(
    calls: list[tuple[str, str]], world: World
) -> None:
    """By no path: neither read nor changed, and told of as what was never there."""
    closed = [(m, path) for m, path in calls if "{" in path]
    reads = [
        path
        for method, template in closed
        if method == "GET"
        for path in filled(template, world.ids)
    ]
    before = {path: (await world.own.get(path)).text for path in reads}
    for method, template in closed:
        body = BODIES.get(line_of(method, template), {})
        never = dict.fromkeys(world.ids, ("never_was",)) | {"attachment_id": ("0",)}
        (nowhere,) = filled(template, never)
        unknown = await world.rival.request(method, nowhere, json=body)
        for path in filled(template, world.ids):
            answer = await world.rival.request(method, path, json=body)
            assert answer.status_code == 404, f"{method} {path}: {answer.status_code}"
            assert answer.headers.get("content-type") == "application/json"
            assert set(answer.json()) == set(unknown.json())
    after = {path: (await world.own.get(path)).text for path in reads}

    assert len(reads) > 40
    assert after == before
    # the same calls with the right key find these things: what is closed above is there
    hidden = [path for path in reads if (await world.own.get(path)).status_code != 200]
    assert {path.removeprefix("/api") for path in hidden} == {
        "/emails/inb_acme",  # what was received is not what was sent
        "/emails/inb_acme/attachments",
        "/emails/inb_acme/attachments/0",
        "/emails/inb_acme/attachments/0/content",
        "/emails/inb_acme/thread",
        "/emails/receiving/inb_acme/attachments/0",  # its bytes are in no store here
        "/emails/receiving/inb_acme/attachments/0/content",
    }


async def test_no_list_shows_what_is_another_tenants(
    calls: list[tuple[str, str]], world: World
) -> None:
    secret = [*(one for name in world.ids for one in world.ids[name] if len(one) > 6)]
    secret += ["acme", "left@client", "file@client", "maybe@client", "hooks.example"]
    mail = world.ids["email_id"][0]
    cursors: list[dict[str, str]] = [{"after": mail}, {"before": mail}, {}]
    asked = 0
    for method, path in calls:
        if method == "GET" and "{" not in path and path != "/health":
            for params in cursors:
                answer = await world.rival.get(path, params=params)
                assert answer.status_code in (200, 422), path
                said = answer.text.lower().replace(mail, "")
                assert [one for one in secret if one in said] == [], path
                asked += 1
    told = await world.rival.get("/api/logs", params={"q": "tenant:Acme"})
    both = await world.rival.post("/suppressions/batch/remove", json={"ids": ["sup_review"]})
    checked = await world.rival.post(
        "/api/suppressions/check", json={"addresses": ["left@client.example"]}
    )

    assert asked > 40
    assert told.status_code == 422 or told.json()["data"] == []
    assert both.json() == {"data": []}
    assert checked.json()["data"] == [{"address": "left@client.example", "suppressed": False}]


async def test_every_call_asks_for_its_scope_and_for_no_more(
    served: Served, calls: list[tuple[str, str]]
) -> None:
    secrets: dict[tuple[Scope, bool], str] = {}
    for scope in Scope:
        lacking = set(Scope) - {scope, Scope.ADMIN}
        having = {scope, Scope.SEND} if scope is Scope.SEND_BATCH else {scope}
        secrets[scope, False] = await served.key_for(*lacking)
        secrets[scope, True] = await served.key_for(*having)
    batch_only = await served.key_for(Scope.SEND_BATCH)
    async with httpx.AsyncClient(base_url=served.url) as http:

        async def ask(method: str, path: str, key: str | None) -> tuple[int, str]:
            headers = served.with_key(key) if key else {}
            answer = await http.request(method, path, json={}, headers=headers)
            told = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            return answer.status_code, str(told.get("name"))

        for method, template in calls:
            line = line_of(method, template)
            if line in OPEN:
                continue
            path = template.replace("{", "").replace("}", "")
            resend = path.startswith("/api/emails") or not path.startswith("/api/")
            refused = (401, "restricted_api_key") if resend else (403, "missing_scope")
            scope = SCOPE_OF[line]
            assert await ask(method, path, None) == (401, "missing_api_key"), line
            assert await ask(method, path, secrets[scope, False]) == refused, line
            assert (await ask(method, path, secrets[scope, True]))[0] in (200, 400, 404, 422), line
            if scope is Scope.SEND_BATCH:
                assert await ask(method, path, batch_only) == refused


async def test_only_a_key_of_all_tenants_may_name_one(
    served: Served, calls: list[tuple[str, str]]
) -> None:
    wish = KeyWish(
        tenant_id=served.acme, name="noc", scopes=frozenset({Scope.ADMIN}), any_tenant=True
    )
    wide = served.with_key((await served.backend.access.issue(wish, actor="t")).secret)
    narrow = served.with_key(await served.key_for(Scope.ADMIN))
    named = {"X-Relay-Tenant": "Rival"}
    for method, template in calls:
        line = line_of(method, template)
        if line in OPEN:
            continue
        path = template.replace("{", "").replace("}", "")
        answer = await served.http.request(method, path, json={}, headers=narrow | named)
        assert answer.status_code in (401, 403), line
        assert "X-Relay-Tenant" in answer.text
        answer = await served.http.request(method, path, json={}, headers=wide | named)
        assert answer.status_code in (200, 400, 404, 422), line
    mail = {"from": "a@rival.example", "to": "b@client.example", "subject": "s", "text": "x"}
    for path in ("/api/send-batch", "/emails/batch"):
        own = await served.http.post(path, json=[mail], headers=wide)
        other = await served.http.post(path, json=[mail], headers=wide | named)
        assert (own.is_success, other.is_success) == (False, True)
