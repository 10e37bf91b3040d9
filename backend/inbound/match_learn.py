"""What a settled message teaches the matcher: conversations, who takes part, tickets, contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.inbound.route import follow_up
from backend.model.address import domain_of
from backend.model.inbound import TargetAction
from backend.model.matching import MatchFlag, TicketStatus
from backend.store import contacts, threads
from backend.store.threads import Thread

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.model.inbound import InboundMessage, ParsedMail
    from backend.ports import TargetReceipt
    from backend.store.types import Tx

MAX_PEOPLE = 50  # of one message: more are a mailing, not a conversation
_OUTSIDE = frozenset({MatchFlag.SENDER_NOT_PARTICIPANT, MatchFlag.SENDER_NOT_PROVEN})
_CLOSED = frozenset({"closed", "resolved", "solved", "done", "cancelled", "canceled"})


def take_part(
    tx: Tx, letters: Sequence[tuple[InboundMessage, ParsedMail | None]], now: datetime
) -> None:
    """Begin the conversations the messages were given, if new, and let their people take part."""
    given = [(one.thread_id, one, mail) for one, mail in letters if one.thread_id]
    known = threads.known(tx, {thread_id for thread_id, _, _ in given}) if given else frozenset()
    begun: dict[str, Thread] = {}
    joining: list[tuple[str, str]] = []
    for thread_id, message, mail in given:
        joins = thread_id in known or thread_id in begun
        if not joins:
            begun[thread_id] = Thread(
                id=thread_id,
                tenant_id=message.tenant_id,
                subject=message.subject,
                created_at=now,
            )
        # a stranger let in by a token, or by a ticket's address, must not be let in by less later
        if mail is not None and not (joins and message.match_flags & _OUTSIDE):
            joining += [(thread_id, address) for address in _people(message, mail)]
    threads.add(tx, *begun.values())
    threads.join_all(tx, joining)


def learn_answer(tx: Tx, message: InboundMessage, receipt: TargetReceipt, now: datetime) -> None:
    """Remember what a target told: the ticket of the conversation and the id of its contact.

    Later replies go where this one went, unless their conversation has its place already.
    """
    told = {name: str(value) for name, value in receipt.body.items() if value not in (None, "")}
    if message.tenant_id and "contact_id" in told and "@" in message.from_address:
        contacts.learn(tx, message.tenant_id, message.from_address, told["contact_id"], now)
    thread = threads.get(tx, message.thread_id) if message.thread_id else None
    if thread is None or message.route is None:
        return
    settled = thread.route is not None and thread.route.action is not TargetAction.NEW_TICKET
    onward = follow_up(message.route, told.get("ticket_id", ""))
    if onward is not None and not settled:
        threads.set_route(tx, thread.id, onward)
    elif thread.route != onward:
        return  # the address led elsewhere: the answer is about another ticket
    threads.learn_ticket(
        tx,
        thread.id,
        number=told.get("number", "")[:100],
        status=_status(message, told.get("status", "")),
        merged_into=told.get("merged_into", "")[:200],
    )


def _people(message: InboundMessage, mail: ParsedMail) -> list[str]:
    """Give author and addressees; addresses of the domain it was sent to are ours."""
    ours = domain_of(message.recipient)
    named = (mail.from_address, *mail.to, *mail.cc)
    return [address for address in named if domain_of(address) not in ("", ours)][:MAX_PEOPLE]


def _status(message: InboundMessage, told: str) -> TicketStatus | None:
    """Read what a target says of a ticket; one that took a note while closed is open again."""
    if told:
        return TicketStatus.CLOSED if told.lower() in _CLOSED else TicketStatus.OPEN
    return TicketStatus.OPEN if MatchFlag.TICKET_CLOSED in message.match_flags else None
