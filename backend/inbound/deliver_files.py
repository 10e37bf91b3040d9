"""How the attachments of a message go to its target: as content, as a link, or not at all.

In their order they go as content until the limit is reached. What is larger is a link: to the file
alone where the store can give one (S3), else to our API where its public URL is set. An unsafe
attachment never goes, nor does a link to the raw message that holds it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.inbound.attachment_safety import judge
from backend.inbound.deliver import UNSAFE, Carried, CarriedFile, request_for
from backend.mime.attachment_bytes import attachment_bytes, attachments_bytes
from backend.store import screen_policies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set
    from datetime import datetime

    from backend.model.inbound import AttachmentInfo, InboundMessage, ParsedMail, Route
    from backend.ports import BlobLinks, TargetRequest
    from backend.store.engine import Database
    from backend.store.types import Tx

LINK_SECONDS = 7 * 86_400
FILES = "attachments/"
"""Keys of single attachments in the store begin so; retention_links.py deletes them."""
FRESH = timedelta(days=1)
"""A file written longer ago is written anew before it is linked: it outlives its links."""
TOO_LARGE = "too_large"
NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """How much goes as content, in bytes over all attachments, and where links may point."""

    content_bytes: int = 5 * 1_048_576
    api_url: str = ""
    links: BlobLinks | None = None


def unsafe_positions(tx: Tx, tenant_id: str, mail: ParsedMail) -> frozenset[int]:
    """Give the attachments that may do harm, as the tenant's policy has it now."""
    safety = judge(mail.attachments, screen_policies.get(tx, tenant_id))
    return frozenset(file.position for file in safety.unsafe)


@dataclass(frozen=True, slots=True)
class Letter:
    """One message with its raw form: attachments are read from it."""

    message: InboundMessage
    mail: ParsedMail
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlan:
    """Why each attachment does not go as content (empty: it does), and the links there are.

    ``urls`` are those of single attachments by position; ``raw_url`` reads the whole raw mail.
    """

    why: tuple[str, ...]
    raw_url: str = ""
    urls: Mapping[int, str] = field(default_factory=dict)


def why_not_carried(
    files: Sequence[AttachmentInfo], limit: int, unsafe: Set[int] = frozenset()
) -> tuple[str, ...]:
    """Say of each attachment why it does not go as content; an empty string when it does."""
    said: list[str] = []
    left = limit
    for position, file in enumerate(files):
        if position in unsafe:
            said.append(UNSAFE)
        elif file.size > left:
            said.append(TOO_LARGE)
        else:
            left -= file.size
            said.append("")
    return tuple(said)


async def plan_files(
    db: Database, settings: FileSettings, message: InboundMessage, mail: ParsedMail
) -> FilePlan:
    """Decide how each attachment goes; raises what the store of raw messages raises."""
    if not mail.attachments:
        return FilePlan(why=())
    unsafe = await db.read(unsafe_positions, message.tenant_id, mail)
    why = why_not_carried(mail.attachments, settings.content_bytes, unsafe)
    needed = TOO_LARGE in why and UNSAFE not in why and not settings.api_url
    if settings.links is None or not needed:
        return FilePlan(why=why)
    url = await settings.links.presign(message.blob_key, LINK_SECONDS)
    return FilePlan(why=why, raw_url=url)


async def link_files(
    settings: FileSettings, letter: Letter, plan: FilePlan, *, now: datetime
) -> FilePlan:
    """Give each attachment that is too large a link to itself; raises what the store raises.

    The file is written under a key of its own, once a day however often the call is tried.
    """
    links = settings.links
    large = [at for at, why in enumerate(plan.why) if why == TOO_LARGE]
    if links is None or not large:
        return plan
    urls = {}
    for position in large:
        file = letter.mail.attachments[position]
        key = _key(letter.message.id, file)
        written = await links.stored_at(key)
        if written is None or now - written > FRESH:
            data = await asyncio.to_thread(attachment_bytes, letter.raw, file.sha256)
            if data is None:
                continue
            await links.put(key, data)
        urls[position] = await links.presign(key, LINK_SECONDS, name=file.name or "attachment")
    return replace(plan, urls=urls)


def _key(inbound_id: str, file: AttachmentInfo) -> str:
    return f"{FILES}{inbound_id}/{file.sha256}"


def filled_request(settings: FileSettings, letter: Letter, plan: FilePlan) -> TargetRequest:
    """Write the call with its attachments; slow for large ones: call it off the event loop."""
    message, mail, raw = letter.message, letter.mail, letter.raw
    files = list(zip(mail.attachments, plan.why, strict=True))
    wanted = {file.sha256 for file, why in files if not why}
    contents = attachments_bytes(raw, wanted) if wanted else {}
    carried = tuple(
        CarriedFile(url=plan.urls[position])
        if position in plan.urls
        else _carried(settings, message, position, why, contents.get(file.sha256))
        for position, (file, why) in enumerate(files)
    )
    return request_for(message, mail, _route(message), Carried(files=carried, raw_url=plan.raw_url))


def _carried(
    settings: FileSettings, message: InboundMessage, position: int, why: str, data: bytes | None
) -> CarriedFile:
    if why == UNSAFE:
        return CarriedFile(omitted=UNSAFE)
    if why == TOO_LARGE and settings.api_url:
        return CarriedFile(url=_api_link(settings.api_url, message.id, position))
    if why:
        return CarriedFile(omitted=why)
    return CarriedFile(content=data) if data is not None else CarriedFile(omitted=NOT_FOUND)


def _api_link(base: str, inbound_id: str, position: int) -> str:
    return f"{base.rstrip('/')}/emails/receiving/{inbound_id}/attachments/{position}"


def _route(message: InboundMessage) -> Route:
    if message.route is None:
        raise ValueError(f"{message.id} has no route and cannot be delivered")
    return message.route
