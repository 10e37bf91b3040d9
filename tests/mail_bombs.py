"""Mail made to exhaust whoever reads it: a name and the function that makes the bytes."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FROM = b"From: Jo <jo@client.example>\r\nSubject: Boom\r\n"
HTML = FROM + b"Content-Type: text/html; charset=utf-8\r\n\r\n"
TEXT = FROM + b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
MEGA = 1_000_000


def nested(levels: int) -> bytes:
    begin = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
    return FROM + b"".join(begin % (level, level) for level in range(levels))


def messages(levels: int) -> bytes:
    return FROM + b"Content-Type: message/rfc822\r\n\r\n" * levels + b"x"


def encoded_levels() -> bytes:
    inner = b"\r\n--b\r\n\r\nx\r\n--b--\r\n"
    for _ in range(25):
        head = b"Content-Type: multipart/mixed; boundary=b\r\n"
        head += b"Content-Transfer-Encoding: base64\r\n\r\n"
        inner = b"--b\r\n" + head + base64.encodebytes(inner) + b"\r\n--b--\r\n"
    return FROM + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + inner


def parts(number: int, body: bytes = b"") -> bytes:
    return (
        FROM
        + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        + (b"--b\r\n\r\n" + body + b"\r\n") * number
    )


def one_kind(number: int, head: bytes, body: bytes) -> bytes:
    return (
        FROM
        + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        + (b"--b\r\n" + head + b"\r\n\r\n" + body + b"\r\n") * number
    )


def zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"{number}.bin", bytes(10 * MEGA))
    return attached(file.getvalue(), b"bomb.zip")


def zip_of_many() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(60_000):
            archive.writestr(f"{number}", b"")
    return attached(file.getvalue(), b"many.zip")


def attached(data: bytes, name: bytes) -> bytes:
    head = b'Content-Type: application/octet-stream; name="%s"\r\n' % name
    return FROM + head + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(data)


def distinct_attributes() -> bytes:
    return HTML + b"<p " + b" ".join(b"a%d=1" % number for number in range(50_000)) + b">x"


BOMBS: dict[str, Callable[[], bytes]] = {
    "too large": lambda: TEXT + b"x" * (42 * MEGA),
    "depth 1,000": lambda: nested(1_000),
    "depth 50,000": lambda: nested(50_000),
    "messages in messages": lambda: messages(20_000),
    "encoded multiparts": encoded_levels,
    "100,000 empty parts": lambda: parts(100_000),
    "500 parts of one boundary each": lambda: parts(499, b"--c\r\n" * 1_000),
    "headers of 10 MB": lambda: FROM + b"X: " + b"x" * (10 * MEGA) + b"\r\n\r\n",
    "300,000 headers": lambda: FROM + b"X: y\r\n" * 300_000 + b"\r\n",
    "endless fold": lambda: FROM + b"X: y\r\n" + b" \r\n" * 500_000 + b"\r\n",
    "headers in a part": lambda: parts(1, b"") + b"--b\r\n" + b"X: y\r\n" * 300_000,
    "100,000 addresses": lambda: FROM + b"To: " + b"a@b.example, " * 100_000 + b"\r\n\r\n",
    "60,000 open comments": lambda: FROM + b"To: " + b"(" * 60_000 + b"\r\n\r\n",
    "60,000 open quotes": lambda: b"From: " + b'"a' * 30_000 + b"\r\n\r\nx",
    "one long address": lambda: b"From: <" + b"a@" * 30_000 + b"\r\n\r\nx",
    "200,000 semicolons": lambda: FROM + b"Content-Type: text/plain" + b";" * 200_000 + b"\r\n\r\n",
    "10,000 parameters": lambda: one_kind(
        300, b"Content-Type: a/b" + b"".join(b"; n*%d=x" % n for n in range(9_000)), b"x"
    ),
    "words without an end": lambda: FROM + b"Subject: " + b"=?a?b?" * 40_000 + b"\r\n\r\n",
    "words of wrong charsets": lambda: (
        FROM + b"Subject: " + b"=?big5?B?/////w==?= \xff\xfe" * 9_000 + b"\r\n\r\n"
    ),
    "spaces in an id": lambda: (
        FROM + b"References: " + (b"<" + b" " * 60_000 + b"x ") * 3 + b"\r\n\r\n"
    ),
    "one long id": lambda: FROM + b"In-Reply-To: " + b"a" * 200_000 + b"\r\n\r\n",
    "charsets to guess": lambda: one_kind(
        490, b"Content-Type: text/plain; charset=x-unknown", bytes(range(128, 256)) * 60
    ),
    "1.5 million short lines": lambda: TEXT + b"a\r\n" * 1_500_000,
    "3 million lines of quotes": lambda: TEXT + b"> \n" * 3_000_000,
    "spaces at line ends": lambda: (
        FROM + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + (b" " * 99_999 + b"x") * 50
    ),
    "uuencode begins": lambda: TEXT + b"begin 644 f\n" * 300_000,
    "boundary everywhere": lambda: (
        FROM + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"\n--bb" * 3_000_000
    ),
    "300,000 elements deep": lambda: HTML + b"<div>" * 300_000,
    "50,000 distinct attributes": distinct_attributes,
    "tables in tables": lambda: HTML + b"<table><tr><td>" * 160_000,
    "links in links": lambda: HTML + b"<a href='http://x.example/'>y</a>" * 100_000,
    "quotes without an end": lambda: HTML + b'<p a="' * 600_000,
    "HTML in 400 parts": lambda: one_kind(400, b"Content-Type: text/html", b"<p>x" * 8_000),
    "entities": lambda: HTML + b"&amp;" * 800_000,
    "zip of 200 MB": zip_bomb,
    "zip of 60,000": zip_of_many,
    "TNEF without an end": lambda: attached(b"\x78\x9f\x3e\x22\0\0" + b"\x01" * 3 * MEGA, b"w.dat"),
    "base64 rubbish": lambda: attached(b"", b"f") + b"=" * (5 * MEGA) + b"\xff" * (5 * MEGA),
    "wrote and wrote": lambda: TEXT + b"On Monday, Jo wrote:\n" * 100_000,
    "subjects": lambda: FROM + b"Subject: " + b"Re: " * 60_000 + b"\r\n\r\n",
}
