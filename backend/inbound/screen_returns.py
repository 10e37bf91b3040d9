"""A bounce or complaint in the mailbox: find the mail it is about, and let it count.

Anybody can write a delivery report. Only one that names the mail by an id that nobody can guess,
the Message-ID SES gave it or our attempt, changes anything; one that names a recipient alone is
linked to the newest mail of that recipient and no more. The rules of suppression are those of the
events of SES.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.model.automated import Kind
from backend.model.bus import BusEvent
from backend.model.feedback import EventKind
from backend.model.inbound import Finding, Reason, Stage, Step
from backend.model.outbound import RecipientStatus
from backend.model.stats import Counter
from backend.model.suppression import Suppression
from backend.queue.announce import announce
from backend.store import attempts, counters, emails, events, suppressions
from backend.suppression.decide import listing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from backend.model.automated import Classification
    from backend.model.inbound import InboundMessage
    from backend.model.outbound import Email, Recipient
    from backend.model.screening import MailFacts
    from backend.ports import Ids
    from backend.store.types import Tx

MAX_NAMED = 50  # a report about more recipients than a mail can have
_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """When a report is written down, and the ids for what it makes."""

    at: datetime
    ids: Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The mail a report is about; ``proven`` when its id, not just its recipient, is named."""

    email: Email
    found_by: str
    proven: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a report says of one recipient."""

    address: str
    kind: EventKind
    subtype: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    """A report and the mail it is about."""

    message: InboundMessage
    email: Email
    stamp: Stamp


def find_original(tx: Tx, facts: MailFacts, tenant_id: str) -> Original | None:
    """Find the mail by our attempt, by the id SES gave it, else by its recipient.

    With a tenant only among its own mail; without one (the shared domain) only by an id.
    """
    for attempt_id in facts.returned_attempts:
        attempt = attempts.get(tx, attempt_id)
        email = emails.get(tx, attempt.email_id, tenant_id or None) if attempt else None
        if email is not None:
            return Original(email=email, found_by="X-Relay-Attempt", proven=True)
    for message_id in facts.classification.original_message_ids:
        email = emails.by_ses_message_id(tx, message_id.partition("@")[0], tenant_id or None)
        if email is not None:
            return Original(email=email, found_by="Message-ID", proven=True)
    named = [news.address for news in read_news(facts.classification)]
    email = emails.newest_to(tx, named, tenant_id) if named and tenant_id else None
    return Original(email=email, found_by="recipient", proven=False) if email else None


def read_news(classification: Classification) -> list[News]:
    """Give what a report says of each recipient; empty when it says nothing that counts."""
    if classification.kind is Kind.COMPLAINT:
        complaint = classification.complaint
        if complaint and complaint.feedback_type == "auth-failure":
            return []  # RFC 6591: a server tells of DMARC, SPF or DKIM; no recipient complains
        named = complaint.recipients if complaint else ()
        said = complaint.feedback_type if complaint else ""
        return [_news(a, EventKind.COMPLAINT, said, said) for a in named[:MAX_NAMED]]
    found = []
    for recipient in classification.recipients[:MAX_NAMED]:
        status = f"{recipient.status} (inferred)" if recipient.inferred else recipient.status
        told = f"{status} {recipient.diagnostic}".strip()
        if recipient.hard:
            found.append(_news(recipient.address, EventKind.BOUNCE, "Permanent/Mailbox", told))
        elif recipient.action == "delayed":
            found.append(_news(recipient.address, EventKind.DELIVERY_DELAY, "", told))
    return found


def record_report(
    tx: Tx, message: InboundMessage, facts: MailFacts, stamp: Stamp
) -> tuple[InboundMessage, Step]:
    """Let a report count, once however often it is processed; give what it did.

    The message joins the conversation of the mail it is about, so that it is seen there.
    """
    original = find_original(tx, facts, message.tenant_id)
    if original is None:
        return message, _step(Reason.REPORT_UNPROVEN, {"original": "no mail of ours"})
    email = original.email
    link = {"email_id": email.id, "found_by": original.found_by}
    linked = replace(message, tenant_id=email.tenant_id, thread_id=email.thread_id)
    if not original.proven:
        return linked, _step(Reason.REPORT_UNPROVEN, link)
    emails.lock(tx, email.id)
    report = _Report(message=message, email=email, stamp=stamp)
    news = _about(email, read_news(facts.classification))
    fresh = [item for item in news if _store(tx, report, item)]
    _move(tx, report, fresh)
    suppressed = _suppress(tx, report, fresh)
    if fresh:
        _tell(tx, report, fresh)
    told = {"suppressed": ", ".join(suppressed)[:_SHOWN]} if suppressed else {}
    return linked, _step(Reason.REPORT_USED, link | told)


def _news(address: str, kind: EventKind, subtype: str, detail: str) -> News:
    return News(address=address.strip().lower(), kind=kind, subtype=subtype, detail=detail[:_SHOWN])


def _about(email: Email, news: Iterable[News]) -> list[News]:
    """Keep what is about recipients of the mail: a report cannot put a stranger on the list."""
    known = {recipient.address for recipient in email.recipients}
    mine = {item.address: item for item in news if item.address in known}
    return list(mine.values())


def _store(tx: Tx, report: _Report, news: News) -> bool:
    """Write the fact into the timeline of the mail; False when it is there already."""
    message, email = report.message, report.email
    # one report may come for several recipients of ours: its Message-ID makes it one fact
    fact = f"{email.id}|{news.kind.value}|{news.address}|{message.message_id or message.id}|mail"
    return events.add(
        tx,
        events.StoredEvent(
            id=report.stamp.ids.new("evt"),
            source_id=message.id,
            fact_key=fact,
            tenant_id=email.tenant_id,
            email_id=email.id,
            ses_message_id=email.ses_message_id or "",
            attempt_id=None,
            kind=news.kind,
            recipient=news.address,
            detail=news.detail,
            occurred_at=message.received_at,
            received_at=report.stamp.at,
        ),
    )


_FINAL = {
    EventKind.BOUNCE: (RecipientStatus.BOUNCED, Counter.BOUNCED),
    EventKind.COMPLAINT: (RecipientStatus.COMPLAINED, Counter.COMPLAINED),
}
# a late bounce beats delivered and a complaint beats both; see feedback/transitions.py
_STAYS = {
    EventKind.BOUNCE: frozenset(
        {RecipientStatus.BOUNCED, RecipientStatus.COMPLAINED, RecipientStatus.SUPPRESSED}
    ),
    EventKind.COMPLAINT: frozenset({RecipientStatus.COMPLAINED, RecipientStatus.SUPPRESSED}),
}


def _move(tx: Tx, report: _Report, fresh: list[News]) -> None:
    email = emails.get(tx, report.email.id)
    if email is None:
        return
    at = report.stamp.at
    by_address = {news.address: news for news in fresh if news.kind in _FINAL and _counts(news)}
    moved: list[Recipient] = []
    for recipient in email.recipients:
        news = by_address.get(recipient.address)
        if news is None or recipient.status in _STAYS[news.kind]:
            continue
        status, counter = _FINAL[news.kind]
        moved.append(replace(recipient, status=status, updated_at=at, detail=news.detail))
        counters.bump(tx, email.tenant_id, counter, at)
    if moved:
        emails.move(tx, email.id, moved)


def _counts(news: News) -> bool:
    """Tell a complaint from its opposite: not-spam (RFC 5965 section 7.3)."""
    return not (news.kind is EventKind.COMPLAINT and "not-spam" in news.subtype)


def _suppress(tx: Tx, report: _Report, fresh: list[News]) -> list[str]:
    suppressed = []
    for news in fresh:
        listed = listing(news.kind, news.subtype, candidates=len(fresh))
        if listed is None:
            continue
        entry = Suppression(
            id=report.stamp.ids.new("sup"),
            tenant_id=report.email.tenant_id,
            address=news.address,
            reason=listed.reason,
            state=listed.state,
            created_at=report.stamp.at,
            detail=news.detail,
            source_email_id=report.email.id,
            source_event_id=report.message.id,
        )
        if suppressions.insert(tx, entry) and entry.counts(report.stamp.at):
            suppressed.append(news.address)
    return suppressed


_TOLD = {
    EventKind.BOUNCE: "relay.email.bounced",
    EventKind.COMPLAINT: "relay.email.complained",
    EventKind.DELIVERY_DELAY: "relay.email.delayed",
}


def _tell(tx: Tx, report: _Report, fresh: list[News]) -> None:
    email, first = report.email, fresh[0]
    event = BusEvent(
        id=report.stamp.ids.new("evt"),
        type=_TOLD[first.kind],
        created_at=report.stamp.at,
        tenant_id=email.tenant_id,
        data={
            "email_id": email.id,
            "ses_message_id": email.ses_message_id or "",
            "occurred_at": report.message.received_at.isoformat(),
            "recipients": [news.address for news in fresh],
            "subtype": first.subtype,
            "detail": first.detail,
            "tags": dict(email.tags),
            "inbound_id": report.message.id,
        },
    )
    announce(tx, event)


def _step(reason: Reason, evidence: dict[str, str]) -> Step:
    return Step(stage=Stage.SETTLE, finding=Finding.NOTE, reason=reason, evidence=evidence)
