"""Keys and domains over HTTP: rotation with an overlap, restriction, and who may act for whom."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from backend.model.limits import SendLimits
from backend.model.tenant import KeyWish, Scope
from backend.store import domains

if TYPE_CHECKING:
    from tests.integration.api.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admin(served: Served) -> dict[str, str]:
    """The header of a key that may do all."""
    return served.with_key(await served.key_for(Scope.ADMIN))


async def test_a_rotated_key_and_its_successor_are_both_good_for_the_overlap(
    served: Served, admin: dict[str, str]
) -> None:
    body = {"name": "site", "scopes": ["read-logs"]}
    made = (await served.http.post("/api/keys", json=body, headers=admin)).json()
    path = f"/api/keys/{made['id']}/rotate"
    fresh = (await served.http.post(path, json={"overlap_hours": 1}, headers=admin)).json()
    again = await served.http.post(path, headers=admin)
    both = [
        (await served.http.get("/api/logs", headers=served.with_key(one["secret"]))).status_code
        for one in (made, fresh)
    ]
    hard = (
        await served.http.post(
            f"/api/keys/{fresh['id']}/rotate", json={"overlap_hours": 0}, headers=admin
        )
    ).json()
    after = await served.http.get("/api/logs", headers=served.with_key(fresh["secret"]))
    gone = await served.http.delete(f"/api/keys/{hard['id']}", headers=admin)
    revoked = await served.http.get("/api/logs", headers=served.with_key(hard["secret"]))
    listed = (await served.http.get("/api/keys", headers=admin)).json()["data"]

    assert made["secret"].startswith(f"rly_{made['id']}_")
    assert (fresh["scopes"], fresh["name"], both) == (["read-logs"], "site", [200, 200])
    assert (again.status_code, again.json()["field"]) == (422, "key")
    assert (after.status_code, revoked.status_code, gone.status_code) == (401, 401, 200)
    chain = {one["id"]: one["replaced_by"] for one in listed if one["name"] == "site"}
    assert chain == {made["id"]: fresh["id"], fresh["id"]: hard["id"], hard["id"]: None}
    assert "secret" not in listed[0]


async def test_keys_that_end_soon_are_listed_until_they_are_rotated(
    served: Served, admin: dict[str, str]
) -> None:
    body = {"name": "ends", "scopes": ["send"], "expires_at": "2999-01-01T00:00:00Z"}
    made = (await served.http.post("/api/keys", json=body, headers=admin)).json()
    none = await served.http.get("/api/keys", params={"expiring_days": 30}, headers=admin)
    past = body | {"expires_at": "2001-01-01T00:00:00Z"}
    refused = await served.http.post("/api/keys", json=past, headers=admin)

    assert made["expires_at"] == "2999-01-01T00:00:00.000Z"
    assert none.json()["data"] == []
    assert (refused.status_code, refused.json()["field"]) == (422, "expires_at")


async def test_only_admin_keys_make_keys_and_only_within_their_tenant(
    served: Served, admin: dict[str, str]
) -> None:
    body = {"name": "k", "scopes": ["send"]}
    made = (await served.http.post("/api/keys", json=body, headers=admin)).json()
    plain = await served.http.post("/api/keys", json=body)
    rival = await served.backend.tenants()
    theirs = next(one.id for one in rival if one.name == "Rival")
    issued = await served.backend.issue_key(theirs, "r", frozenset({Scope.ADMIN}), actor="t")
    stolen = await served.http.delete(
        f"/api/keys/{made['id']}", headers=served.with_key(issued.secret)
    )

    assert (plain.status_code, plain.json()["name"]) == (403, "missing_scope")
    assert stolen.status_code == 404


async def test_a_key_of_all_tenants_acts_for_the_one_it_names(
    served: Served, admin: dict[str, str]
) -> None:
    wish = KeyWish(
        tenant_id=served.acme, name="noc", scopes=frozenset({Scope.ADMIN}), any_tenant=True
    )
    wide = served.with_key((await served.backend.access.issue(wish, actor="t")).secret)
    own = await served.http.get("/domains", headers=wide)
    other = await served.http.get("/domains", headers=wide | {"X-Relay-Tenant": "Rival"})
    narrow = await served.http.get("/api/keys", headers=admin | {"X-Relay-Tenant": "Rival"})
    nobody = await served.http.get("/domains", headers=wide | {"X-Relay-Tenant": "Nobody"})

    assert "acme.example" in [one["name"] for one in own.json()["data"]]
    assert [one["name"] for one in other.json()["data"]] == ["rival.example"]
    assert (narrow.status_code, nobody.status_code) == (403, 401)


async def test_no_key_of_one_tenant_comes_by_a_key_of_all(
    served: Served, admin: dict[str, str]
) -> None:
    """Rotating a key gives the secret of its successor."""
    wish = KeyWish(
        tenant_id=served.acme, name="noc", scopes=frozenset({Scope.ADMIN}), any_tenant=True
    )
    wide = await served.backend.access.issue(wish, actor="t")
    path = f"/api/keys/{wide.key.id}"
    rotated = await served.http.post(f"{path}/rotate", headers=admin)
    revoked = [
        await served.http.delete(one, headers=admin) for one in (path, f"/api-keys/{wide.key.id}")
    ]
    lists = [(await served.http.get(one, headers=admin)).text for one in ("/api/keys", "/api-keys")]
    asked = {"name": "k", "scopes": ["admin"], "any_tenant": True}
    made = await served.http.post("/api/keys", json=asked, headers=admin)
    own = await served.http.post(f"{path}/rotate", headers=served.with_key(wide.secret))

    assert (rotated.status_code, [one.status_code for one in revoked]) == (404, [404, 404])
    assert [wide.key.id in one for one in lists] == [False, False]
    assert (made.status_code, made.json()["field"]) == (422, "any_tenant")
    assert own.status_code == 200


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def narrow(served: Served, admin: dict[str, str]) -> dict[str, str]:
    """The header of a key that may do all, but sends from a second domain of Acme only."""
    acme = await served.db.read(domains.by_name, "acme.example")
    assert acme is not None
    await served.db.write(domains.add, replace(acme, id="dom_two", name="two.example"))
    asked = {"name": "k", "scopes": ["admin"], "domains": ["Two.example"]}
    made = await served.http.post("/api/keys", json=asked, headers=admin)
    return served.with_key(made.json()["secret"])


async def test_a_key_for_some_domains_sends_from_these_by_every_call(
    served: Served, narrow: dict[str, str]
) -> None:
    body = {"name": "Two", "alias": "two", "subject": "s", "text": "x", "from": "a@acme.example"}
    await served.http.post("/templates", json=body, headers=narrow)
    await served.http.post("/templates/two/publish", headers=narrow)
    mail = {"to": "jo@client.example", "subject": "s", "text": "x"}
    use = {"to": "jo@client.example", "template": {"id": "two"}}
    ways: list[tuple[str, dict[str, Any]]] = [
        ("/emails", mail),
        ("/emails", use),
        ("/api/emails", mail),
        ("/api/send", mail),
        ("/api/send-template", {"to": "jo@client.example", "template_id": "two"}),
        ("/emails/batch", mail),
        ("/api/send-batch", mail),
    ]
    for path, one in ways:
        for sender, allowed in (("a@two.example", True), ("A <a@ACME.example>", False)):
            sent = one | {"from": sender}
            wanted = [sent] if path.endswith("batch") else sent
            answer = await served.http.post(path, json=wanted, headers=narrow)
            assert answer.is_success == allowed, (path, sender, answer.text)
            assert allowed or "two.example only" in answer.text
    of_template = await served.http.post("/emails", json=use, headers=narrow)

    assert of_template.status_code == 401  # the template's own sender counts as well


async def test_one_mail_a_key_may_not_send_spoils_no_other_of_a_batch(
    served: Served, narrow: dict[str, str]
) -> None:
    mail = {"to": "jo@client.example", "subject": "s", "text": "x"}
    good, bad = mail | {"from": "a@two.example"}, mail | {"from": "a@acme.example"}
    absent = {"to": "jo@client.example", "from": "a@two.example", "template": {"id": "none"}}
    ours = await served.http.post("/api/send-batch", json=[bad, good], headers=narrow)
    permissive = narrow | {"x-batch-validation": "permissive", "Idempotency-Key": "mixed"}
    resend = [
        await served.http.post("/emails/batch", json=[absent, bad, good], headers=permissive)
        for _ in range(2)
    ]

    assert [one.get("field") for one in ours.json()["results"]] == ["from", None]
    assert [one["index"] for one in resend[0].json()["errors"]] == [0, 1]
    assert resend[0].json() == resend[1].json()


async def test_a_key_for_some_domains_makes_no_freer_key(
    served: Served, admin: dict[str, str], narrow: dict[str, str]
) -> None:
    free: dict[str, Any] = {"name": "k", "scopes": ["send"]}
    unbound = (await served.http.post("/api/keys", json=free, headers=admin)).json()["id"]

    async def status(path: str, body: dict[str, Any]) -> int:
        return (await served.http.post(path, json=body, headers=narrow)).status_code

    assert await status("/api/keys", free) == 403
    assert await status("/api/keys", free | {"domains": ["two.example", "acme.example"]}) == 403
    assert await status("/api-keys", {"name": "k"}) == 401
    assert await status(f"/api/keys/{unbound}/rotate", {}) == 403
    assert await status("/api/keys", free | {"domains": ["two.example"]}) == 201
    theirs = free | {"domains": ["rival.example"]}
    assert (await served.http.post("/api/keys", json=theirs, headers=admin)).status_code == 422


async def test_a_key_bound_to_domains_changes_nothing_of_the_others(
    served: Served, admin: dict[str, str], narrow: dict[str, str]
) -> None:
    free = {"name": "k", "scopes": ["send"]}
    unbound = (await served.http.post("/api/keys", json=free, headers=admin)).json()["id"]
    mail = {"to": "jo@client.example", "subject": "s", "text": "x", "scheduled_at": "in 1 hour"}

    async def sent(sender: str) -> str:
        asked = mail | {"from": sender}
        answer = await served.http.post("/emails", json=asked, headers=admin)
        return str(answer.json()["id"])

    ours, theirs = await sent("a@two.example"), await sent("a@acme.example")
    hook = {"url": "https://hooks.client.example/x", "events": ["*"]}
    later = {"scheduled_at": "in 2 hours"}
    asked: list[tuple[str, str, Any, int]] = [
        ("DELETE", f"/api/keys/{unbound}", None, 403),
        ("DELETE", f"/api-keys/{unbound}", None, 401),
        ("PATCH", "/api/settings", {"limits": {"day": 1}}, 403),
        ("PATCH", "/api/settings", {"leave_missing": True}, 403),
        ("POST", "/api/webhooks", hook, 403),
        ("GET", "/webhooks", None, 401),
        ("POST", "/api/inbound/inb_1/release", {}, 403),
        ("POST", "/domains", {"name": "third.example"}, 401),
        ("PATCH", "/api/domains/acme.example", {"reply_prefix": "x"}, 403),
        ("DELETE", "/domains/acme.example", None, 401),
        ("PATCH", f"/emails/{theirs}", later, 401),
        ("POST", f"/emails/{theirs}/cancel", None, 401),
        ("PATCH", f"/emails/{ours}", later, 200),
        ("POST", f"/emails/{ours}/cancel", None, 200),
        ("PATCH", "/domains/two.example", {"reply_prefix": "x"}, 200),
    ]
    for method, path, body, status in asked:
        answer = await served.http.request(method, path, json=body, headers=narrow)
        assert answer.status_code == status, (method, path, answer.text)
        assert status == 200 or "two.example" in answer.text


async def test_a_key_that_ends_makes_no_key_that_lives_longer(
    served: Served, admin: dict[str, str]
) -> None:
    """Whoever finds a key that ends tomorrow must not have found one for good."""
    free: dict[str, Any] = {"name": "k", "scopes": ["send"]}
    forever = (await served.http.post("/api/keys", json=free, headers=admin)).json()["id"]
    ends = free | {"scopes": ["admin"], "expires_at": "2999-01-01T00:00:00Z"}
    made = (await served.http.post("/api/keys", json=ends, headers=admin)).json()
    brief = served.with_key(made["secret"])
    later = free | {"expires_at": "2999-06-01T00:00:00Z"}

    longer = await served.http.post("/api/keys", json=later, headers=brief)
    unsaid = await served.http.post("/api/keys", json=free, headers=brief)
    other = await served.http.post(f"/api/keys/{forever}/rotate", headers=brief)
    itself = await served.http.post(f"/api/keys/{made['id']}/rotate", headers=brief)

    assert (longer.status_code, other.status_code) == (403, 403)
    assert unsaid.json()["expires_at"].startswith("299")
    assert itself.json()["expires_at"].startswith("299")


async def test_rotation_sheds_no_rate_limit_and_a_limited_key_makes_no_other(
    served: Served, admin: dict[str, str]
) -> None:
    body: dict[str, Any] = {"name": "site", "scopes": ["admin"]}
    made = (await served.http.post("/api/keys", json=body, headers=admin)).json()
    limits = SendLimits(hour=2)
    await served.backend.limits.set(served.acme, limits, actor="t", key_id=made["id"])
    mail = {"from": "a@acme.example", "to": "jo@client.example", "subject": "s", "text": "x"}
    held = served.with_key(made["secret"])
    first = await served.http.post("/emails", json=mail, headers=held)
    fresh = (await served.http.post(f"/api/keys/{made['id']}/rotate", headers=held)).json()
    second = [
        await served.http.post("/emails", json=mail, headers=served.with_key(fresh["secret"]))
        for _ in range(2)
    ]
    other = await served.http.post("/api/keys", json=body, headers=held)

    assert first.headers["ratelimit-remaining"] == "1"
    assert [one.status_code for one in second] == [200, 429]
    assert (other.status_code, "rate limits of its own" in other.text) == (403, True)


async def test_domains_are_read_changed_and_removed_by_their_own_tenant(served: Served) -> None:
    listed = (await served.http.get("/domains")).json()["data"]
    line = next(one for one in listed if one["name"] == "acme.example")
    path = f"/domains/{line['id']}"
    wish = {"inbound_enabled": True, "reply_prefix": "case", "auto_response": True}
    changed = await served.http.patch(path, json=wish | {"auto_response_text": "Hello"})
    read = (await served.http.get(path)).json()
    rival = served.with_key(served.rival_key)
    hidden = await served.http.get(path, headers=rival)
    safe = await served.http.delete(path, headers=rival)
    gone = await served.http.delete(path)
    after = await served.http.get(path)

    assert (line["status"], line["capabilities"]["receiving"]) == ("verified", "enabled")
    assert changed.json() == {"object": "domain", "id": line["id"]}
    assert (read["inbound_enabled"], read["reply_prefix"]) == (True, "case")
    assert (read["auto_response"], read["auto_response_text"]) == (True, "Hello")
    assert {"DMARC", "Receiving"} <= {one["record"] for one in read["records"]}
    assert (hidden.status_code, safe.status_code) == (404, 404)
    assert gone.json() == {"object": "domain", "id": line["id"], "deleted": True}
    assert after.status_code == 404
