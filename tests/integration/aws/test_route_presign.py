"""Presigned links read a file, or the raw message, without a key of ours; an unsafe one none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from backend.aws.s3 import S3Blobs
from backend.clock import SystemClock
from backend.inbound.deliver_files import (
    FRESH,
    FileSettings,
    Letter,
    filled_request,
    link_files,
    plan_files,
)
from backend.mime.parse import parse
from backend.model.inbound import (
    AttachmentInfo,
    ParsedMail,
    Route,
    TargetAction,
    TargetName,
)
from tests.unit.test_rules_apply import MESSAGE

if TYPE_CHECKING:
    from backend.store.engine import Database
    from tests.integration.aws.reading import Reader


ROUTE = Route(target=TargetName.PSA, action=TargetAction.NEW_TICKET, tenant_id="ten_1", ref="")


def file(name: str, size: int = 100) -> AttachmentInfo:
    return AttachmentInfo(name=name, content_type="text/plain", size=size, sha256="0" * 64)


async def test_what_is_too_large_is_to_be_had_from_the_raw_message(
    world: Reader, db: Database
) -> None:
    blobs = S3Blobs(world.clients, world.at.inbound_bucket)
    await blobs.put("in/links", b"Subject: x\r\n\r\nraw")
    settings = FileSettings(content_bytes=10, links=blobs)
    message = replace(MESSAGE, blob_key="in/links")

    plan = await plan_files(db, settings, message, ParsedMail(attachments=(file("a.txt"),)))

    assert plan.why == ("too_large",)
    async with httpx.AsyncClient() as client:
        assert (await client.get(plan.raw_url)).content == b"Subject: x\r\n\r\nraw"


async def test_a_file_that_is_too_large_has_a_link_of_its_own(world: Reader, db: Database) -> None:
    blobs = S3Blobs(world.clients, world.at.inbound_bucket)
    raw = letter(("small.txt", "ab"), ("Größe 1.log", "large enough"), ("run.exe", "MZ"))
    mail = parse(raw)
    settings = FileSettings(content_bytes=5, links=blobs)
    message = replace(MESSAGE, blob_key="in/own", route=ROUTE)

    plan = await plan_files(db, settings, message, mail)
    sent = Letter(message, mail, raw)
    again = [await link_files(settings, sent, plan, now=SystemClock().now()) for _ in range(2)]

    files: Any = filled_request(settings, sent, again[1]).body["attachments"]
    assert [(f["content"], bool(f["url"]), f["omitted"]) for f in files] == [
        ("YWI=", False, None),
        (None, True, None),
        (None, False, "unsafe"),
    ]
    key = f"attachments/{message.id}/{mail.attachments[1].sha256}"
    assert await blobs.stored_at(key)
    async with httpx.AsyncClient() as client:
        answer = await client.get(files[1]["url"])
    assert answer.content == b"large enough"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "filename*=UTF-8''Gr%C3%B6%C3%9Fe%201.log" in answer.headers["content-disposition"]


async def test_a_file_whose_time_is_nearly_up_is_written_anew_before_it_is_linked(
    world: Reader, db: Database
) -> None:
    blobs = S3Blobs(world.clients, world.at.inbound_bucket)
    raw = letter(("large.txt", "large enough"))
    sent = Letter(replace(MESSAGE, route=ROUTE), parse(raw), raw)
    settings = FileSettings(content_bytes=5, links=blobs)
    plan = await plan_files(db, settings, sent.message, sent.mail)
    key = f"attachments/{MESSAGE.id}/{sent.mail.attachments[0].sha256}"
    now = SystemClock().now()

    for at, content in ((now, b"kept"), (now + FRESH + timedelta(minutes=1), b"large enough")):
        await blobs.put(key, b"kept")
        await link_files(settings, sent, plan, now=at)
        assert await blobs.get(key) == content


def letter(*files: tuple[str, str]) -> bytes:
    """Write a mail with text files."""
    mail = EmailMessage()
    mail["From"] = "jo@corp.example"
    mail.set_content("See below.")
    for name, text in files:
        mail.add_attachment(text.encode(), maintype="text", subtype="x-any", filename=name)
    return mail.as_bytes()


@pytest.mark.parametrize(
    ("names", "api_url"),
    [(("a.txt", "run.exe"), ""), (("a.txt",), "https://relay.example")],
    ids=["an unsafe file", "the API serves it"],
)
async def test_no_link_to_the_raw_message_where_none_is_due(
    world: Reader, db: Database, names: tuple[str, ...], api_url: str
) -> None:
    blobs = S3Blobs(world.clients, world.at.inbound_bucket)
    settings = FileSettings(content_bytes=10, links=blobs, api_url=api_url)
    mail = ParsedMail(attachments=tuple(map(file, names)))

    assert (await plan_files(db, settings, MESSAGE, mail)).raw_url == ""
