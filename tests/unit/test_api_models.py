"""A mail in JSON becomes a draft, or one sentence that names the field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.api.bodies import parse_body
from backend.api.mail_models import RelayMailIn, ResendMailIn
from backend.errors import InvalidInputError

MAIL: dict[str, Any] = {
    "from": "a@acme.example",
    "to": "b@client.example",
    "subject": "Hello",
    "text": "Hi",
}


def relay(**changed: Any) -> RelayMailIn:
    return parse_body(RelayMailIn, json.dumps(MAIL | changed).encode())


def fault(model: type[RelayMailIn] | type[ResendMailIn], body: object) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        parse_body(model, json.dumps(body).encode())
    return caught.value


@pytest.mark.parametrize("field", ["to", "cc", "bcc", "reply_to"])
def test_one_address_or_a_list_of_them_is_the_same(field: str) -> None:
    one = relay(**{field: "x@y.example"}).to_draft()
    many = relay(**{field: ["x@y.example"]}).to_draft()

    assert getattr(one, field) == ("x@y.example",)
    assert one == many


def test_tags_as_a_map_and_as_a_list_are_the_same() -> None:
    as_list = relay(tags=[{"name": "product", "value": "psa"}]).to_draft()

    assert as_list.tags == {"product": "psa"}
    assert as_list == relay(tags={"product": "psa"}).to_draft()


def test_an_attachment_is_decoded_and_its_type_guessed_from_its_name() -> None:
    draft = relay(attachments=[{"filename": "a.pdf", "content": "aGVs\nbG8="}]).to_draft()

    assert draft.attachments[0].content == b"hello"
    assert draft.attachments[0].content_type == "application/pdf"


def test_an_attachment_may_come_as_the_list_of_bytes_the_python_sdk_sends() -> None:
    draft = relay(attachments=[{"filename": "a.bin", "content": list(b"\x00\xff")}]).to_draft()

    assert draft.attachments[0].content == b"\x00\xff"
    assert draft.attachments[0].content_type == "application/octet-stream"


def test_a_moment_goes_on_as_it_was_written() -> None:
    assert relay(scheduled_at="in 1 min").to_draft().scheduled_at == "in 1 min"


def test_a_file_is_not_fetched_from_a_path() -> None:
    file = {"filename": "a.pdf", "path": "http://169.254.169.254/latest/meta-data"}
    error = fault(ResendMailIn, MAIL | {"attachments": [file]})

    assert error.field == "attachments[0]"
    assert "not fetched from a path or URL" in str(error)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"scheduled_at": 1_790_000_000}, "scheduled_at"),
        ({"subject": 5}, "subject"),
        ({"to": [1]}, "to[0]"),
        ({"tags": [{"name": "a"}]}, "tags"),
        ({"tags": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}, "tags"),
        ({"attachments": [{"filename": "a", "content": "%%"}]}, "attachments[0].content"),
        ({"attachments": [{"filename": "a", "content": [256]}]}, "attachments[0].content"),
        ({"attachments": [{"filename": "a", "content": 1}]}, "attachments[0].content"),
    ],
)
def test_a_wrong_value_is_named_by_its_place(changed: dict[str, Any], field: str) -> None:
    error = fault(ResendMailIn, MAIL | changed)

    assert error.field == field
    assert str(error).startswith(f"{field}: ")


def test_the_sentence_never_repeats_what_was_sent() -> None:
    error = fault(RelayMailIn, MAIL | {"tags": "s3cret-canary", "subject": ["s3cret-canary"]})

    assert "canary" not in str(error)


def test_a_missing_field_is_told_as_missing() -> None:
    error = fault(ResendMailIn, {key: value for key, value in MAIL.items() if key != "to"})

    assert (type(error).__name__, error.field) == ("MissingFieldError", "to")


def test_an_unknown_field_is_an_error_for_relay_and_ignored_for_resend() -> None:
    body = MAIL | {"subjct": "typo"}

    assert fault(RelayMailIn, body).field == "subjct"
    assert parse_body(ResendMailIn, json.dumps(body).encode()).subject == "Hello"


def test_a_template_goes_on_to_whoever_fills_it() -> None:
    body = {"to": "b@client.example", "template": {"id": "welcome", "variables": {"name": "Jo"}}}
    template = parse_body(ResendMailIn, json.dumps(body).encode()).to_draft().template

    assert template is not None
    assert (template.template, template.values) == ("welcome", {"name": "Jo"})


def test_an_attachment_that_is_to_be_fetched_is_refused_rather_than_lost() -> None:
    error = fault(ResendMailIn, MAIL | {"attachments": [{"path": "https://x.example/a.pdf"}]})

    assert error.field.startswith("attachments[0]")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_told_so(raw: bytes) -> None:
    with pytest.raises(InvalidInputError, match=r"is not (a )?JSON|is empty"):
        parse_body(ResendMailIn, raw)
