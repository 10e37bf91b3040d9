"""Composing: what the standard library reads back is what was meant, and not one line more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from backend.errors import InvalidInputError
from backend.mime.compose import compose
from backend.model.outbound import Attachment, EmailDraft
from backend.outbound.validate import validate

if TYPE_CHECKING:
    from backend.mime.compose import Letter

DATE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GOOD = EmailDraft(sender="a@acme.example", to=("b@x.example",), subject="Hello", text="Hi")
# what the validator lets through: no surrogates, and no control characters in a header
BODY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)
HEADER = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200)
FILE_NAME = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"], exclude_characters="/\\"),
    min_size=1,
    max_size=200,
).filter(lambda name: name == name.strip() and name.strip("."))


def parsed(letter: Letter) -> EmailMessage:
    raw = compose(letter, attempt_id="att_1", date=DATE)
    raw.decode("ascii")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    message = message_from_bytes(raw, policy=policy.SMTP)
    assert isinstance(message, EmailMessage)
    return message


def lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(HEADER)
def test_any_subject_comes_back_as_it_was(subject: str) -> None:
    message = parsed(validate(replace(GOOD, subject=subject)).letter)

    assert str(message["Subject"]).strip(" ") == subject.strip(" ")
    assert message["Subject"].defects == ()


@given(BODY)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    message = parsed(validate(replace(GOOD, text=text)).letter)

    assert lines(message.get_content()).rstrip("\n") == lines(text).rstrip("\n")


@given(BODY, BODY)
def test_text_and_html_are_two_forms_of_one_mail(text: str, html: str) -> None:
    message = parsed(validate(replace(GOOD, text=text, html=html)).letter)

    assert message.get_content_type() == "multipart/alternative"
    plain, rich = message.iter_parts()
    assert isinstance(plain, EmailMessage)
    assert isinstance(rich, EmailMessage)
    assert lines(plain.get_content()).rstrip("\n") == lines(text).rstrip("\n")
    assert lines(rich.get_content()).rstrip("\n") == lines(html).rstrip("\n")


@given(st.lists(st.tuples(FILE_NAME, st.binary(max_size=500)), min_size=1, max_size=4))
def test_any_file_comes_back_as_it_was(files: list[tuple[str, bytes]]) -> None:
    attachments = tuple(Attachment(filename=name, content=content) for name, content in files)
    message = parsed(validate(replace(GOOD, attachments=attachments)).letter)

    found = [(part.get_filename(), part.get_content()) for part in message.iter_attachments()]
    assert found == files


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_text_adds_a_header_line(subject: str, name: str, value: str) -> None:
    plain = compose(validate(GOOD).letter, attempt_id="att_1", date=DATE)
    usual = {key.lower() for key in message_from_bytes(plain)}
    draft = replace(
        GOOD, subject=subject, sender=f"{name} <a@acme.example>", headers={"X-Note": value}
    )
    try:
        letter = validate(draft).letter
    except InvalidInputError:
        return

    assert {key.lower() for key in parsed(letter)} == usual | {"x-note"}


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]), max_size=120))
def test_any_display_name_keeps_the_address_whole(name: str) -> None:
    letter = validate(GOOD).letter
    message = parsed(replace(letter, sender=replace(letter.sender, name=name)))

    (mailbox,) = message["From"].addresses
    assert mailbox.addr_spec == "a@acme.example"
