"""Which conversations Message-IDs stand for: of mail sent, of mail received, and learned ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from backend.store.schema import attempts, emails, inbound
from backend.store.schema_threads import message_aliases as aliases

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from sqlalchemy import Select

    from backend.store.types import Tx

    _Known = Select[tuple[Any, Any, Any]]

MOST = 200  # rows a look-up may give: a stranger may repeat a Message-ID as often as he likes


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """One conversation a Message-ID stands for; ``email_id`` is None for mail received."""

    message_id: str
    thread_id: str
    email_id: str | None = None


def sent(tx: Tx, tenant_id: str | None, ses_ids: Mapping[str, str]) -> list[Citation]:
    """Find mail of ours by the ids SES gave it: SES id -> the Message-ID that holds it.

    Without a tenant all of them are searched: SES ids cannot be guessed. A mail whose answer was
    lost may have gone out under several ids, which its attempts know.
    """
    if not ses_ids:
        return []
    tried = (
        select(attempts.c.ses_message_id.label("ses_id"), emails.c.id, emails.c.thread_id)
        .join(emails, emails.c.id == attempts.c.email_id)
        .where(attempts.c.ses_message_id.in_(ses_ids))
    )
    known = select(emails.c.ses_message_id.label("ses_id"), emails.c.id, emails.c.thread_id).where(
        emails.c.ses_message_id.in_(ses_ids)
    )
    found: dict[tuple[str, str], Citation] = {}
    for query in (known, tried):
        for row in tx.execute(_of_tenant(query, tenant_id)):
            found[row.ses_id, row.id] = Citation(
                message_id=ses_ids[row.ses_id], thread_id=row.thread_id, email_id=row.id
            )
    return list(found.values())


def received(tx: Tx, tenant_id: str, message_ids: Collection[str]) -> list[Citation]:
    """Find conversations of a tenant by the Message-IDs of mail it received, oldest first."""
    query = (
        select(inbound.c.message_id, inbound.c.thread_id)
        .where(
            inbound.c.tenant_id == tenant_id,
            inbound.c.message_id.in_(message_ids),
            inbound.c.message_id != "",
            inbound.c.thread_id.is_not(None),
        )
        .order_by(inbound.c.id)
        .limit(MOST)
    )
    pairs = dict.fromkeys((row.message_id, row.thread_id) for row in tx.execute(query))
    return [Citation(message_id=m, thread_id=thread_id) for m, thread_id in pairs]


def learned(tx: Tx, tenant_id: str, message_ids: Collection[str]) -> list[Citation]:
    """Find conversations of a tenant by Message-IDs it was taught."""
    query = (
        select(aliases)
        .where(aliases.c.tenant_id == tenant_id, aliases.c.message_id.in_(message_ids))
        .order_by(aliases.c.thread_id)
        .limit(MOST)
    )
    return [
        Citation(message_id=row.message_id, thread_id=row.thread_id, email_id=row.email_id)
        for row in tx.execute(query)
    ]


def collides(tx: Tx, tenant_id: str, inbound_id: str, message_id: str, content: str) -> bool:
    """Tell whether earlier mail of the tenant has this Message-ID and other content."""
    if not message_id or not content:
        return False
    of = {"of_message": message_id, "of_tenant": tenant_id, "own": inbound_id, "content": content}
    return tx.execute(_COLLIDES, of).first() is not None


_COLLIDES = (
    select(inbound.c.id)
    .where(
        inbound.c.message_id == bindparam("of_message"),
        inbound.c.tenant_id == bindparam("of_tenant"),
        inbound.c.id < bindparam("own"),
        inbound.c.content_sha256 != "",
        inbound.c.content_sha256 != bindparam("content"),
    )
    .limit(1)
)


def taught_by(tx: Tx, message_id: str, tenant_id: str) -> str | None:
    """Give the tenant that sent mail under a learned Message-ID, this tenant before others."""
    if not message_id:
        return None
    owners = set(tx.execute(_TAUGHT, {"of_message": message_id}).scalars())
    return tenant_id if tenant_id in owners else min(owners, default=None)


_TAUGHT = (
    select(aliases.c.tenant_id)
    .where(aliases.c.message_id == bindparam("of_message"), aliases.c.email_id.is_not(None))
    .limit(MOST)
)


def _of_tenant(query: _Known, tenant_id: str | None) -> _Known:
    mine = query if tenant_id is None else query.where(emails.c.tenant_id == tenant_id)
    return mine.order_by(emails.c.id.desc()).limit(MOST)
