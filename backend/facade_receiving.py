"""The verbs of the API about received mail: one attachment's bytes, and a whole conversation."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import NotFoundError
from backend.mime.attachment_bytes import attachment_bytes
from backend.model.views import InboundQuery
from backend.store import emails, threads
from backend.store import inbound as inbound_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.model.inbound import AttachmentInfo, InboundMessage, TargetName
    from backend.model.outbound import Email
    from backend.ports import BlobStore
    from backend.store.engine import Database
    from backend.store.threads import Thread
    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentFile:
    """An attachment with its decoded bytes."""

    info: AttachmentInfo
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What was sent and received in one thread, each oldest first; all of one tenant."""

    thread: Thread
    sent: tuple[Email, ...]
    received: tuple[InboundMessage, ...]


class Receiving:
    """Reads about received mail; get it as ``backend.receiving``."""

    def __init__(self, db: Database, blobs: BlobStore) -> None:
        self._db = db
        self._blobs = blobs

    async def page(
        self, tenant_id: str, *, after: str = "", before: str = "", size: int
    ) -> Sequence[InboundMessage]:
        """Give received mail, newest first, older than ``after`` or next newer than ``before``."""
        query = InboundQuery(tenant_id=tenant_id)
        if before:
            return await self._db.read(inbound_rows.newer, query, before, size)
        return await self._db.read(inbound_rows.older, query, after, size)

    async def attachment(
        self, inbound_id: str, position: int, tenant_id: str | None = None
    ) -> AttachmentFile:
        """Give one attachment by its place, from 0; raises NotFoundError, also across tenants."""
        message, files = await self._db.read(_files, inbound_id, tenant_id)
        if not 0 <= position < len(files):
            raise NotFoundError(f"{inbound_id} has no attachment {position}")
        raw = await self._blobs.get(message.blob_key)
        data = await asyncio.to_thread(attachment_bytes, raw, files[position].sha256)
        if data is None:
            raise NotFoundError(f"attachment {position} of {inbound_id} cannot be found any more")
        return AttachmentFile(info=files[position], data=data)

    async def check_ref(self, target: TargetName, ref: str, tenant_id: str) -> None:
        """Raise NotFoundError for a ticket or contact that is known to be another tenant's."""
        if await self._db.read(_is_foreign, target, ref, tenant_id):
            raise NotFoundError(f"ref: {target.value} has no {ref[:100]!r} of this tenant")

    async def conversation(self, email_id: str, tenant_id: str | None = None) -> Conversation:
        """Give the conversation a sent or received mail is in; raises NotFoundError."""
        return await self._db.read(_conversation, email_id, tenant_id)


def _is_foreign(tx: Tx, target: TargetName, ref: str, tenant_id: str) -> bool:
    if threads.of_ticket(tx, tenant_id, ref, target):
        return False
    return bool(threads.of_ticket(tx, None, ref, target))


def _files(
    tx: Tx, inbound_id: str, tenant_id: str | None
) -> tuple[InboundMessage, tuple[AttachmentInfo, ...]]:
    message = inbound_rows.get(tx, inbound_id)
    if message is None or tenant_id not in (None, message.tenant_id):
        raise NotFoundError(f"there is no inbound message {inbound_id}")
    return message, inbound_rows.attachments(tx, inbound_id)


def _conversation(tx: Tx, mail_id: str, tenant_id: str | None) -> Conversation:
    thread_id = _thread_of(tx, mail_id, tenant_id)
    thread = threads.get(tx, thread_id) if thread_id else None
    if thread is None or tenant_id not in (None, thread.tenant_id):
        raise NotFoundError(f"there is no conversation of {mail_id}")
    received = inbound_rows.of_thread(tx, thread.id)
    return Conversation(
        thread=thread,
        sent=tuple(emails.of_thread(tx, thread.id, thread.tenant_id)),
        received=tuple(one for one in received if one.tenant_id == thread.tenant_id),
    )


def _thread_of(tx: Tx, mail_id: str, tenant_id: str | None) -> str | None:
    email = emails.get(tx, mail_id, tenant_id)
    if email is not None:
        return email.thread_id
    message = inbound_rows.get(tx, mail_id)
    if message is None or tenant_id not in (None, message.tenant_id):
        return None
    return message.thread_id
