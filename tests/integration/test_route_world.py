"""Rules, domain settings, previews and attachments over a real database and a real target."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from backend.domains.register import DomainTools
from backend.domains.settings import DomainChange, change_domain
from backend.errors import InvalidInputError, NotFoundError
from backend.inbound.bounded import BoundedReader, Bounds
from backend.inbound.deliver_files import FileSettings
from backend.inbound.rules_desk import RoutingDesk
from backend.model.inbound import InboundStatus, Reason, TargetName
from backend.model.tenant import CatchAll
from backend.store import audit
from backend.store import inbound as store
from tests.integration.inbound_world import World, answer, mail

if TYPE_CHECKING:
    from pathlib import Path


ALERTS: dict[str, Any] = {
    "name": "Alerts",
    "when": {"sender": "client.example", "subject": "PROBLEM*"},
    "then": {"action": "route", "target": "psa", "queue": "noc", "tags": ["alert"]},
    "extract": {"subject": r"on (?P<asset>\S+)$"},
}
DROP: dict[str, Any] = {
    "name": "Noise",
    "when": {"subject": "*noise*"},
    "then": {"action": "drop", "reason": "Nobody reads it"},
}


def desk(world: World) -> RoutingDesk:
    return RoutingDesk(world.inbound)


async def test_a_rule_routes_tags_and_fills_the_ticket(world: World) -> None:
    rule = await desk(world).add_rule("acme", ALERTS, actor="pat")

    row = await world.receive(mail("PROBLEM: disk full on web1"), "support@acme.example")

    body = world.target.calls[0].body
    assert body["fields"] == {"queue": "noc", "asset": "web1"}
    assert (body["queue"], body["priority"], body["tags"]) == ("noc", None, ["alert"])
    assert (row.tags, row.fields) == (("alert",), {"queue": "noc", "asset": "web1"})
    told = {step.reason: step.evidence for step in await world.steps(row.id)}
    assert told[Reason.RULE_ROUTED]["rule"] == rule.id
    assert told[Reason.RULES_APPLIED][rule.id].startswith("fits: ")


async def test_a_rule_of_one_tenant_does_not_touch_the_mail_of_another(world: World) -> None:
    await desk(world).add_rule("globex", DROP, actor="pat")

    row = await world.receive(mail("just noise"), "support@acme.example")

    assert row.status is InboundStatus.FORWARDED


async def test_a_dropped_message_keeps_its_row_and_reason(world: World) -> None:
    await desk(world).add_rule("", DROP, actor="pat")

    row = await world.receive(mail("just noise"), "support@acme.example")

    assert (row.status, row.reason) == (InboundStatus.DISCARDED, Reason.RULE_DROPPED)
    assert world.target.calls == []


async def test_rules_are_switched_removed_and_audited(world: World) -> None:
    routing = desk(world)
    rule = await routing.add_rule("acme", DROP, actor="pat")

    await routing.enable_rule("Noise", enabled=False, actor="pat")
    row = await world.receive(mail("just noise"), "support@acme.example")
    with pytest.raises(InvalidInputError, match="there is a rule 'Noise' already"):
        await routing.add_rule("acme", DROP, actor="pat")
    await routing.remove_rule(rule.id, actor="pat")

    assert row.status is InboundStatus.FORWARDED
    assert await routing.rules() == []
    with pytest.raises(NotFoundError):
        await routing.rule("Noise")
    entries = await world.db.read(audit.newest, 3)
    assert [entry.action for entry in entries] == ["rule.removed", "rule.disabled", "rule.added"]
    assert {entry.subject for entry in entries} == {rule.id}


async def test_a_rule_comes_back_from_the_database_as_it_was(world: World) -> None:
    written = ALERTS | {
        "when": ALERTS["when"]
        | {"kind": ["human"], "verdict": {"spam": ["pass"]}, "header": {"X-A": ["b*"]}},
        "extract": {
            "json": {"a": "b.c"},
            "lines": {"d": "E"},
            "copy": {"f": "a"},
            "values": {"f": {"x": "y"}},
            "body": "(?P<g>h)",
        },
        "override": True,
        "stop": False,
        "position": 7,
    }

    rule = await desk(world).add_rule("acme", written, actor="pat")

    assert await desk(world).rules("acme") == [rule]


async def test_a_trial_compares_without_and_with_the_rule_and_writes_nothing(world: World) -> None:
    noisy = await world.receive(mail("just noise"), "support@acme.example")
    quiet = await world.receive(mail("A question"), "support@acme.example")
    before = await world.db.version()

    routing = desk(world)
    rule = await routing.draft_rule("acme", DROP)
    tried = {trial.inbound_id: trial async for trial in routing.try_rule(rule, last=10)}

    found = tried[noisy.id]
    assert found.without is not None
    assert found.with_rule is not None
    assert (found.fits, found.changes) == (True, True)
    assert (found.without.reason, found.with_rule.reason) == ("custom_domain", "rule_dropped")
    assert found.recorded.status == "forwarded"
    assert (tried[quiet.id].fits, tried[quiet.id].changes) == (False, False)
    assert await world.db.version() == before
    assert await routing.rules() == []


async def test_what_exceeds_the_bounds_is_given_up_by_explain_and_trial_too(world: World) -> None:
    large = b"\r\n" + b"noise " * 400_000
    row = await world.receive(mail("just noise") + large, "support@acme.example")
    reader = BoundedReader(Bounds(memory_bytes=1))  # it cannot even take the message in
    routing = RoutingDesk(replace(world.inbound, reader=reader))

    shown = await routing.explain(mail("Hello") + large, recipient="support@acme.example")
    rule = await routing.draft_rule("acme", DROP)
    (tried,) = [trial async for trial in routing.try_rule(rule, last=1)]
    reader.close()

    assert shown.message.status is InboundStatus.QUARANTINED
    assert "more memory" in str(shown.steps[0].evidence)
    assert tried.inbound_id == row.id
    assert tried.without is not None
    assert tried.without.status == "quarantined"


async def test_a_trial_says_that_the_raw_message_is_gone(world: World, tmp_path: Path) -> None:
    row = await world.receive(mail("just noise"), "support@acme.example")
    (tmp_path / "blobs" / row.blob_key).unlink()

    rule = await desk(world).draft_rule("acme", DROP)
    trials = [trial async for trial in desk(world).try_rule(rule, last=1)]

    assert trials[0].error == "the raw message is no longer in the store"


async def test_a_preview_decides_like_the_pipeline_and_writes_nothing(world: World) -> None:
    await desk(world).add_rule("acme", ALERTS, actor="pat")
    before = await world.db.version()
    raw = mail("PROBLEM: disk full on web1")

    shown = await desk(world).explain(raw, recipient="Support@ACME.example")

    assert await world.db.version() == before
    assert shown.message.status is InboundStatus.FORWARDING
    row = await world.receive(raw, "Support@ACME.example")
    assert (shown.message.route, shown.message.fields) == (row.route, row.fields)
    assert shown.steps[-1].reason is Reason.RULE_ROUTED


async def test_a_preview_tells_that_a_target_has_no_url(world: World) -> None:
    world.urls = {TargetName.CRM: world.target.url}
    world.connect()

    shown = await desk(world).explain(mail(), recipient="support@acme.example")

    assert shown.message.status is InboundStatus.HELD
    assert shown.steps[-1].reason is Reason.TARGET_NOT_CONFIGURED


async def test_the_settings_of_a_domain_are_changed_and_audited(world: World) -> None:
    tools = DomainTools(
        db=world.db,
        identities=None,  # type: ignore[arg-type]  # settings never ask SES
        clock=world.clock,
        ids=world.ids,
        region="us-east-1",
    )
    change = DomainChange(
        ticket_from=["Helpdesk", "support"], reply_prefix="case", catch_all=CatchAll.QUARANTINE
    )

    detail = await change_domain(tools, "ACME.example", change, actor="pat")

    assert detail.domain.ticket_from == ("helpdesk", "support")
    entry = (await world.db.read(audit.newest, 1))[0]
    assert entry.action == "domain.changed"
    assert entry.detail["catch_all"] == "unrouted -> quarantine"
    note = await world.receive(mail(), "case+1042@acme.example")
    held = await world.receive(mail(), "hello@acme.example")
    assert note.route is not None
    assert note.route.ref == "1042"
    assert (held.status, held.reason) == (InboundStatus.QUARANTINED, Reason.CATCH_ALL_QUARANTINE)
    with pytest.raises(InvalidInputError, match="reply-prefix"):
        await change_domain(tools, "acme.example", DomainChange(reply_prefix="crm"), actor="pat")
    with pytest.raises(InvalidInputError, match="ticket-from"):
        await change_domain(tools, "acme.example", DomainChange(ticket_from=["a b"]), actor="pat")
    with pytest.raises(NotFoundError):
        await change_domain(tools, "none.example", change, actor="pat")


def with_files(*files: tuple[str, bytes]) -> bytes:
    parts = "".join(
        f'--b\r\nContent-Type: application/octet-stream; name="{name}"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{base64.b64encode(data).decode()}\r\n"
        for name, data in files
    )
    body = f"--b\r\n\r\nHi\r\n{parts}--b--"
    return mail("Files", 'Content-Type: multipart/mixed; boundary="b"', body=body)


async def test_attachments_go_as_content_until_the_limit_and_then_as_links(world: World) -> None:
    settings = FileSettings(content_bytes=1_000, api_url="https://relay.example/")
    world.inbound = replace(world.inbound, files=settings)
    raw = with_files(("a.txt", b"a" * 900), ("b.txt", b"b" * 900), ("c.txt", b"c" * 100))

    row = await world.receive(raw, "support@acme.example")

    first, second, third = world.target.calls[0].body["attachments"]
    assert base64.b64decode(first["content"]) == b"a" * 900
    assert second["content"] is None
    assert second["url"] == f"https://relay.example/emails/receiving/{row.id}/attachments/1"
    assert base64.b64decode(third["content"]) == b"c" * 100
    assert [file["omitted"] for file in (first, second, third)] == [None, None, None]


async def test_without_links_a_large_attachment_is_told_as_left_out(world: World) -> None:
    world.inbound = replace(world.inbound, files=FileSettings(content_bytes=10))

    await world.receive(with_files(("a.txt", b"a" * 11)), "support@acme.example")

    (file,) = world.target.calls[0].body["attachments"]
    assert (file["content"], file["url"], file["omitted"]) == (None, None, "too_large")


async def test_an_unsafe_attachment_is_never_sent(world: World) -> None:
    raw = with_files(("a.txt", b"plain"), ("run.exe", b"MZ" + b"\0" * 80))
    row = await world.receive(raw, "support@acme.example")
    assert row.reason is Reason.UNSAFE_ATTACHMENT

    request = await requested(world, row.id, raw)

    first, second = request["attachments"]
    assert base64.b64decode(first["content"]) == b"plain"
    assert (second["content"], second["url"], second["omitted"]) == (None, None, "unsafe")


async def requested(world: World, inbound_id: str, raw: bytes) -> Any:
    """Give the body a released message would be delivered with."""
    from backend.inbound.deliver_files import Letter, filled_request, plan_files
    from backend.inbound.pipeline import conclude
    from backend.inbound.screen_facts import read_mail

    parsed = read_mail(raw)
    row = await world.row(inbound_id)
    waived = frozenset({Reason.UNSAFE_ATTACHMENT})
    decision = await conclude(world.inbound, row, parsed, waived=waived)
    plan = await plan_files(world.db, world.inbound.files, decision.message, parsed)
    letter = Letter(decision.message, parsed, raw)
    return filled_request(world.inbound.files, letter, plan).body


async def test_a_url_taken_away_between_tries_holds_the_message(world: World) -> None:
    world.target.script.append(answer(503))
    inbound_id = await world.arrive(mail(), "support@acme.example")
    await world.work()
    world.urls = {TargetName.CRM: world.target.url}
    world.connect()
    world.clock.advance(60)

    await world.work()

    row = await world.row(inbound_id)
    assert (row.status, row.reason) == (InboundStatus.HELD, Reason.TARGET_NOT_CONFIGURED)
    assert len(world.target.calls) == 1
    assert await world.db.read(store.get, inbound_id) == row
