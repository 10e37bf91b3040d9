"""One mail, one message, one suppression, one domain as a page. Pure; foreign text becomes safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend import ScanVerdict
from relay_console.safe import safe, safe_lines
from relay_console.viewmodel.briefs import release_section
from relay_console.viewmodel.page import Line, Page, Section, fact, section
from relay_console.viewmodel.rows import named, record_value
from relay_console.viewmodel.words import full_moment, glyph, plural, size_of, tone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backend import (
        AttachmentInfo,
        Attempt,
        ByHand,
        DomainDetail,
        EmailDetail,
        Foreseen,
        InboundDetail,
        InboundMessage,
        Recipient,
        Step,
        Suppression,
        TimelineEntry,
    )


def email_page(detail: EmailDetail, names: Mapping[str, str]) -> Page:
    """Lay out a mail we sent: facts, recipients, timeline, attempts, replies."""
    email = detail.email
    newest = max(detail.replies, key=lambda reply: reply.received_at, default=None)
    return Page(
        title=safe(f"Sent mail {email.id}"),
        copy=email.id,
        linked=f"in:{newest.id}" if newest else "",
        sections=(
            section("Mail", list(_email_facts(detail, names))),
            section("Recipients", [line for r in email.recipients for line in _recipient(r)]),
            section("Timeline", [_event(entry) for entry in detail.timeline], "Nothing yet."),
            section("Attempts", [_attempt(a) for a in detail.attempts], "Not yet tried."),
            section("Replies", [_reply(reply) for reply in detail.replies], "None yet."),
        ),
    )


def _email_facts(detail: EmailDetail, names: Mapping[str, str]) -> Iterator[Line]:
    email = detail.email
    state = f"{glyph(email.status)} {email.status}: {email.status.sentence}"
    yield fact("status", state, tone(email.status))
    yield fact("subject", email.subject or "(no subject)")
    yield fact("from", email.sender)
    yield fact("tenant", named(email.tenant_id, names))
    yield fact("accepted", full_moment(email.created_at))
    if email.scheduled_at:
        yield fact("scheduled", full_moment(email.scheduled_at))
    yield fact("sent", full_moment(email.sent_at))
    if email.possible_duplicate:
        yield fact("maybe twice", "It was sent again though SES may have had it.", "busy")
    if email.attachments:
        yield fact("attachments", plural(email.attachments, "file"))
    if email.reply_address:
        yield fact("replies to", email.reply_address)
    yield fact("SES id", email.ses_message_id or "-")
    if email.error:
        yield fact("error", email.error, "bad")
    for key, value in sorted(email.tags.items()):
        yield fact("tag", f"{key} = {value}")


def _recipient(recipient: Recipient) -> Iterator[Line]:
    mark = glyph(recipient.status)
    yield fact(
        recipient.kind,
        f"{mark} {recipient.status:<10} {recipient.address}",
        tone(recipient.status),
    )
    if recipient.detail:
        yield fact("", f"  {recipient.detail}", "dim")
    if recipient.cause is not None:
        yield fact("", f"  {recipient.cause.sentence}", "busy")
        yield fact("what to do", f"  {recipient.cause.remedy}")


def _event(entry: TimelineEntry) -> Line:
    about = " ".join(part for part in (entry.recipient, entry.detail) if part)
    return fact(f"{entry.at:%m-%d %H:%M:%S}", f"{entry.kind:<12} {about}")


def _attempt(attempt: Attempt) -> Line:
    outcome = attempt.ses_message_id or attempt.error or attempt.state.sentence
    return fact(f"{attempt.started_at:%m-%d %H:%M:%S}", f"{attempt.state:<12} {outcome}")


def _reply(reply: InboundMessage) -> Line:
    sender = reply.from_address or reply.envelope_from or "<>"
    return fact(
        f"{reply.received_at:%m-%d %H:%M:%S}", f"{glyph(reply.status)} {sender}  {reply.subject}"
    )


def inbound_page(
    detail: InboundDetail, names: Mapping[str, str], released: Foreseen | None = None
) -> Page:
    """Lay out a received message: facts, why it went where it went, files, its text."""
    message = detail.message
    said = message.reply_text or message.text
    body = [Line(text=line) for line in safe_lines(said)] if said else []
    return Page(
        title=safe(f"Received message {message.id}"),
        copy=message.id,
        linked=f"out:{message.reply_to_email_id}" if message.reply_to_email_id else "",
        sections=(
            section("Message", list(_inbound_facts(message, names))),
            *([release_section(released)] if released else []),
            section("What happened, step by step", [row for s in detail.steps for row in _step(s)]),
            section("Attachments", [_attachment(a) for a in detail.attachments], "None."),
            section("Text", body, "The message has no text part."),
        ),
    )


def _inbound_facts(message: InboundMessage, names: Mapping[str, str]) -> Iterator[Line]:
    state = f"{glyph(message.status)} {message.status}: {message.status.sentence}"
    yield fact("status", state, tone(message.status))
    yield fact("reason", f"{message.reason.replace('_', ' ')}: {message.reason.sentence}")
    yield fact("subject", message.subject or "(no subject)")
    yield fact("from", f"{message.from_name} <{message.from_address}>")
    yield fact("envelope", f"{message.envelope_from or '<>'} to {message.recipient}")
    yield fact("tenant", named(message.tenant_id, names))
    yield fact("received", f"{full_moment(message.received_at)} by {message.source}")
    yield fact("size", size_of(message.size))
    yield fact("verdicts", _verdicts(message))
    if message.route:
        yield fact("target", _target(message))
    if message.reply_to_email_id:
        yield fact("answers", f"{message.reply_to_email_id} (o opens it)")
    yield from _by_hand(message.by_hand)


def _by_hand(hand: ByHand) -> Iterator[Line]:
    """Tell what people decided about a message."""
    if hand.waived:
        reasons = ", ".join(sorted(reason.replace("_", " ") for reason in hand.waived))
        yield fact("released", f"from {reasons} by {hand.released_by}")
    if hand.route:
        action = hand.route.action.replace("_", " ")
        there = f"{hand.route.target}, {action} {hand.route.ref}".rstrip()
        yield fact("rerouted", f"to {there} by {hand.routed_by}")
    if hand.thread_id:
        yield fact("attached", f"to {hand.thread_id} by {hand.attached_by}")
    if away := hand.put_away:
        was = f"{away.status}, {away.reason.replace('_', ' ')}"
        yield fact("put away", f"{full_moment(away.at)} by {away.by}; it was {was}")


def _verdicts(message: InboundMessage) -> str:
    """Give the verdicts that came, by name; those that did not come say nothing."""
    found = message.verdicts
    named_verdicts = {
        "spam": found.spam,
        "virus": found.virus,
        "spf": found.spf,
        "dkim": found.dkim,
        "dmarc": found.dmarc,
    }
    came = {name: v for name, v in named_verdicts.items() if v is not ScanVerdict.UNVERIFIED}
    return "  ".join(f"{name} {verdict}" for name, verdict in came.items()) or "none came"


def _target(message: InboundMessage) -> str:
    route = message.route
    if route is None:
        return "-"
    where = f"{route.target}, {route.action.replace('_', ' ')}"
    return f"{where} {message.external_id or route.ref}".rstrip()


def _step(step: Step) -> Iterator[Line]:
    yield fact(
        step.stage,
        f"{glyph(step.finding)} {step.reason.sentence}",
        tone(step.finding),
    )
    for key, value in step.evidence.items():
        yield fact("", f"    {key}: {value}", "dim")


def _attachment(file: AttachmentInfo) -> Line:
    inline = ", inline" if file.inline else ""
    return fact(size_of(file.size), f"{file.name or '(no name)'}  {file.content_type}{inline}")


def suppression_page(entry: Suppression, names: Mapping[str, str]) -> Page:
    """Lay out one suppression."""
    return Page(
        title=safe(f"Suppressed address {entry.address}"),
        copy=entry.address,
        linked=f"out:{entry.source_email_id}" if entry.source_email_id else "",
        sections=(
            section(
                "Suppression",
                [
                    fact("address", entry.address),
                    fact("reason", f"{entry.reason}: {entry.reason.sentence}"),
                    fact("kind", f"{entry.kind}: {entry.kind.sentence}"),
                    fact("state", f"{entry.state}: {entry.state.sentence}"),
                    fact("detail", entry.detail or "-"),
                    fact("note", entry.note or "-"),
                    fact("tenant", named(entry.tenant_id, names) if entry.tenant_id else "every"),
                    fact("since", full_moment(entry.created_at)),
                    fact(
                        "until", full_moment(entry.expires_at) if entry.expires_at else "for good"
                    ),
                    fact("by", entry.created_by or "the relay itself"),
                    fact("mail", entry.source_email_id or "-"),
                    fact("told by", entry.source_event_id or "-"),
                    fact("import", entry.import_id or "-"),
                ],
            ),
        ),
    )


def domain_page(detail: DomainDetail) -> Page:
    """Lay out one domain with its records in full."""
    domain = detail.domain
    state = f"{domain.status}: {domain.status.sentence}"
    return Page(
        title=safe(f"Domain {domain.name}"),
        copy="\n".join(f"{r.name} {r.type} {record_value(r)}" for r in detail.records),
        sections=(
            section(
                "Domain",
                [
                    fact("state", state, tone(domain.status)),
                    fact("tenant", detail.tenant_name),
                    fact("receives", "yes" if domain.inbound_enabled else "no"),
                    fact("mail from", domain.mail_from or "-"),
                    fact("added", full_moment(domain.created_at)),
                    fact("asked SES", full_moment(domain.checked_at)),
                ],
            ),
            _records(detail),
        ),
    )


def _records(detail: DomainDetail) -> Section:
    lines: list[Line] = []
    for record in detail.records:
        lines.append(fact(record.type, record.name))
        lines.append(fact("", f"  {record_value(record)}"))
        lines.append(fact("", f"  {record.purpose}", "dim"))
    title = f"Publish {plural(len(detail.records), 'record')} in DNS (y copies them all)"
    return section(title, lines, "This domain needs no records.")
