"""A presigned link reads the raw message without a key of ours; an unsafe file gets none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest

from backend.aws.s3 import S3Blobs
from backend.inbound.deliver_files import FileSettings, plan_files
from backend.model.inbound import AttachmentInfo, ParsedMail
from tests.unit.test_rules_apply import MESSAGE

if TYPE_CHECKING:
    from backend.store.engine import Database
    from tests.integration.aws.reading import Reader


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
