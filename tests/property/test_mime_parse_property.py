"""Whatever bytes come, the parser answers, quickly, and with text any database can keep."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.inbound.inspect import inspect_mail
from backend.mime import charset, headers
from backend.mime.body import html_to_text
from backend.mime.parse import parse
from backend.mime.tnef import SIGNATURE, read_tnef
from backend.mime.transfer import decode_body

if TYPE_CHECKING:
    from backend.model.inbound import ParsedMail

FRAGMENTS = [
    b"\r\n", b"\n", b"\r\n\r\n", b" ", b":", b";", b"=", b'"', b"(", b"<", b">", b"@", b"--b",
    b"--b--",
    b"From: ", b"To: ", b"Subject: ", b"Message-ID: <[x]>", b"In-Reply-To: ", b"References: ",
    b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: text/html; charset=",
    b"Content-Type: message/rfc822", b"Content-Transfer-Encoding: base64",
    b"Content-Transfer-Encoding: quoted-printable", b"Content-Transfer-Encoding: uuencode",
    b"Content-Disposition: attachment; filename*0*=utf-8''%e2%82; filename*1*=%ac",
    b"=?utf-8?B?4oKs?=", b"=?utf-7?Q?+2AA-?=", b"=?nope?X?x?=", b"=?gb2312?B?xOO6?=",
    b"utf-7", b"iso-2022-jp", b"rot13", b"idna", b"\x00", b"\xff\xfe", b"\x1b$B", b"\xe2\x82",
    b"a@b.example", b"name*", b"name*=x", b"begin 644 f\n",
]  # fmt: skip


def _storable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def _texts(mail: ParsedMail) -> list[str]:
    values = [getattr(mail, f.name) for f in fields(mail)]
    texts = [value for value in values if isinstance(value, str)]
    texts += [text for v in values if isinstance(v, tuple) for text in v if isinstance(text, str)]
    return texts + [text for a in mail.attachments for text in (a.name, a.content_type)]


@settings(max_examples=400, deadline=2000)
@given(st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=8), max_size=40).map(b"".join))
def test_any_bytes_are_read_and_all_text_can_be_stored(raw: bytes) -> None:
    assert [text for text in _texts(parse(raw)) if not _storable(text)] == []


@settings(max_examples=150, deadline=2000)
@given(st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=8), max_size=40).map(b"".join))
def test_any_bytes_are_inspected_and_parted_without_loss(raw: bytes) -> None:
    mail = parse(raw)
    found = inspect_mail(raw)

    assert found.text == ("" if mail.text_is_derived else mail.text)
    assert sorted(found.reply_text + found.elided_text) == sorted(mail.text)


@given(st.binary(max_size=120).map(SIGNATURE.__add__))
def test_any_tnef_stream_is_listed(data: bytes) -> None:
    assert all(_storable(file.name) for file in read_tnef(data).files)


@given(st.lists(st.sampled_from(["=", "=3D", " ", "\r\n", "x", "\t", "YQ==", "begin 644 f\n"])))
def test_any_transfer_encoding_is_undone(pieces: list[str]) -> None:
    for encoding in ("base64", "quoted-printable", "x-uuencode", "7bit", "x-none"):
        data, _ = decode_body("".join(pieces).encode(), encoding)
        assert len(data) <= len("".join(pieces))


@given(st.binary(max_size=200), st.text(max_size=20))
def test_any_bytes_in_any_charset_become_text(data: bytes, declared: str) -> None:
    text, _ = charset.decode(data, declared)
    assert _storable(text)


@given(st.text())
def test_any_header_value_is_read(value: str) -> None:
    assert all("@" in address for _, address in headers.addresses(value))
    assert "\n" not in headers.text(value)


@settings(deadline=1000)
@given(st.lists(st.sampled_from(["<b>", "</p>", "<a href=", "<br>", "x", "&amp;", "<!--", "<"])))
def test_any_html_becomes_text(pieces: list[str]) -> None:
    assert isinstance(html_to_text("".join(pieces)), str)
