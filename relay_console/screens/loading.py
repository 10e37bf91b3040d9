"""Reading one mail for a screen: in full, or in brief for the pane beside a table."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from backend import WAITING, RelayError, Release
from relay_console.viewmodel.briefs import email_brief, inbound_brief

if TYPE_CHECKING:
    from backend import Foreseen, InboundMessage
    from relay_console.session import Session
    from relay_console.viewmodel.page import Page


async def brief_of(session: Session, key: str) -> Page:
    """Tell what became of a mail by its log key, ``out:msg_…`` or ``in:inb_…``."""
    direction, _, mail_id = key.partition(":")
    service = await session.service()
    if direction == "in":
        received = await service.inbound_message(mail_id)
        names = await session.tenant_names({received.message.tenant_id})
        return inbound_brief(received, names, await released(session, received.message))
    sent = await service.email(mail_id)
    return email_brief(sent, await session.tenant_names({sent.email.tenant_id}))


async def released(session: Session, message: InboundMessage) -> Foreseen | None:
    """Foresee what a release would do; None when it does not wait, or it cannot be told now.

    It reads the raw message, so the answer is kept until the message changes.
    """
    if message.status not in WAITING:
        return None
    if session.foreseen is None or session.foreseen[0] != message:
        service = await session.service()
        with suppress(RelayError):
            found = await service.quarantine.preview((message.id,), Release())
            session.foreseen = (message, found[0]) if found else None
    kept = session.foreseen
    return kept[1] if kept is not None and kept[0] == message else None
