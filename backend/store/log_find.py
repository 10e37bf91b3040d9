"""One mail by any name people have for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from backend.store.emails import by_ses_message_id
from backend.store.schema import emails, inbound, recipients

if TYPE_CHECKING:
    from sqlalchemy import Select

    from backend.store.types import Tx


def find(tx: Tx, name: str, tenant_id: str | None = None) -> str | None:
    """Give our id of a mail by that id, the id at SES, a Message-ID or an address.

    An address means the newest mail to it, or received from it. None when nothing fits.
    """
    name = name.strip()
    for wanted in (
        select(emails.c.id).where(emails.c.id == name),
        select(inbound.c.id).where(inbound.c.id == name),
    ):
        if (found := _one(tx, wanted, tenant_id)) is not None:
            return found
    bare = name.strip("<>")
    sent = by_ses_message_id(tx, bare.partition("@")[0], tenant_id)
    if sent is not None:
        return sent.id
    known = select(inbound.c.id).where(inbound.c.message_id.in_((bare, f"<{bare}>")))
    return _one(tx, known.order_by(inbound.c.id.desc()), tenant_id) or _newest(
        tx, bare.lower(), tenant_id
    )


def _newest(tx: Tx, address: str, tenant_id: str | None) -> str | None:
    if "@" not in address:
        return None
    to = select(recipients.c.email_id).where(recipients.c.address == address)
    sent = select(emails.c.id, emails.c.created_at).where(emails.c.id.in_(to))
    sender = or_(inbound.c.from_address == address, inbound.c.envelope_from == address)
    received = select(inbound.c.id, inbound.c.received_at).where(sender)
    if tenant_id is not None:
        sent = sent.where(emails.c.tenant_id == tenant_id)
        received = received.where(inbound.c.tenant_id == tenant_id)
    newest = [
        tx.execute(sent.order_by(emails.c.created_at.desc()).limit(1)).first(),
        tx.execute(received.order_by(inbound.c.received_at.desc()).limit(1)).first(),
    ]
    rows = [row for row in newest if row is not None]
    return str(max(rows, key=lambda row: row[1])[0]) if rows else None


def _one(tx: Tx, wanted: Select[tuple[str]], tenant_id: str | None) -> str | None:
    if tenant_id is not None:
        table = wanted.get_final_froms()[0]
        wanted = wanted.where(table.c.tenant_id == tenant_id)
    found = tx.execute(wanted.limit(1)).first()
    return None if found is None else str(found[0])
