"""Reading within bounds: what exceeds them is refused, and its neighbours do not feel it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from backend.inbound.bounded import BoundedReader, Bounds
from backend.mime.parse import UNREADABLE
from tests.mail_bombs import BOMBS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.model.inbound import ParsedMail

MAIL = b"From: Jo <jo@client.example>\r\nSubject: Hello\r\n\r\nIt prints stripes.\r\n"
LARGE = MAIL + b"and more of them\r\n" * 40_000


@pytest.fixture
def reader() -> Iterator[BoundedReader]:
    made = BoundedReader()
    yield made
    made.close()


def refused(mail: ParsedMail) -> bool:
    return any(defect.startswith(UNREADABLE) for defect in mail.defects)


async def test_a_large_message_is_read_in_a_process_as_a_small_one_in_a_thread(
    reader: BoundedReader,
) -> None:
    small, large = await reader.read(MAIL), await reader.read(LARGE)

    assert (small.subject, large.subject) == ("Hello", "Hello")
    assert small.reply_text == "It prints stripes."
    assert len(large.text) > 600_000
    assert large.facts.classification == small.facts.classification


async def test_what_takes_too_long_is_given_up_as_unreadable() -> None:
    reader = BoundedReader(Bounds(wall_seconds=0.001))

    mail = await reader.read(LARGE)

    assert refused(mail)
    assert "took longer" in mail.defects[0]
    assert (mail.subject, mail.text) == ("Hello", "")
    reader.close()


async def test_what_takes_too_much_memory_is_given_up_as_unreadable() -> None:
    reader = BoundedReader(Bounds(memory_bytes=220 * 1024**2))

    mail = await reader.read(MAIL + "x\U0001f600".encode() * 8_000_000)

    assert refused(mail)
    assert "memory" in mail.defects[0]
    assert not refused(await reader.read(LARGE))
    reader.close()


async def test_a_cancelled_reading_ends_its_process_and_the_next_is_read(
    reader: BoundedReader,
) -> None:
    reading = asyncio.ensure_future(reader.read(BOMBS["base64 rubbish"]()))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert (await reader.read(LARGE)).subject == "Hello"


async def test_neighbours_are_read_while_a_bomb_is(reader: BoundedReader) -> None:
    await reader.read(LARGE)  # the processes are there
    bomb = asyncio.ensure_future(reader.read(BOMBS["HTML in 400 parts"]()))

    began = time.perf_counter()
    mails = await asyncio.gather(*(reader.read(MAIL) for _ in range(50)))

    assert time.perf_counter() - began < 2
    assert all(mail.subject == "Hello" for mail in mails)
    assert (await bomb).from_address == "jo@client.example"
