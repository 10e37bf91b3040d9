"""A log of seeded mail, written as the relay writes it, and what a query means by brute force."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert

from backend.model.inbound import InboundMessage, InboundStatus, Reason, ScanVerdicts
from backend.model.outbound import Email, EmailStatus, Recipient, RecipientKind, RecipientStatus
from backend.store import emails, inbound
from backend.store.schema import tenants

if TYPE_CHECKING:
    from backend.model.log import LogQuery, LogTerm
    from backend.store.types import Tx

START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
TENANTS = ("ten_a", "ten_b")
PEOPLE = ("ann@client.example", "bob_1@client.example", "b%b@other.example", "jörg@müller.example")
WORDS = ("Printer", "Invoice 100%", "Größe", "re: order", "[x] *star*", "Été")
STATUSES = (
    EmailStatus.DELIVERED,
    EmailStatus.DELIVERED,
    EmailStatus.SENT,
    EmailStatus.BOUNCED,
    EmailStatus.FAILED,
)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail of the world and all that can be searched in it."""

    id: str
    at: datetime
    way: str
    tenant_id: str
    people: tuple[str, ...]
    sender: str
    subject: str
    tags: tuple[str, ...]
    status: str


def mails(count: int, seed: int = 7) -> list[Mail]:
    """Make mails, several in a millisecond here and there."""
    dice = random.Random(seed)
    found, at = [], START
    for number in range(count):
        at += timedelta(milliseconds=dice.choice((0, 0, 1, 90_000, 4_000_000)))
        received = dice.random() < 0.3
        tags = () if dice.random() < 0.4 else (f"product={dice.choice(('psa', 'crm'))}",)
        words = f"{dice.choice(WORDS)} {dice.choice(WORDS)} #{dice.randrange(90)}"
        tenant = dice.choice(TENANTS)
        found.append(
            Mail(
                id=f"{'inb' if received else 'msg'}_{number:04d}",
                at=at,
                way="in" if received else "out",
                tenant_id=tenant,
                people=(f"desk@{tenant}.example",)
                if received
                else tuple(sorted(dice.sample(PEOPLE, dice.choice((1, 1, 2))))),
                sender=dice.choice(PEOPLE) if received else f"Help Desk <desk@{tenant}.example>",
                subject=words,
                tags=() if received else tags,
                status=dice.choice(("forwarded", "quarantined", "failed"))
                if received
                else dice.choice(STATUSES).value,
            )
        )
    return found


def write(tx: Tx, world: list[Mail]) -> None:
    """Write tenants and mails."""
    for tenant in TENANTS:
        tx.execute(insert(tenants).values(id=tenant, name=tenant, created_at=START))
    emails.insert_many(tx, [(email_of(mail), b"") for mail in world if mail.way == "out"])
    for mail in world:
        if mail.way == "in":
            inbound.add(tx, _message(mail))


def matches(mail: Mail, query: LogQuery) -> bool:
    """Tell by reading the mail whether a query means it."""
    return (
        query.tenant_id in {None, mail.tenant_id}
        and query.direction in {None, mail.way}
        and (query.since is None or mail.at >= query.since)
        and (query.until is None or mail.at < query.until)
        and all(_is_true(mail, term) is not term.negated for term in query.terms)
    )


def _is_true(mail: Mail, term: LogTerm) -> bool:
    value, field = term.values[0], term.field.value
    if field == "status":
        return mail.status in term.values
    if field == "id":
        return mail.id.startswith(value)
    if field == "tag":
        return any(value in {tag, tag.partition("=")[0]} for tag in mail.tags)
    bare = mail.sender.rpartition("<")[2].removesuffix(">")
    if field == "domain":
        return any(one.casefold().endswith(f"@{value}") for one in (bare, *mail.people))
    tags = [f"#{tag}" for tag in mail.tags]
    places = {"to": [*mail.people], "from": [mail.sender], "subject": [mail.subject]}
    every = [mail.sender, *mail.people, mail.subject, *tags]
    return any(value in one.casefold() for one in places.get(field, every))


def email_of(mail: Mail) -> Email:
    """Give a sent mail as the relay keeps it."""
    status = EmailStatus(mail.status)
    return Email(
        id=mail.id,
        tenant_id=mail.tenant_id,
        sender=mail.sender,
        subject=mail.subject,
        status=status,
        created_at=mail.at,
        recipients=tuple(
            Recipient(
                address=one,
                kind=RecipientKind.TO,
                status=RecipientStatus(status.value),
                updated_at=mail.at,
            )
            for one in mail.people
        ),
        thread_id=mail.id,
        tags=dict(tag.split("=") for tag in mail.tags),
        ses_message_id=f"ses-{mail.id}",
    )


def _message(mail: Mail) -> InboundMessage:
    return InboundMessage(
        id=mail.id,
        tenant_id=mail.tenant_id,
        source="test",
        blob_key=mail.id,
        recipient=mail.people[0],
        envelope_from=mail.sender,
        status=InboundStatus(mail.status),
        reason=Reason.STORED,
        received_at=mail.at,
        size=1,
        verdicts=ScanVerdicts(),
        message_id=f"{mail.id}@mx.example",
        from_address=mail.sender,
        subject=mail.subject,
    )
