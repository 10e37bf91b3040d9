"""The conversation a person attaches a message to: found by what they named, in its tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.model.inbound import TargetName
from backend.store import citations, emails, threads
from backend.store import inbound as store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.model.inbound import InboundMessage, ParsedMail
    from backend.store.threads import Thread
    from backend.store.types import Tx

MAX_LEARNED = 100  # Message-IDs of one message


def find_conversation(tx: Tx, message: InboundMessage, to: str) -> Thread | str:
    """Find a conversation by its id, by a mail in it, or by a ticket; a sentence when it cannot be.

    It must be of the message's tenant; a message without one takes that of the conversation.
    """
    named = to.strip()
    owner = message.tenant_id or None
    found = _by_id(tx, named) or _by_ticket(tx, named, owner)
    mine = [thread for thread in found if owner in (None, thread.tenant_id)]
    if not mine:
        whose = "in its tenant" if owner else "anywhere"
        return f"there is no conversation, mail or ticket {named[:60]!r} {whose}"
    if len({thread.tenant_id for thread in mine}) > 1:
        return f"several tenants have a ticket {named[:60]!r}; name the thread or a mail of it"
    return mine[0]


def _by_id(tx: Tx, named: str) -> list[Thread]:
    """Read a thread by its own id, or by that of a mail sent or received in it."""
    email = emails.get(tx, named)
    received = store.get(tx, named)
    thread_id = email.thread_id if email else received.thread_id if received else named
    thread = threads.get(tx, thread_id) if thread_id else None
    return [thread] if thread else []


def _by_ticket(tx: Tx, named: str, owner: str | None) -> list[Thread]:
    """Find the conversations of a ticket by id or number; the brackets of subjects may be there."""
    number = named.strip("[]").removeprefix("Ticket").strip().removeprefix("#")
    if not number:
        return []
    found = threads.by_number(tx, owner, [number.upper()]) if owner else []
    for target in (TargetName.PSA, TargetName.PORTAL):
        found += threads.of_ticket(tx, owner, number, target)
    return found


def learn_citations(tx: Tx, thread: Thread, message: InboundMessage, mail: ParsedMail) -> int:
    """Let the Message-IDs a message cites stand for its conversation; give how many were new.

    An id that stands for another conversation already goes on doing so. The sender takes part
    from now on: a person has vouched for them.
    """
    cited = dict.fromkeys((*mail.in_reply_to, *mail.references))
    wanted = [one for one in cited if "@" in one.strip("@")][:MAX_LEARNED]
    known = _known(tx, thread.tenant_id, wanted)
    new = [message_id for message_id in wanted if message_id not in known]
    for message_id in new:
        threads.learn_alias(tx, thread.tenant_id, message_id, thread.id)
    threads.join(tx, thread.id, [mail.from_address or message.from_address])
    return len(new)


def _known(tx: Tx, tenant_id: str, message_ids: Sequence[str]) -> set[str]:
    if not message_ids:
        return set()
    by_others = citations.learned(tx, tenant_id, message_ids)
    by_others += citations.received(tx, tenant_id, message_ids)
    return {citation.message_id for citation in by_others}
