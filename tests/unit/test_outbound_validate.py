"""Judging drafts: every field that can be wrong, and the sentence that says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backend.errors import InvalidInputError
from backend.model.outbound import Attachment, EmailDraft
from backend.outbound.drafts import dump_draft, load_draft
from backend.outbound.validate import validate

GOOD = EmailDraft(sender="a@acme.example", to=("b@x.example",), subject="Hello", text="Hi")
FILE = Attachment(filename="a.pdf", content=b"x", content_type="application/pdf")
LINE_BREAKS = ["\r", "\n", "\r\n", "\x00", "\x0b", "\x0c", "\x1b", "\x7f", "\x85", "\u2028"]


def wrong(field: str, **change: Any) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as refused:
        validate(replace(GOOD, **change))
    assert refused.value.field.startswith(field)
    assert "\n" not in str(refused.value)
    return refused.value


@pytest.mark.parametrize("break_", LINE_BREAKS)
@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("subject", lambda bad: {"subject": bad}),
        ("from", lambda bad: {"sender": f'"{bad}" <a@acme.example>'}),
        ("to", lambda bad: {"to": (f"{bad} <b@x.example>",)}),
        ("cc", lambda bad: {"cc": (f"b@x.example{bad}",)}),
        ("bcc", lambda bad: {"bcc": (bad,)}),
        ("reply_to", lambda bad: {"reply_to": (f"{bad}<b@x.example>",)}),
        ("headers", lambda bad: {"headers": {"X-Note": bad}}),
        ("headers", lambda bad: {"headers": {f"X-{bad}": "v"}}),
        ("tags", lambda bad: {"tags": {"t": bad}}),
        ("attachments", lambda bad: {"attachments": (replace(FILE, filename=bad),)}),
        ("attachments", lambda bad: {"attachments": (replace(FILE, content_type=bad),)}),
        ("attachments", lambda bad: {"attachments": (replace(FILE, content_id=bad),)}),
    ],
)
def test_no_line_break_gets_into_any_field(field: str, change: Any, break_: str) -> None:
    wrong(field, **change(f"x{break_}Bcc: eve@x.example"))


@pytest.mark.parametrize(
    "name",
    [
        "From", "to", "CC", "Bcc", "Return-Path", "Sender", "Date", "Message-ID", "MIME-Version",
        "Content-Type", "Content-Transfer-Encoding", "DKIM-Signature", "X-Relay-Attempt",
        "X-SES-CONFIGURATION-SET", "Subject", "Reply-To", "", "A b", "A:b", "é", "x" * 65,
    ],
)  # fmt: skip
def test_a_header_of_ours_or_of_a_strange_name_is_refused(name: str) -> None:
    wrong("headers", headers={name: "v"})


def test_a_header_line_has_at_most_998_characters() -> None:
    validate(replace(GOOD, headers={"X-A": "v" * 993}))
    wrong("headers.X-A", headers={"X-A": "v" * 994})


def test_recipients_named_twice_are_merged_into_the_first_place() -> None:
    valid = validate(replace(GOOD, cc=("B@X.example", "c@x.example"), bcc=("C <c@x.example>",)))

    assert [a.bare for a in valid.letter.to] == ["b@x.example"]
    assert [a.bare for a in valid.letter.cc] == ["c@x.example"]
    assert valid.bcc == ()


def test_fifty_recipients_pass_and_fifty_one_do_not() -> None:
    many = tuple(f"u{n}@x.example" for n in range(51))
    validate(replace(GOOD, to=many[:20], cc=many[20:40], bcc=many[40:50]))
    assert "51 recipients" in str(wrong("to", to=many))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("to", {"to": ()}),
        ("to", {"to": ("not an address",)}),
        ("to", {"to": ("müller@x.example",)}),
        ("html", {"text": None}),
        ("html", {"text": "", "html": ""}),
        ("text", {"text": "a\x00b"}),
        ("text", {"text": "\ud800"}),
        ("subject", {"subject": "\udfff"}),
        ("subject", {"subject": "x" * 999}),
        ("tags", {"tags": {"a b": "c"}}),
        ("tags", {"tags": {"a": ""}}),
        ("tags", {"tags": {"a": "x" * 257}}),
        ("tags", {"tags": {"relay-attempt": "att_1"}}),
        ("tags", {"tags": {f"t{n}": "x" for n in range(41)}}),
        ("attachments", {"attachments": (FILE,) * 11}),
        ("attachments", {"attachments": (replace(FILE, filename="../x"),)}),
        ("attachments", {"attachments": (replace(FILE, filename="inv\u202egpj.exe"),)}),
        ("attachments", {"attachments": (replace(FILE, filename="."),)}),
        ("attachments", {"attachments": (replace(FILE, filename="a\\b"),)}),
        ("attachments", {"attachments": (replace(FILE, content_type="multipart/mixed"),)}),
        ("attachments", {"attachments": (replace(FILE, content_type="pdf"),)}),
    ],
)
def test_what_cannot_be_sent_is_refused_by_field(field: str, change: dict[str, Any]) -> None:
    wrong(field, **change)


def test_the_limit_of_40_mb_is_on_the_encoded_mail() -> None:
    big = replace(FILE, content=bytes(29 * 1024 * 1024))
    validate(replace(GOOD, attachments=(big,)))
    too_big = replace(FILE, content=bytes(30 * 1024 * 1024))
    assert "40 MB" in str(wrong("attachments", attachments=(too_big,)))


def test_a_draft_survives_being_stored() -> None:
    draft = replace(
        GOOD,
        cc=("c@x.example",),
        html="<p>é</p>",
        headers={"X-A": "1"},
        tags={"product": "psa"},
        attachments=(replace(FILE, content=bytes(range(256)), content_id="logo"),),
        scheduled_at="tomorrow at 9am",
    )
    assert load_draft(dump_draft(draft)) == draft
