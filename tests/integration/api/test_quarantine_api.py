"""POST /api/inbound/{id}/release, reroute, attach, spam, discard and restore."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from backend.model.inbound import (
    InboundMessage,
    InboundStatus,
    Reason,
    Route,
    ScanVerdicts,
    TargetAction,
    TargetName,
)
from backend.model.screening import ListKind
from backend.model.tenant import Scope
from backend.store import audit, threads
from backend.store import inbound as store
from backend.store.threads import Thread

if TYPE_CHECKING:
    from tests.integration.api.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")
_numbers = count(1)


async def waiting(served: Served, reason: Reason = Reason.SPAM_VERDICT) -> str:
    """A quarantined message of Acme."""
    message = InboundMessage(
        id=f"inb_api{next(_numbers)}",
        tenant_id=served.acme,
        source="test",
        blob_key=f"in/{next(_numbers)}",
        recipient="support@acme.example",
        envelope_from="jo@client.example",
        status=InboundStatus.QUARANTINED,
        reason=reason,
        received_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
        size=1,
        verdicts=ScanVerdicts(),
        from_address="jo@client.example",
    )
    await served.db.write(store.add, message)
    return message.id


async def test_a_message_is_discarded_restored_released_and_never_twice(served: Served) -> None:
    inbound_id = await waiting(served)
    admin = served.with_key(await served.key_for(Scope.ADMIN))

    async def post(verb: str, **body: object) -> tuple[int, dict[str, object]]:
        url = f"/api/inbound/{inbound_id}/{verb}"
        answer = await served.http.post(url, json=body, headers=admin)
        return answer.status_code, answer.json()

    foreseen = await post("discard", dry_run=True)
    discarded = await post("discard", note="noise")
    early = await post("release")
    restored = await post("restore")
    released = await post("release", allow="address", days=30)
    again = await post("release")
    elsewhere = await post("reroute", target="crm", ref="c-7")

    assert foreseen[1] == {
        "object": "inbound_act",
        "id": inbound_id,
        "done": False,
        "dry_run": True,
        "sentence": f"discarded: {Reason.DISCARDED_BY_HAND.sentence}",
        "status": "discarded",
        "reason": "discarded_by_hand",
        "target": None,
        "action": None,
        "ref": None,
        "warning": None,
    }
    assert (discarded[0], discarded[1]["done"]) == (200, True)
    assert early == (
        409,
        {
            "object": "inbound_act",
            "id": inbound_id,
            "done": False,
            "why": "it was discarded; restore it first",
        },
    )
    assert restored[1]["what"] == "restored: quarantined again"
    assert (released[0], released[1]["changed"]) == (200, True)
    assert (again[0], again[1]["changed"]) == (200, False)
    assert (elsewhere[0], elsewhere[1]["why"]) == (409, "it is on its way; wait until it rests")
    actors = {
        one.actor for one in await served.db.read(audit.newest, 50) if one.subject == inbound_id
    }
    assert len(actors) == 1
    assert next(iter(actors)).startswith("key ")


async def test_a_virus_is_refused_with_its_sentence(served: Served) -> None:
    inbound_id = await waiting(served, Reason.VIRUS_VERDICT)
    admin = served.with_key(await served.key_for(Scope.ADMIN))

    answer = await served.http.post(f"/api/inbound/{inbound_id}/release", json={}, headers=admin)

    assert answer.status_code == 409
    assert answer.json()["why"].startswith("a virus is never released")


@pytest.mark.parametrize("verb", ["release", "discard", "restore", "spam", "attach"])
async def test_no_other_scope_and_no_other_tenant_acts(served: Served, verb: str) -> None:
    inbound_id = await waiting(served)
    before = await served.db.read(store.get, inbound_id)
    rival = (await served.backend.tenants())[-1]
    foreign = await served.backend.issue_key(rival.id, "x", frozenset({Scope.ADMIN}), actor="test")
    url = f"/api/inbound/{inbound_id}/{verb}"
    body = {"to": "T-1"} if verb == "attach" else {}

    scopeless = await served.http.post(url, json=body)
    other = await served.http.post(url, json=body, headers=served.with_key(foreign.secret))
    nobody = await served.http.post(url, json=body, headers={"Authorization": ""})

    assert (scopeless.status_code, other.status_code, nobody.status_code) == (403, 404, 401)
    assert await served.db.read(store.get, inbound_id) == before


async def test_mail_goes_to_no_ticket_that_is_known_to_be_another_tenants(served: Served) -> None:
    rival = (await served.backend.authenticate(served.rival_key)).tenant_id
    admin = served.with_key(await served.key_for(Scope.ADMIN))
    for number, owner in enumerate((rival, served.acme)):
        route = Route(
            target=TargetName.PSA, action=TargetAction.ADD_NOTE, ref=f"T-{number}", tenant_id=owner
        )
        at = datetime(2026, 3, 2, 9, tzinfo=UTC)
        thread = Thread(
            id=f"thr_q{number}", tenant_id=owner, subject="", created_at=at, route=route
        )
        await served.db.write(threads.add, thread)
    asked = {"target": "psa"}
    answers = [
        await served.http.post(
            f"/api/inbound/{await waiting(served)}/reroute",
            json=asked | {"ref": ref},
            headers=admin,
        )
        for ref in ("t-0", "T-1", "T-7")
    ]

    assert [answer.status_code for answer in answers] == [404, 200, 200]
    assert answers[0].json()["error"] == "ref: psa has no 't-0' of this tenant"


async def test_a_wrong_field_is_named(served: Served) -> None:
    inbound_id = await waiting(served)
    admin = served.with_key(await served.key_for(Scope.ADMIN))

    answer = await served.http.post(
        f"/api/inbound/{inbound_id}/release", json={"everywhere": True}, headers=admin
    )
    without = await served.http.post(
        f"/api/inbound/{inbound_id}/reroute", json={"target": "crm"}, headers=admin
    )

    assert answer.status_code == 422
    assert "everywhere" in answer.text
    assert without.status_code == 422
    assert "crm needs the id of a contact" in without.text


async def test_a_message_is_marked_as_spam_with_its_sender_blocked_for_its_tenant_alone(
    served: Served,
) -> None:
    inbound_id = await waiting(served)
    admin = served.with_key(await served.key_for(Scope.ADMIN))
    url = f"/api/inbound/{inbound_id}"
    wide = await served.http.post(
        f"{url}/spam", json={"block": "address", "everywhere": True}, headers=admin
    )
    done = await served.http.post(f"{url}/spam", json={"block": "address"}, headers=admin)
    blocked = [
        (one.pattern, one.tenant_id)
        for one in await served.backend.screening.entries(ListKind.BLOCK)
    ]
    kept = await served.db.read(store.get, inbound_id)
    restored = await served.http.post(f"{url}/restore", json={}, headers=admin)

    assert (wide.status_code, wide.json()["field"]) == (422, "everywhere")
    assert done.json()["what"] == "marked as spam; jo@client.example is blocked"
    assert blocked == [("jo@client.example", served.acme)]
    assert kept is not None
    assert kept.reason is Reason.MARKED_AS_SPAM
    assert restored.json()["what"] == "restored: quarantined again"


async def test_a_message_is_attached_to_a_conversation_of_its_own_tenant(served: Served) -> None:
    rival = (await served.backend.authenticate(served.rival_key)).tenant_id
    admin = served.with_key(await served.key_for(Scope.ADMIN))
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    for owner in (rival, served.acme):
        thread = Thread(id=f"thr_of_{owner}", tenant_id=owner, subject="", created_at=at)
        await served.db.write(threads.add, thread)
    inbound_id = await waiting(served)
    message = await served.db.read(store.get, inbound_id)
    assert message is not None
    await served.backend._parts.inbound.blobs.put(message.blob_key, b"Subject: Hi\r\n\r\nHello\r\n")

    async def attach(to: str) -> tuple[int, Any]:
        url = f"/api/inbound/{inbound_id}/attach"
        answer = await served.http.post(url, json={"to": to}, headers=admin)
        return answer.status_code, answer.json()

    foreign = await attach(f"thr_of_{rival}")
    done = await attach(f"thr_of_{served.acme}")

    assert (foreign[0], "no conversation" in foreign[1]["why"]) == (409, True)
    assert done == (
        200,
        {
            "object": "inbound_act",
            "id": inbound_id,
            "done": True,
            "what": f"attached to thr_of_{served.acme}",
            "changed": True,
        },
    )
