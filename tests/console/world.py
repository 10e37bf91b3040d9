"""The snapshot world: a Service over seeded values in memory, at a fixed moment.

The screens are also tested against the real backend (test_console_backend.py); pictures need data
that never changes, and hostile data no validation would let in.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from backend import (
    AccountState,
    AttachmentInfo,
    Attempt,
    AttemptState,
    Counter,
    Direction,
    DnsRecord,
    Domain,
    DomainDetail,
    DomainStatus,
    Email,
    EmailDetail,
    EmailStatus,
    Finding,
    InboundDetail,
    InboundMessage,
    InboundStatus,
    LogCount,
    LogEntry,
    LogPage,
    NotFoundError,
    Reason,
    Recipient,
    RecipientKind,
    RecipientStatus,
    Route,
    ScanVerdict,
    ScanVerdicts,
    SendingStatus,
    SendState,
    SeriesPoint,
    Stage,
    Step,
    Suppression,
    SuppressionReason,
    TargetAction,
    TargetName,
    Tenant,
    TimelineEntry,
)
from tests.console.alerts_world import AlertsWorld, MailingWorld
from tests.console.quarantine_world import QuarantineWorld
from tests.console.reprocess_world import ReprocessWorld
from tests.console.suppression_world import SuppressionWorld

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend import InboundQuery, LogQuery, LogSpan, SuppressionQuery
    from backend.model.log import LogTerm

NOW = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
TENANTS = (
    Tenant(id="ten_1", name="Harbour Dental", created_at=NOW - timedelta(days=90)),
    Tenant(id="ten_2", name="Northwind Legal", created_at=NOW - timedelta(days=60)),
    Tenant(id="ten_3", name="Kestrel Logistics", created_at=NOW - timedelta(days=30)),
)
_DOMAINS = ("harbour-dental.example", "northwind.example", "kestrel-logistics.example")
_PEOPLE = ("amy.finch", "bo", "carla.de-souza", "d.okafor", "info", "li.wei", "support+billing")
_SUBJECTS = (
    "Your appointment on Tuesday",
    "Invoice 2026-1187",
    "Ticket #48213: printer on floor 3 is offline",
    "Re: contract draft, second reading",
    "Password reset",
    "Übersicht der Lieferungen für November",
    "請求書のお知らせ",
)
_STATUSES = (
    *[EmailStatus.DELIVERED] * 12,
    EmailStatus.SENT,
    EmailStatus.SENT,
    EmailStatus.QUEUED,
    EmailStatus.BOUNCED,
    EmailStatus.DELAYED,
    EmailStatus.COMPLAINED,
    EmailStatus.SUPPRESSED,
)
_WAITS = (
    (InboundStatus.QUARANTINED, Reason.VIRUS_VERDICT),
    (InboundStatus.QUARANTINED, Reason.SPAM_VERDICT),
    (InboundStatus.HELD, Reason.TARGET_NOT_CONFIGURED),
    (InboundStatus.UNROUTED, Reason.NO_ROUTE),
    (InboundStatus.FAILED, Reason.GAVE_UP),
)


OPEN = SendingStatus(state=SendState.OPEN, hold=None, account=None)


@dataclass(slots=True)
class World:
    """A service whose data a test may change; ``bump`` tells the poller."""

    emails: dict[str, Email] = field(default_factory=dict)
    received: dict[str, InboundMessage] = field(default_factory=dict)
    suppressed: dict[str, Suppression] = field(default_factory=dict)
    domain_details: list[DomainDetail] = field(default_factory=list)
    points: list[SeriesPoint] = field(default_factory=list)
    calls: list[tuple[object, ...]] = field(default_factory=list)
    attachments: tuple[AttachmentInfo, ...] = ()
    broken: Exception | None = None
    away: Exception | None = None
    number: int = 1
    status: SendingStatus = OPEN
    quarantine: QuarantineWorld = field(init=False)
    suppression_desk: SuppressionWorld = field(init=False)
    reprocessing: ReprocessWorld = field(init=False)
    jobs: ReprocessWorld = field(init=False)
    compliance: AlertsWorld = field(init=False)
    webhooks: AlertsWorld = field(init=False)
    mailing: MailingWorld = field(init=False)
    sending: MailingWorld = field(init=False)

    def __post_init__(self) -> None:
        self.quarantine = QuarantineWorld(self, {})
        self.suppression_desk = SuppressionWorld(self)
        self.reprocessing = self.jobs = ReprocessWorld(self)
        self.compliance = self.webhooks = AlertsWorld(self)
        self.mailing = self.sending = MailingWorld(self)

    def bump(self) -> None:
        """Say that something was written."""
        self.number += 1

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken

    async def version(self) -> int:
        if self.away is not None:
            raise self.away
        return self.number

    async def tenants(self) -> Sequence[Tenant]:
        return TENANTS

    def _log(self, query: LogQuery) -> list[LogEntry]:
        self._check()
        entries = [_out(e) for e in self.emails.values()] + [_in(m) for m in self.received.values()]
        kept = [entry for entry in entries if _fits(entry, query)]
        return sorted(kept, key=lambda entry: (entry.at, entry.id), reverse=True)

    @property
    def mail_log(self) -> World:
        return self

    async def count(self, query: LogQuery, limit: int | None = None) -> LogCount:
        del limit
        return LogCount(n=len(self._log(query)))

    async def page(self, query: LogQuery, span: LogSpan) -> LogPage:
        lines = self._log(query)[:: -1 if query.ascending else 1]
        places = [line.id for line in lines]
        at = places.index(span.place.id) if span.place else -1
        if span.backward:
            end = max(0, (at if span.place else len(lines)) - span.skip)
            return LogPage(entries=lines[max(0, end - span.size) : end], more=end > span.size)
        start = at + 1 + span.skip
        some = lines[start : start + span.size]
        return LogPage(entries=some, more=len(lines) > start + span.size)

    async def email(self, email_id: str) -> EmailDetail:
        self._check()
        if email_id not in self.emails:
            raise NotFoundError(f"There is no mail {email_id}.")
        email = self.emails[email_id]
        replies = tuple(m for m in self.received.values() if m.reply_to_email_id == email_id)
        return EmailDetail(
            email=email, attempts=_attempts(email), timeline=_timeline(email), replies=replies
        )

    async def inbound_message(self, inbound_id: str) -> InboundDetail:
        self._check()
        if inbound_id not in self.received:
            raise NotFoundError(f"There is no message {inbound_id}.")
        message = self.received[inbound_id]
        return InboundDetail(message=message, steps=_steps(message), attachments=self.attachments)

    def _inbound(self, query: InboundQuery) -> list[InboundMessage]:
        self._check()
        found = [
            message
            for message in self.received.values()
            if (not query.statuses or message.status in query.statuses)
            and query.tenant_id in {None, message.tenant_id}
            and query.text.lower() in f"{message.from_address} {message.subject}".lower()
        ]
        return sorted(found, key=lambda message: message.received_at, reverse=True)

    async def count_inbound(self, query: InboundQuery) -> int:
        return len(self._inbound(query))

    async def inbound(self, query: InboundQuery, start: int, size: int) -> Sequence[InboundMessage]:
        return self._inbound(query)[start : start + size]

    async def reprocess(self, inbound_ids: Sequence[str], *, actor: str) -> int:
        self._check()
        self.calls.append(("reprocess", tuple(inbound_ids), actor))
        self.bump()
        return len(inbound_ids)

    def _suppressions(self, query: SuppressionQuery) -> list[Suppression]:
        self._check()
        found = [
            entry
            for entry in self.suppressed.values()
            if query.tenant_id in {None, entry.tenant_id}
            and query.state is entry.state
            and query.reason in {None, entry.reason}
            and query.text.lower() in entry.address.lower()
        ]
        return sorted(found, key=lambda entry: entry.created_at, reverse=True)

    async def count_suppressions(self, query: SuppressionQuery) -> int:
        return len(self._suppressions(query))

    async def suppressions(
        self, query: SuppressionQuery, start: int, size: int
    ) -> Sequence[Suppression]:
        return self._suppressions(query)[start : start + size]

    async def add_suppression(
        self,
        tenant_id: str,
        address: str,
        *,
        detail: str,
        actor: str,
        expires_at: datetime | None = None,
    ) -> Suppression:
        self._check()
        entry = Suppression(
            id=f"sup_new{len(self.suppressed)}",
            tenant_id=tenant_id,
            address=address.lower(),
            reason=SuppressionReason.MANUAL,
            created_at=NOW,
            detail=detail,
            created_by=actor,
            expires_at=expires_at,
        )
        self.suppressed[entry.id] = entry
        self.bump()
        return entry

    async def remove_suppression(self, suppression_id: str, *, actor: str) -> Suppression:
        self._check()
        if suppression_id not in self.suppressed:
            raise NotFoundError("This address is no longer on the list.")
        self.calls.append(("remove", suppression_id, actor))
        self.bump()
        return self.suppressed.pop(suppression_id)

    async def restore_suppression(self, suppression: Suppression, *, actor: str) -> None:
        self.calls.append(("restore", suppression.id, actor))
        self.suppressed[suppression.id] = suppression
        self.bump()

    async def domains(self) -> Sequence[DomainDetail]:
        self._check()
        return self.domain_details

    async def refresh_domain(self, domain_id: str, *, actor: str) -> DomainDetail:
        self._check()
        self.calls.append(("refresh_domain", domain_id, actor))
        return next(d for d in self.domain_details if d.domain.id == domain_id)

    async def series(
        self, since: datetime, until: datetime, *, tenant_id: str | None = None
    ) -> Sequence[SeriesPoint]:
        self._check()
        del tenant_id
        return [point for point in self.points if since <= point.at < until]

    async def account(self) -> AccountState | None:
        return None

    async def sending_status(self) -> SendingStatus:
        return self.status


def _fits(entry: LogEntry, query: LogQuery) -> bool:
    return (
        query.tenant_id in {None, entry.tenant_id}
        and query.direction in {None, entry.direction}
        and (query.since is None or query.since <= entry.at)
        and all(_is_true(term, entry) is not term.negated for term in query.terms)
    )


def _is_true(term: LogTerm, entry: LogEntry) -> bool:
    if term.field == "status":
        return entry.status in term.values
    return term.values[0] in f"{entry.sender} {entry.recipient} {entry.subject}".casefold()


def _out(email: Email) -> LogEntry:
    return LogEntry(
        id=email.id,
        at=email.created_at,
        direction=Direction.OUT,
        tenant_id=email.tenant_id,
        sender=email.sender,
        recipient=email.recipients[0].address,
        more_recipients=len(email.recipients) - 1,
        subject=email.subject,
        status=email.status,
    )


def _in(message: InboundMessage) -> LogEntry:
    return LogEntry(
        id=message.id,
        at=message.received_at,
        direction=Direction.IN,
        tenant_id=message.tenant_id,
        sender=message.from_address,
        recipient=message.recipient,
        more_recipients=0,
        subject=message.subject,
        status=message.status,
    )


def _attempts(email: Email) -> tuple[Attempt, ...]:
    return (
        Attempt(
            id="att_1",
            email_id=email.id,
            number=1,
            state=AttemptState.DEFERRED,
            started_at=email.created_at,
            error="SES asks to slow down (TooManyRequestsException).",
        ),
        Attempt(
            id="att_2",
            email_id=email.id,
            number=2,
            state=AttemptState.SENT,
            started_at=email.created_at + timedelta(seconds=2),
            ses_message_id=email.ses_message_id,
        ),
    )


def _timeline(email: Email) -> tuple[TimelineEntry, ...]:
    first = email.recipients[0]
    steps = (("accepted", ""), ("send", ""), (email.status.value, first.detail))
    return tuple(
        TimelineEntry(
            at=email.created_at + timedelta(seconds=2 * place),
            kind=kind,
            recipient=first.address if place == 2 else "",
            detail=detail,
        )
        for place, (kind, detail) in enumerate(steps)
    )


def _steps(message: InboundMessage) -> tuple[Step, ...]:
    waits = message.status is not InboundStatus.FORWARDED
    last = Finding.QUARANTINE if waits else Finding.OK
    evidence = {"spam": message.verdicts.spam.value, "subject": message.subject}
    return (
        Step(stage=Stage.INTAKE, finding=Finding.OK, reason=Reason.STORED),
        Step(stage=Stage.PARSE, finding=Finding.OK, reason=Reason.PARSED),
        Step(stage=Stage.SCREEN, finding=last, reason=message.reason, evidence=evidence),
        Step(stage=Stage.MATCH, finding=Finding.NOTE, reason=Reason.NOT_A_REPLY),
    )


def _email(number: int, dice: random.Random) -> Email:
    tenant = dice.randrange(len(TENANTS))
    status = dice.choice(_STATUSES)
    at = NOW - timedelta(seconds=47 * number + dice.randrange(40))
    people = dice.sample(_PEOPLE, dice.choice((1, 1, 1, 2, 3)))
    bounce = "smtp; 550 5.1.1 The email account that you tried to reach does not exist."
    word = status.value if status.value in set(RecipientStatus) else "queued"
    return Email(
        id=f"msg_{number:026d}",
        tenant_id=TENANTS[tenant].id,
        sender=f"{TENANTS[tenant].name} <desk@{_DOMAINS[tenant]}>",
        subject=dice.choice(_SUBJECTS),
        status=status,
        created_at=at,
        recipients=tuple(
            Recipient(
                address=f"{person}@client{dice.randrange(40)}.example",
                kind=RecipientKind.TO if place == 0 else RecipientKind.CC,
                status=RecipientStatus(word),
                updated_at=at,
                detail=bounce if status is EmailStatus.BOUNCED else "",
            )
            for place, person in enumerate(people)
        ),
        thread_id=f"thr_{number}",
        tags={"campaign": "reminders"},
        sent_at=at + timedelta(seconds=2),
        ses_message_id=f"0102019a{number:08x}-7c1e-4f0e",
    )


def _message(number: int, dice: random.Random) -> InboundMessage:
    tenant = dice.randrange(len(TENANTS))
    waits = dice.random() < 0.6
    status, reason = dice.choice(_WAITS) if waits else (InboundStatus.FORWARDED, Reason.DELIVERED)
    at = NOW - timedelta(seconds=211 * number + dice.randrange(100))
    spam = ScanVerdict.FAIL if reason is Reason.SPAM_VERDICT else ScanVerdict.PASS
    return InboundMessage(
        id=f"inb_{number:026d}",
        tenant_id=TENANTS[tenant].id,
        source="ses",
        blob_key=f"raw/{number}",
        recipient=f"support@{_DOMAINS[tenant]}",
        envelope_from=f"{_PEOPLE[number % 7]}@client{number}.example",
        status=status,
        reason=reason,
        received_at=at,
        size=4_321 + number,
        verdicts=ScanVerdicts(spam=spam, virus=ScanVerdict.PASS, dmarc=ScanVerdict.PASS),
        from_address=f"{_PEOPLE[number % 7]}@client{number}.example",
        from_name="Amy Finch",
        subject=dice.choice(_SUBJECTS),
        text="Good morning,\n\nthe printer on floor 3 is offline again.\n\nRegards\nAmy",
        route=Route(
            target=TargetName.PSA, action=TargetAction.NEW_TICKET, tenant_id=TENANTS[tenant].id
        ),
        external_id="T-48213",
        reply_to_email_id=f"msg_{number:026d}" if number % 3 == 0 else None,
    )


def _domain(place: int) -> DomainDetail:
    name = _DOMAINS[place]
    token = "abcdefghijklmnopqrstuvwxyz234567"
    status = (DomainStatus.VERIFIED, DomainStatus.VERIFIED, DomainStatus.PENDING)[place]
    domain = Domain(
        id=f"dom_{place}",
        tenant_id=TENANTS[place].id,
        name=name,
        status=status,
        inbound_enabled=place != 1,
        dkim_tokens=(token,),
        mail_from=f"bounce.{name}",
        created_at=NOW - timedelta(days=20),
        checked_at=NOW - timedelta(minutes=5) if place != 2 else None,
    )
    dkim = [
        DnsRecord(
            purpose="DKIM",
            type="CNAME",
            name=f"{token[::way]}._domainkey.{name}",
            value=f"{token[::way]}.dkim.amazonses.com",
        )
        for way in (1, -1)
    ]
    mail = DnsRecord(
        purpose="inbound",
        type="MX",
        name=name,
        value="inbound-smtp.eu-west-1.amazonaws.com",
        priority=10,
    )
    spf = DnsRecord(
        purpose="SPF",
        type="TXT",
        name=f"bounce.{name}",
        value='"v=spf1 include:amazonses.com ~all"',
    )
    return DomainDetail(domain=domain, tenant_name=TENANTS[place].name, records=(*dkim, mail, spf))


def build_world(emails: int = 180, messages: int = 40, seed: int = 7) -> World:
    """Make the world; the same seed is the same world."""
    dice = random.Random(seed)
    world = World()
    for number in range(emails):
        email = _email(number, dice)
        world.emails[email.id] = email
    for number in range(messages):
        message = _message(number, dice)
        world.received[message.id] = message
    for number in range(min(emails, 24)):
        address = f"{dice.choice(_PEOPLE)}{number}@client{number}.example"
        by_hand = number % 5 == 4
        world.suppressed[f"sup_{number}"] = Suppression(
            id=f"sup_{number}",
            tenant_id=dice.choice(TENANTS).id,
            address=address,
            reason=SuppressionReason.MANUAL if by_hand else SuppressionReason.BOUNCE,
            created_at=NOW - timedelta(hours=3 * number + 1),
            detail="asked by phone" if by_hand else "550 5.1.1 user unknown",
            created_by="sam@ops" if by_hand else "",
        )
    world.domain_details = [_domain(place) for place in range(3)] if emails else []
    world.points = _points(dice) if emails else []
    world.attachments = (
        AttachmentInfo(
            name="invoice.pdf", content_type="application/pdf", size=48_112, sha256="ab" * 32
        ),
    )
    return world


def _points(dice: random.Random) -> list[SeriesPoint]:
    points = []
    for minute in range(60):
        sent = 20 + dice.randrange(25) + (minute % 20)
        bounced = dice.choice((0, 0, 0, 1, 1, 2, 4))
        counts = {
            Counter.SENT: sent,
            Counter.DELIVERED: max(0, sent - bounced - dice.randrange(4)),
            Counter.BOUNCED: bounced,
        }
        points.append(SeriesPoint(at=NOW - timedelta(minutes=60 - minute), counts=counts))
    return points


def hostile_world(text: str) -> World:
    """Make a world in which strangers wrote ``text`` wherever they can write."""
    world = build_world(30, 12)
    world.emails = {
        key: replace(
            email,
            subject=text,
            sender=f"{text} <x@evil.example>",
            error=text,
            recipients=tuple(
                replace(r, address=f"{text}@evil.example", detail=text) for r in email.recipients
            ),
            tags={text: text},
            ses_message_id=text,
        )
        for key, email in world.emails.items()
    }
    world.received = {
        key: replace(
            message,
            subject=text,
            from_address=f"{text}@evil.example",
            from_name=text,
            envelope_from=text,
            recipient=text,
            text=f"{text}\n{text}\r\n{text}",
            external_id=text,
        )
        for key, message in world.received.items()
    }
    world.suppressed = {
        key: replace(
            entry,
            address=f"{text}@evil.example",
            detail=text,
            note=text,
            source_event_id=text,
            created_by=text,
        )
        for key, entry in world.suppressed.items()
    }
    world.domain_details = [
        replace(
            detail,
            tenant_name=text,
            records=tuple(replace(r, value=text, name=text) for r in detail.records),
        )
        for detail in world.domain_details
    ]
    world.compliance.say(text)
    world.attachments = (AttachmentInfo(name=text, content_type=text, size=1, sha256="00" * 32),)
    return world
