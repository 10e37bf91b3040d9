"""Messages and megabytes per second: our full extraction against a plain standard library walk.

Both read the same messages in one run, which are generated and, when they are there, those of the
shared corpora. The walk parses under ``compat32``, decodes the subject and the author, decodes each
leaf and its charset; ours does all that ``parse`` does. Trust the ratio, not the figures.
Run: python benchmarks/mime_extract.py
"""

from __future__ import annotations

import base64
import email
import random
import time
from email.header import decode_header, make_header
from email.utils import getaddresses
from pathlib import Path
from typing import TYPE_CHECKING

from backend.mime.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable

MAIL = Path(__file__).resolve().parents[1] / ".." / "shared" / "corpora" / "mail"
ROUNDS = 7
CHANCE = random.Random(7)
WORDS = ["printer", "floor", "Übergabe", "server", "please", "Rückfrage", "the", "and", "café"]


def prose(words: int) -> str:
    return "\r\n".join(" ".join(CHANCE.choices(WORDS, k=10)) for _ in range(max(1, words // 10)))


def head(number: int) -> str:
    trace = "".join(
        f"Received: from mx{hop}.example (mx{hop}.example [192.0.2.{hop}])\r\n"
        f"\tby relay.example with ESMTPS id {number:08x}{hop};\r\n"
        f"\tFri, 20 Nov 2026 08:00:0{hop} +0000\r\n"
        for hop in range(5)
    )
    return (
        f"{trace}From: =?utf-8?Q?J=C3=B6rg_M?= <jo{number}@client.example>\r\n"
        f"To: Support <support@desk.example>\r\nSubject: =?utf-8?B?UsO8Y2tmcmFnZQ==?= {number}\r\n"
        f"Message-ID: <{number}@client.example>\r\nDate: Fri, 20 Nov 2026 08:00:00 +0000\r\n"
        "MIME-Version: 1.0\r\n"
    )


def plain(number: int) -> bytes:
    body = prose(CHANCE.randint(20, 600))
    kind = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    return (head(number) + kind + body).encode()


def rich(number: int) -> bytes:
    text = prose(CHANCE.randint(20, 600))
    return (
        f"{head(number)}Content-Type: multipart/alternative; boundary=alt{number}\r\n\r\n"
        f"--alt{number}\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--alt{number}\r\n"
        f"Content-Type: text/html; charset=utf-8\r\n\r\n<p>{text}</p>\r\n--alt{number}--\r\n"
    ).encode()


def with_file(number: int) -> bytes:
    data = base64.encodebytes(CHANCE.randbytes(CHANCE.randint(5_000, 400_000))).decode()
    return (
        f"{head(number)}Content-Type: multipart/mixed; boundary=mix{number}\r\n\r\n"
        f"--mix{number}\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{prose(80)}\r\n--mix{number}\r\n"
        f'Content-Type: application/pdf; name="scan.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
        f'Content-Disposition: attachment; filename="scan.pdf"\r\n\r\n{data}\r\n--mix{number}--\r\n'
    ).encode()


def walk(raw: bytes) -> int:
    """Do what a plain program does with the standard library."""
    message = email.message_from_bytes(raw)
    size = len(str(make_header(decode_header(str(message.get("subject", ""))))))
    size += len(getaddresses([str(value) for value in message.get_all("from", [])]))
    for part in message.walk():
        if part.is_multipart():
            continue
        data = part.get_payload(decode=True)
        if isinstance(data, bytes):
            if part.get_content_maintype() == "text":
                data.decode(part.get_content_charset() or "utf-8", "replace")
            size += len(data) + len(part.get_filename() or "")
    return size


def tolerant_walk(raw: bytes) -> None:
    try:
        walk(raw)
    except (LookupError, ValueError):
        return  # unknown charsets: the plain walk gives up there


def seconds(work: Callable[[bytes], object], messages: list[bytes]) -> float:
    began = time.process_time()
    for raw in messages:
        work(raw)
    return time.process_time() - began


def compare(messages: list[bytes]) -> tuple[float, float]:
    """Give the best time of each; they take turns, so that a busy machine slows both."""
    rounds = [(seconds(tolerant_walk, messages), seconds(parse, messages)) for _ in range(ROUNDS)]
    return min(theirs for theirs, _ in rounds), min(ours for _, ours in rounds)


def main() -> None:
    sets = {
        "plain": [plain(n) for n in range(300)],
        "alternative": [rich(n) for n in range(300)],
        "with a file": [with_file(n) for n in range(60)],
        "corpora": [path.read_bytes() for path in sorted(MAIL.rglob("*.eml"))],
    }
    for name, messages in sets.items():
        if not messages:
            continue
        megabytes = sum(map(len, messages)) / 1e6
        theirs, ours = compare(messages)
        print(
            f"{name:12} {len(messages):4} messages {megabytes:6.1f} MB: stdlib "
            f"{len(messages) / theirs:7.0f}/s {megabytes / theirs:6.1f} MB/s, ours "
            f"{len(messages) / ours:7.0f}/s {megabytes / ours:6.1f} MB/s, ratio {theirs / ours:.2f}"
        )


if __name__ == "__main__":
    main()
