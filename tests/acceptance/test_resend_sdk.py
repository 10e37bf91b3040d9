"""Resend's own Python SDK, unchanged, against ``relay-console serve`` on local AWS."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from relay_console.cli.exits import Exit
from tests.acceptance.cli import Shell
from tests.acceptance.processes import running_sandbox, serve_at

if TYPE_CHECKING:
    from collections.abc import Iterator

resend = pytest.importorskip("resend", reason="pip install resend to try Resend's SDK")

SENDER = "Northwind <notify@northwind.example>"
DEADLINE = 20


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The SDK with a key for everything, pointed at a served backend."""
    home = tmp_path_factory.mktemp("sdk")
    with running_sandbox(home) as environ:
        server, url = serve_at(environ, home)
        shell = Shell(home=home, extra=environ)
        made = shell.run(
            "keys", "create", "sdk", "--tenant", "Northwind Dental", "--scope", "admin", "--json"
        )
        resend.api_key, resend.api_url = made.json["secret"], url
        yield resend
        assert server.stop(signal.SIGTERM) == Exit.OK


def mail(**more: Any) -> dict[str, Any]:
    return {"from": SENDER, "to": ["ann@customers.example"], "subject": "Hi", "text": "x"} | more


def test_a_mail_is_sent_read_and_listed(sdk: Any) -> None:
    tags = [{"name": "product", "value": "psa"}]
    file = {"filename": "a.txt", "content": list(b"abc")}
    sent = sdk.Emails.send(mail(tags=tags, attachments=[file], html="<p>x</p>"))
    end = time.monotonic() + DEADLINE
    while (read := sdk.Emails.get(sent["id"]))["last_event"] != "delivered":
        assert time.monotonic() < end, read["last_event"]
        select.select([], [], [], 0.1)
    listed = sdk.Emails.list({"limit": 1})
    files = sdk.Emails.Attachments.list(sent["id"])["data"]
    one = sdk.Emails.Attachments.get(sent["id"], files[0]["id"])
    key = {"Authorization": f"Bearer {sdk.api_key}"}

    assert httpx.get(one["download_url"], headers=key).content == b"abc"
    assert (one["filename"], one["content_type"], one["size"]) == ("a.txt", "text/plain", 3)
    assert (read["html"], read["text"], read["reply_to"]) == ("<p>x</p>", "x", [])
    assert (read["to"], read["subject"], read["object"]) == (
        ["ann@customers.example"],
        "Hi",
        "email",
    )
    assert listed["object"] == "list"
    assert len(listed["data"]) == 1


def test_a_repeat_is_replayed_and_another_body_is_refused(sdk: Any) -> None:
    once = {"idempotency_key": "sdk-once"}
    first, again = sdk.Emails.send(mail(), once), sdk.Emails.send(mail(), once)
    with pytest.raises(sdk.exceptions.ResendError) as caught:
        sdk.Emails.send(mail(subject="other"), once)

    assert first["id"] == again["id"]
    assert (caught.value.code, caught.value.error_type) == (409, "invalid_idempotent_request")


def test_a_batch_is_all_or_nothing_or_by_item_as_asked(sdk: Any) -> None:
    good, bad = mail(), mail(to=["nonsense"])
    sent = sdk.Batch.send([good, mail(subject="2")])
    with pytest.raises(sdk.exceptions.ResendError) as caught:
        sdk.Batch.send([good, bad])
    partly = sdk.Batch.send([good, bad], {"batch_validation": "permissive"})

    assert len({one["id"] for one in sent["data"]}) == 2
    assert "nonsense" in caught.value.message
    assert len(partly["data"]) == 1
    assert [one["index"] for one in partly["errors"]] == [1]


def test_a_scheduled_mail_is_put_off_and_cancelled(sdk: Any) -> None:
    sent = sdk.Emails.send(mail(scheduled_at="in 1 hour"))
    later = "in 2 hours"
    moved = sdk.Emails.update({"id": sent["id"], "scheduled_at": later})
    gone = sdk.Emails.cancel(sent["id"])

    assert moved["id"] == gone["id"] == sent["id"]
    assert sdk.Emails.get(sent["id"])["last_event"] == "canceled"


def test_suppressions_are_added_found_and_removed(sdk: Any) -> None:
    added = sdk.Suppressions.add({"email": "left@customers.example"})
    found = sdk.Suppressions.get("left@customers.example")
    listed = sdk.Suppressions.list()
    both = sdk.Suppressions.Batch.add({"emails": ["b@customers.example", "c@customers.example"]})
    with pytest.raises(sdk.exceptions.ResendError) as caught:
        sdk.Emails.send(mail(to="left@customers.example"))
    sdk.Suppressions.remove("left@customers.example")
    sdk.Suppressions.Batch.remove({"emails": ["b@customers.example", "c@customers.example"]})

    assert found["id"] == added["id"]
    assert (found["email"], found["origin"]) == ("left@customers.example", "manual")
    assert added["id"] in {one["id"] for one in listed["data"]}
    assert len(both["data"]) == 2
    assert "suppressed" in caught.value.message
    assert sdk.Emails.send(mail(to="left@customers.example"))["id"]


def test_templates_are_written_published_and_sent(sdk: Any) -> None:
    made = sdk.Templates.create(
        {
            "name": "Welcome",
            "alias": "welcome",
            "subject": "Welcome {{{NAME}}}",
            "html": "<p>{{{NAME}}} has {{{COUNT}}}</p>",
            "from": SENDER,
            "variables": [
                {"key": "NAME", "type": "string"},
                {"key": "COUNT", "type": "number", "fallback_value": 3},
            ],
        }
    )
    published = sdk.Templates.publish(made["id"])
    use = {"id": "welcome", "variables": {"NAME": "Ann & Bob"}}
    sent = sdk.Emails.send({"to": "ann@customers.example", "template": use})
    with pytest.raises(sdk.exceptions.ResendError) as caught:
        sdk.Emails.send({"to": "ann@customers.example", "template": {"id": "welcome"}})
    changed = sdk.Templates.update({"id": made["id"], "name": "Hello"})
    copy = sdk.Templates.duplicate(made["id"])
    read = sdk.Templates.get(made["id"])
    listed = sdk.Templates.list({"limit": 1})
    gone = sdk.Templates.remove(copy["id"])

    assert published["id"] == changed["id"] == made["id"]
    assert sdk.Emails.get(sent["id"])["subject"] == "Welcome Ann & Bob"
    assert "NAME" in caught.value.message
    assert (read["name"], read["status"]) == ("Hello", "published")
    assert listed["has_more"] is True
    assert gone["deleted"] is True


def test_keys_and_domains_are_made_listed_and_removed(sdk: Any) -> None:
    domain = sdk.Domains.create(
        {"name": "mail.sdk.example", "capabilities": {"receiving": "enabled"}}
    )
    read = sdk.Domains.get(domain["id"])
    sdk.Domains.verify(domain["id"])
    names = {one["name"] for one in sdk.Domains.list()["data"]}
    key = sdk.ApiKeys.create(
        {"name": "narrow", "permission": "sending_access", "domain_id": domain["id"]}
    )
    sdk.ApiKeys.update({"id": key["id"], "name": "narrower"})
    ids = {one["id"] for one in sdk.ApiKeys.list()["data"] if one["name"] == "narrower"}
    wide, sdk.api_key = sdk.api_key, key["token"]
    try:
        with pytest.raises(sdk.exceptions.ResendError) as elsewhere:
            sdk.Emails.send(mail())
        with pytest.raises(sdk.exceptions.ResendError) as reading:
            sdk.Emails.list()
    finally:
        sdk.api_key = wide
    sdk.ApiKeys.remove(key["id"])
    gone = sdk.Domains.remove(domain["id"])

    assert {one["record"] for one in read["records"]} >= {"DKIM", "DMARC"}
    assert read["capabilities"]["receiving"] == "enabled"
    assert "mail.sdk.example" in names
    assert key["id"] in ids
    assert "northwind.example" in elsewhere.value.message
    assert reading.value.error_type == "restricted_api_key"
    assert gone["deleted"] is True


def test_webhooks_are_made_changed_rotated_and_removed(sdk: Any) -> None:
    made = sdk.Webhooks.create(
        {
            "endpoint": "https://hooks.customers.example/x",
            "events": ["email.delivered", "email.bounced"],
        }
    )
    sdk.Webhooks.update({"webhook_id": made["id"], "events": ["email.sent"]})
    read = sdk.Webhooks.get(made["id"])
    listed = sdk.Webhooks.list()
    fresh = sdk.Webhooks.rotate_signing_secret(made["id"])
    gone = sdk.Webhooks.remove(made["id"])

    assert made["signing_secret"].startswith("whsec_")
    assert (read["endpoint"], read["events"]) == (
        "https://hooks.customers.example/x",
        ["email.sent"],
    )
    assert made["id"] in {one["id"] for one in listed["data"]}
    assert fresh["signing_secret"] != made["signing_secret"]
    assert gone["deleted"] is True


def test_errors_have_the_types_the_sdk_knows(sdk: Any) -> None:
    errors = sdk.exceptions
    with pytest.raises(errors.MissingRequiredFieldsError):
        sdk.Emails.send({"from": SENDER, "to": ["a@b.example"], "text": "no subject"})
    with pytest.raises(errors.ValidationError) as unverified:
        sdk.Emails.send(mail(**{"from": "a@elsewhere.example"}))
    with pytest.raises(errors.ResendError) as missing:
        sdk.Emails.get("msg_nothing")
    wide, sdk.api_key = sdk.api_key, "rly_wrong_key"
    try:
        with pytest.raises(errors.InvalidApiKeyError):
            sdk.Emails.send(mail())
    finally:
        sdk.api_key = wide

    assert "elsewhere.example" in unverified.value.message
    assert (missing.value.code, missing.value.error_type) == (404, "not_found")


def test_received_mail_is_listed(sdk: Any) -> None:
    listed = sdk.Emails.Receiving.list({"limit": 5})

    assert (listed["object"], listed["data"]) == ("list", [])


def test_the_node_sdk_works_unchanged(sdk: Any) -> None:
    """Needs Node and, in RELAY_NODE_SDK, a folder in which ``npm install resend`` was run."""
    folder, node = os.environ.get("RELAY_NODE_SDK"), shutil.which("node")
    if not folder or not node:
        pytest.skip("name a folder with the Node package resend in RELAY_NODE_SDK")
    script = Path(__file__).with_name("resend_sdk.mjs")
    ended = subprocess.run(
        [node, str(script), sdk.api_key, sdk.api_url, folder],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stdout.strip()) == (0, "ok"), ended.stderr
