"""The rows that accepted mail becomes: gathered order by order, written a table at a time."""

from __future__ import annotations

from collections import Counter as Sum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.model.bus import BusEvent, EventType
from backend.model.outbound import (
    Accepted,
    Email,
    EmailStatus,
    Recipient,
    RecipientKind,
    RecipientStatus,
    Skipped,
)
from backend.model.stats import Counter
from backend.model.work import WorkKind
from backend.outbound.accept_facts import route_of
from backend.outbound.replies import sign_for
from backend.queue import items
from backend.queue.announce import announce
from backend.store import contacts, counters, emails, idempotency, limits, threads
from backend.store.threads import Thread

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backend.model.address import Address
    from backend.model.suppression import Suppression
    from backend.model.tenant import Domain
    from backend.outbound.accept_facts import Facts
    from backend.outbound.orders import Order, Prepared
    from backend.outbound.windows import Usage
    from backend.store.idempotency import Claim, Kept
    from backend.store.limits import Owner
    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A mail that passed every check, its domain, and who of its recipients is suppressed."""

    mail: Prepared
    domain: Domain
    held: Mapping[str, Suppression]


@dataclass(slots=True)
class Rows:
    """All that one transaction of accepting writes."""

    mails: list[tuple[Email, bytes]] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    events: list[BusEvent] = field(default_factory=list)
    due: dict[str, datetime] = field(default_factory=dict)
    counts: Sum[tuple[str, Counter, datetime]] = field(default_factory=Sum)
    used: dict[Owner, Usage] = field(default_factory=dict)
    claimed: dict[Claim, Kept] = field(default_factory=dict)

    def add(self, order: Order, taken: Taken, facts: Facts) -> Accepted:
        """Take in one mail and give the promise for it."""
        email = _email(order, taken, facts, self._thread(order, taken.mail, facts))
        self.mails.append((email, taken.mail.stored))
        self.due[email.id] = email.scheduled_at or email.created_at
        self._count_and_tell(order, email)
        skipped = tuple(
            Skipped(address=address, reason=entry.reason.value, since=entry.created_at)
            for address, entry in taken.held.items()
        )
        return Accepted(email_id=email.id, status=email.status, skipped=skipped)

    def write(self, tx: Tx) -> None:
        """Write everything that was taken in."""
        threads.add(tx, *self.threads)
        emails.insert_many(tx, self.mails)
        threads.join_all(
            tx, ((email.thread_id, r.address) for email, _ in self.mails for r in email.recipients)
        )
        for email, _ in self.mails:
            _learn_contact(tx, email)
        if self.due:
            items.enqueue_all(tx, WorkKind.SEND, self.due)
        announce(tx, *self.events)
        counters.bump_all(tx, self.counts)
        limits.save_used(tx, self.used)
        idempotency.keep(tx, self.claimed.values())

    def _thread(self, order: Order, mail: Prepared, facts: Facts) -> str:
        """Give the conversation on the ticket the tags name, else begin a new one."""
        route = route_of(order, mail)
        known = facts.thread_of(route) if route is not None else None
        if known is not None:
            return known
        thread = Thread(
            id=order.ids.new("thr"),
            tenant_id=order.tenant_id,
            subject=mail.valid.letter.subject,
            created_at=order.now,
            route=route,
        )
        self.threads.append(thread)
        if route is not None:
            facts.threads[route.tenant_id, route.target, route.ref] = thread.id
        return thread.id

    def _count_and_tell(self, order: Order, email: Email) -> None:
        """Count the recipients in their minute and announce the mail."""
        minute = email.created_at.replace(second=0, microsecond=0)
        for status, counter, kind in _TOLD:
            told = [r.address for r in email.recipients if r.status is status]
            if not told:
                continue
            self.counts[email.tenant_id, counter, minute] += len(told)
            data: dict[str, object] = {
                "email_id": email.id,
                "recipients": told,
                "tags": dict(email.tags),
            }
            if email.scheduled_at is not None:
                data["scheduled_at"] = email.scheduled_at.isoformat()
            self.events.append(
                BusEvent(
                    id=order.ids.new("evt"),
                    type=kind.value,
                    created_at=email.created_at,
                    tenant_id=email.tenant_id,
                    data=data,
                )
            )


_TOLD = (
    (RecipientStatus.QUEUED, Counter.ACCEPTED, EventType.ACCEPTED),
    (RecipientStatus.SUPPRESSED, Counter.SUPPRESSED, EventType.SUPPRESSED),
)


def _email(order: Order, taken: Taken, facts: Facts, thread_id: str) -> Email:
    valid, at = taken.mail.valid, taken.mail.scheduled_at
    waits = at is not None and at > order.now
    email_id = order.ids.new("msg")
    reply = sign_for(order.tokens, taken.domain, facts.homes[taken.domain.name], email_id)
    return Email(
        id=email_id,
        tenant_id=order.tenant_id,
        sender=_shown(valid.letter.sender),
        subject=valid.letter.subject,
        status=EmailStatus.SCHEDULED if waits else EmailStatus.QUEUED,
        created_at=order.now,
        recipients=_recipients(order, taken),
        thread_id=thread_id,
        tags=valid.tags,
        scheduled_at=at if waits else None,
        reply_token=reply.token,
        reply_address=reply.address,
        attachments=len(valid.letter.attachments),
        template=valid.template_id,
    )


def _recipients(order: Order, taken: Taken) -> tuple[Recipient, ...]:
    """Make the rows of the recipients, the suppressed ones marked."""
    valid, held = taken.mail.valid, taken.held
    listed = (
        (RecipientKind.TO, valid.letter.to),
        (RecipientKind.CC, valid.letter.cc),
        (RecipientKind.BCC, valid.bcc),
    )
    return tuple(
        Recipient(
            address=address.key,
            kind=kind,
            status=RecipientStatus.SUPPRESSED if address.key in held else RecipientStatus.QUEUED,
            updated_at=order.now,
            detail=f"on the list: {held[address.key].reason}" if address.key in held else "",
        )
        for kind, addresses in listed
        for address in addresses
    )


def _learn_contact(tx: Tx, email: Email) -> None:
    """Learn whose contact id was given."""
    contact_id = email.tags.get("contact_id")
    if contact_id and len(email.recipients) == 1:
        address = email.recipients[0].address
        contacts.learn(tx, email.tenant_id, address, contact_id, email.created_at)


def _shown(address: Address) -> str:
    return f"{address.name} <{address.bare}>" if address.name else address.bare
