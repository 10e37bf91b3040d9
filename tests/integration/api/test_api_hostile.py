"""What callers write with bad intent or by bad luck: refused by name, or carried as mere text."""

from __future__ import annotations

import gzip
import json
import logging
import math
import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import compat32
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from backend.mime.compose import compose
from backend.model.tenant import Scope
from backend.outbound.drafts import load_draft
from backend.outbound.validate import validate
from backend.store import emails

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.api.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAIL = {"from": "a@acme.example", "to": "jo@client.example", "subject": "Hi", "text": "x"}
FILE = {"filename": "a.txt", "content": "YQ==", "content_type": "text/plain", "content_id": "c"}
BREAKS = ("\r\n", "\n", "\r", "\0", "\x0b", "\x1b", "\x85", "\u2028", "\u2029")
BOUND: Mapping[str, Any] = {
    "from": lambda bad: {"from": f"A{bad} <a@acme.example>"},
    "to": lambda bad: {"to": [f"jo@client.example{bad}"]},
    "cc": lambda bad: {"cc": f"{bad}c@client.example"},
    "bcc": lambda bad: {"bcc": f"B{bad} <c@client.example>"},
    "reply_to": lambda bad: {"reply_to": f"R{bad} <r@client.example>"},
    "subject": lambda bad: {"subject": f"Hi{bad}Bcc: eve@x.example"},
    "headers.List-Unsubscribe": lambda bad: {
        "headers": {"List-Unsubscribe": f"<https://a.example/u>{bad}Bcc: eve@x.example"}
    },
    "headers": lambda bad: {"headers": {f"List-Unsubscribe-Post{bad}X": "v"}},
    "tags": lambda bad: {"tags": {"product": f"psa{bad}"}},
    "attachments[0].filename": lambda bad: {"attachments": [FILE | {"filename": f"a{bad}.txt"}]},
    "attachments[0].content_type": lambda bad: {
        "attachments": [FILE | {"content_type": f"text/plain{bad}X: y"}]
    },
    "attachments[0].content_id": lambda bad: {"attachments": [FILE | {"content_id": f"c{bad}"}]},
    "scheduled_at": lambda bad: {"scheduled_at": f"in 1{bad or 'x'}hour"},
}
"""Every field that ends in a header, with something bad put into it."""
EDGES = ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admin(served: Served) -> dict[str, str]:
    return served.with_key(await served.key_for(Scope.ADMIN))


@pytest.mark.parametrize("field", [field for field in BOUND if field != "scheduled_at"])
async def test_no_line_break_enters_a_header_on_any_surface(served: Served, field: str) -> None:
    for bad in BREAKS:
        mail = MAIL | BOUND[field](bad)
        relay = await served.http.post("/api/send", json=mail)
        resend = await served.http.post("/emails", json=mail)
        batch = await served.http.post("/api/send-batch", json=[mail, MAIL])

        assert (relay.status_code, resend.status_code) == (422, 422), repr(bad)
        assert relay.json()["field"].startswith(re.split(r"[.\[]", field)[0])
        assert "error" in batch.json()["results"][0]
        assert batch.json()["accepted"] == 1


async def test_what_turns_text_around_is_kept_out_of_names_and_encoded_elsewhere(
    served: Served,
) -> None:
    """A file called invoice[RLO]gpj.exe shows as invoiceexe.jpg; people's names may need marks."""
    turn = "\u202e"
    for field in ("headers", "tags", "attachments[0].filename", "attachments[0].content_id"):
        refused = await served.http.post("/emails", json=MAIL | BOUND[field](turn))
        assert refused.status_code == 422, field
    name = f"\u2067\u05d0\u05d1{turn}"
    mail = MAIL | {
        "from": f"{name} <a@acme.example>",
        "to": f"{name} <jo@client.example>",
        "subject": name,
        "headers": {"X-Note": name, "List-Unsubscribe": "<https://a.example/u?x=1>"},
    }
    sent = await served.http.post("/emails", json=mail)
    draft = await served.db.read(emails.draft, sent.json()["id"])
    letter = validate(load_draft(draft or b"")).letter
    raw = compose(letter, attempt_id="att_1", date=datetime(2026, 3, 2, 9, tzinfo=UTC))
    head = raw.partition(b"\r\n\r\n")[0]
    read = message_from_bytes(raw, policy=compat32)

    assert head.isascii()
    assert b"eve@" not in raw
    assert str(make_header(decode_header(read["Subject"]))) == name
    assert {name.lower() for name, _ in read.items()} >= {
        "x-note",
        "list-unsubscribe",
        "from",
        "to",
    }
    assert read["Bcc"] is None


@pytest.mark.parametrize(
    "several",
    [
        "a@client.example, b@client.example",
        "A <a@client.example>, B <b@client.example>",
        "a@client.example;b@client.example",
        "A <a@client.example> b@client.example",
        "<a@client.example> <b@client.example>",
        "team: a@client.example, b@client.example;",
    ],
)
async def test_no_recipient_is_lost_where_one_text_names_several(
    served: Served, several: str
) -> None:
    for field in ("to", "cc", "bcc", "reply_to", "from"):
        answer = await served.http.post("/api/send", json=MAIL | {field: several})
        assert (answer.status_code, answer.json()["field"]) == (422, field)
    listed = await served.http.post(
        "/api/suppressions", json={"address": "a@client.example, b@client.example"}
    )
    assert listed.status_code == 422


async def test_a_name_that_looks_like_an_address_is_a_name(served: Served) -> None:
    mail = MAIL | {"to": "eve@other.example <jo@client.example>"}
    sent = await served.http.post("/emails", json=mail)
    read = (await served.http.get(f"/emails/{sent.json()['id']}")).json()

    assert read["to"] == ["jo@client.example"]


async def test_what_a_template_is_filled_with_breaks_neither_header_nor_page(
    served: Served,
) -> None:
    body = {"name": "Hostile", "alias": "hostile", "subject": "{{s}}", "html": "<p>{{s}} {{h}}</p>"}
    await served.http.post("/templates", json=body | {"from": "a@acme.example"})
    await served.http.post("/templates/hostile/publish")

    async def send(**values: str) -> Any:
        wanted = {"template_id": "hostile", "variables": values, "to": "jo@client.example"}
        return await served.http.post("/api/send-template", json=wanted)

    for bad in BREAKS:
        refused = await send(s=f"x{bad}Bcc: eve@x.example", h="")
        assert refused.status_code == 422, repr(bad)
        assert refused.json()["field"].startswith(("variables.s", "variables"))
    sent = await send(s="{{h}} & <b>", h="<script>\"'")
    draft = load_draft(await served.db.read(emails.draft, sent.json()["message_id"]) or b"")
    assert draft.subject == "{{h}} & <b>"
    assert draft.html == (
        "<p>{{h}} &amp; &lt;b&gt; &lt;script&gt;&quot;&#x27;</p>"  # one pass, escaped
    )
    broken = {"from": "A\r\nBcc: eve@x.example <a@acme.example>"}
    await served.http.patch("/templates/hostile", json=broken)
    await served.http.post("/templates/hostile/publish")
    assert (await send(s="x", h="")).json()["field"] == "from"


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("POST /templates", {"name": "n", "html": "a\0b"}),
        ("POST /templates", {"name": "n", "note": "a\0b"}),
        ("POST /api/keys", {"name": "a\0b", "scopes": ["send"]}),
        ("POST /api/suppressions", {"address": "n@client.example", "note": "a\0b"}),
        ("POST /api/webhooks", {"url": "https://h.example/", "description": "a\0b"}),
        ("POST /emails", MAIL | {"template": {"id": "a\0b"}, "text": None}),
        ("POST /emails/batch", [MAIL | {"template": {"id": "a\0b"}, "text": None}]),
        ("POST /api/send-template", {"template_id": "x", "to": "a@b.example", "text": "\0"}),
    ],
)
async def test_a_nul_in_any_text_is_named_and_reaches_no_database(
    served: Served, admin: dict[str, str], call: str, body: Any
) -> None:
    """PostgreSQL refuses a NUL in any text, SQLite takes it."""
    method, path = call.split(" ")
    answer = await served.http.request(method, path, json=body, headers=admin)

    assert answer.status_code == 422
    assert "NUL" in answer.text


@pytest.mark.parametrize("edge", EDGES)
async def test_the_ends_of_the_calendar_are_refused_and_spoil_no_list(
    served: Served, admin: dict[str, str], edge: str
) -> None:
    """A moment that is stored and cannot be read back would break every list it is in."""
    hook = await served.http.post(
        "/api/webhooks", json={"url": "https://h.example/"}, headers=admin
    )
    answers = [
        await served.http.request(method, path, headers=admin, **given)
        for method, path, given in (
            ("POST", "/api/send", {"json": MAIL | {"scheduled_at": edge}}),
            ("POST", "/api/send", {"json": MAIL | {"scheduled_at": "in 999999 weeks"}}),
            ("POST", "/api/keys", {"json": {"name": "k", "scopes": ["send"], "expires_at": edge}}),
            ("POST", "/api/suppressions", {"json": {"address": "z@b.example", "expires_at": edge}}),
            ("POST", f"/api/webhooks/{hook.json()['id']}/replay", {"json": {"since": edge}}),
            ("GET", "/api/logs", {"params": {"q": f'since:"{edge}"'}}),
            ("GET", "/api/analytics", {"params": {"until": edge}}),
        )
    ]
    lists = [
        await served.http.get(path, headers=admin)
        for path in ("/api/keys", "/api-keys", "/api/suppressions")
    ]

    assert [answer.status_code for answer in answers] == [422] * len(answers)
    assert all("Error" not in answer.text for answer in answers)
    assert [answer.status_code for answer in lists] == [200] * 3


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/templates/hostile/preview", {"version": 2**63}),
        ("/templates/hostile/publish", {"version": 10**400}),
        ("/api/keys/x/rotate", {"overlap_hours": 1e308}),
        ("/api/settings", {"limits": {"second": 2**63}}),
        ("/api/suppressions/import", '{"a":' * 20_000),
        ("/emails", "[" * 100_000),
    ],
    ids=["version", "greater-version", "hours", "limit", "nested-file", "nested-mail"],
)
async def test_no_number_and_no_nesting_makes_the_server_fail(
    served: Served, admin: dict[str, str], path: str, body: Any
) -> None:
    method = "PATCH" if path == "/api/settings" else "POST"
    given = {"content": body} if isinstance(body, str) else {"json": body}
    answer = await served.http.request(method, path, headers=admin, **given)

    # of a file each line is told on its own
    assert answer.status_code in (200, 400, 404, 422)
    assert answer.status_code != 200 or answer.json()["added"] == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "https://127.0.0.1/",
        "https://10.1.2.3:8443/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://localhost/",
        "https://relay.internal/",
        "https://user:secret@hooks.example/",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https://hooks.example/\r\nX: y",
        "https://hooks.example\\@10.0.0.1/",
        "file:///etc/passwd",
        "https:///path",
    ],
)
async def test_a_webhook_leads_nowhere_inside(
    served: Served, admin: dict[str, str], url: str
) -> None:
    ours = await served.http.post("/api/webhooks", json={"url": url}, headers=admin)
    theirs = {"endpoint": url, "events": ["email.sent"]}
    resend = await served.http.post("/webhooks", json=theirs, headers=admin)

    assert (ours.status_code, ours.json()["field"]) == (422, "url")
    assert resend.status_code == 422
    assert "secret" not in ours.text


async def test_an_exported_cell_is_never_a_formula(served: Served) -> None:
    for number, note in enumerate(('=cmd|"/c calc"!A1', "+1", "-1", "@x", "\tx", " =1")):
        wish = {"address": f"f{number}@cells.example", "note": note}
        assert (await served.http.post("/api/suppressions", json=wish)).status_code == 201
    answer = await served.http.get("/api/suppressions/export", params={"text": "cells.example"})
    cells = [cell.strip('"') for line in answer.text.splitlines()[1:] for cell in line.split(",")]

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(answer.text.splitlines()) == 7
    assert [cell for cell in cells if cell.lstrip()[:1] in tuple("=+-@")] == []


async def test_the_log_of_the_server_tells_no_secret_no_address_and_no_body(
    served: Served, admin: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    who = "canary@client.example"
    for path, body in (
        ("/api/send", MAIL | {"to": who, "text": "canary-text"}),
        ("/emails/batch", [MAIL | {"to": who}, MAIL | {"to": "canary"}]),
        ("/api/suppressions", {"address": who, "note": "canary-note"}),
        ("/api/webhooks", {"url": "https://hooks.example/canary-token"}),
        ("/api/webhooks", {"url": "https://canary:canary@hooks.example/"}),
        ("/templates", {"name": "canary", "html": "canary"}),
        ("/api/keys", {"name": "canary", "scopes": ["send"]}),
        ("/events/ses", {"canary": "canary"}),
    ):
        await served.http.post(path, json=body, headers=admin)
    await served.http.get(f"/suppressions/{who}", headers=admin)
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    secret = admin["Authorization"].rpartition(" ")[2]

    assert [line for line in ours if "canary" in line or secret in line] == []


async def test_a_body_that_cannot_be_read_is_told_why(served: Served) -> None:
    plain = json.dumps(MAIL).encode()
    asked: list[tuple[bytes, dict[str, str], str]] = [
        (gzip.compress(plain), {"Content-Encoding": "gzip"}, "encoded as 'gzip'; send it plain"),
        (plain.decode().encode("utf-16"), {}, "line 1 column 1"),
        (plain.replace(b"Hi", b"\xe9"), {}, "unicode code point"),
        (plain.replace(b"Hi", b"\\ud800"), {}, "hex escape"),
        (b'{"a":' * 3_000, {}, "recursion"),
        (b'{"to":' + b"9" * 6_000 + b"}", {}, "number out of range"),
    ]
    for path in ("/emails", "/api/send", "/emails/batch", "/api/send-batch"):
        for raw, headers, why in asked:
            answer = await served.http.post(path, content=raw, headers=headers)
            assert (answer.status_code, why in answer.text) == (400, True), (path, answer.text)
    # PowerShell writes files that begin with this mark
    marked = await served.http.post("/emails", content=b"\xef\xbb\xbf" + plain)
    assert marked.status_code == 200


async def test_what_makes_a_mail_swell_or_lie_beside_its_body_is_refused(served: Served) -> None:
    many = [f"r{n}@client.example" for n in range(51)]
    headers = {f"X-{n}": "v" for n in range(51)}
    use = {"template_id": "none", "to": "jo@client.example"}
    asked: list[tuple[str, str, str]] = [
        ("/api/send", json.dumps(MAIL | {"reply_to": many}), "reply_to"),
        ("/api/send", json.dumps(MAIL | {"headers": headers}), "headers"),
        ("/api/send-template", json.dumps(use | {"variables": {"a": math.nan}}), "variables.a"),
        ("/api/send-template", json.dumps(use | {"variables": {"a": math.inf}}), "variables.a"),
    ]
    for path, body, field in asked:
        answer = await served.http.post(path, content=body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["field"].startswith(field)
