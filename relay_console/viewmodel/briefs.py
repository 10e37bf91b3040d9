"""What became of one mail, in the few lines that fit beside a table. Pure.

Short on purpose: every line of it crosses a slow line whenever the cursor comes to rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend import Finding
from relay_console.safe import safe
from relay_console.viewmodel.page import Line, Page, Section, fact, section
from relay_console.viewmodel.rows import bare, named
from relay_console.viewmodel.words import glyph, plural, size_of, tone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backend import EmailDetail, Foreseen, InboundDetail, Recipient, Step, TimelineEntry

_RECIPIENTS = 4
_EVENTS = 8
_TEXT = 300
_OF_TEXT = 3
"""Lines of a received text that show what it is about."""


def email_brief(detail: EmailDetail, names: Mapping[str, str]) -> Page:
    """Tell what became of a mail of ours: of each recipient, with cause and remedy, and when."""
    email = detail.email
    more = len(email.recipients) - _RECIPIENTS
    people = [line for one in email.recipients[:_RECIPIENTS] for line in _recipient(one)]
    people += [Line(text=safe(f"and {plural(more, 'more', 'more')}"))] if more > 0 else []
    facts = [
        Line(text=safe(email.status.sentence), tone=tone(email.status)),
        fact("subject", email.subject or "(no subject)"),
        fact("from", bare(email.sender) or email.sender),
        fact("tenant", named(email.tenant_id, names)),
        fact("accepted", f"{email.created_at:%m-%d %H:%M} UTC"),
        *([fact("error", email.error, "bad")] if email.error else []),
        *([fact("goes out", f"{at:%m-%d %H:%M} UTC")] if (at := email.scheduled_at) else []),
    ]
    alone = len(email.recipients) == 1
    events = [_event(one, alone=alone) for one in detail.timeline[-_EVENTS:]]
    replies = [fact(f"{r.received_at:%m-%d}", r.from_address) for r in detail.replies[:3]]
    return Page(
        title=safe(f"Sent mail {email.id}"),
        sections=(
            section(f"{glyph(email.status)} {email.status}", facts),
            section("Recipients", people),
            section("Timeline, UTC", events, "Nothing yet."),
            *([section("Replies", replies)] if replies else []),
        ),
    )


def _recipient(one: Recipient) -> Iterator[Line]:
    yield Line(text=safe(f"{glyph(one.status)} {one.address}"), tone=tone(one.status))
    if one.cause is not None:
        yield Line(text=safe(one.cause.sentence))
        yield Line(text=safe(f"Do: {one.cause.remedy}"))
    if one.detail:
        yield Line(text=safe(one.detail), tone="dim")


def _event(entry: TimelineEntry, *, alone: bool) -> Line:
    who = "" if alone else entry.recipient
    about = " ".join(part for part in (entry.kind, who) if part)
    return fact(f"{entry.at:%H:%M:%S}", about)


def inbound_brief(
    detail: InboundDetail, names: Mapping[str, str], released: Foreseen | None
) -> Page:
    """Tell why a message came where it is, and what a release would make of it."""
    message = detail.message
    sender = message.from_address or message.envelope_from or "<>"
    route = message.route
    facts = [
        Line(text=safe(message.reason.sentence), tone=tone(message.status)),
        fact("subject", message.subject or "(no subject)"),
        fact("from", sender),
        fact("to", message.recipient),
        fact("tenant", named(message.tenant_id, names)),
        fact("received", f"{message.received_at:%m-%d %H:%M} UTC"),
        *([fact("target", f"{route.target} {message.external_id or route.ref}")] if route else []),
    ]
    said = (message.reply_text or message.text).strip()
    text = [Line(text=safe(line)) for line in said[:_TEXT].splitlines() if line.strip()][:_OF_TEXT]
    files = [fact(size_of(one.size), one.name or "(no name)") for one in detail.attachments[:3]]
    return Page(
        title=safe(f"Received message {message.id}"),
        sections=(
            section(f"{glyph(message.status)} {message.status}", facts),
            *([release_section(released)] if released else []),
            section("Steps", [_step(step) for step in detail.steps]),
            *([section("Attachments", files)] if files else []),
            *([section("Text", text)] if text else []),
        ),
    )


def release_section(released: Foreseen) -> Section:
    """Say what a release would make of a message that waits."""
    said = f"it cannot be: {released.why}" if released.why else released.sentence
    how = "busy" if released.why else ""
    return section("If you release it", [Line(text=safe(said[:1].upper() + said[1:]), tone=how)])


def _step(step: Step) -> Line:
    plain = step.finding in {Finding.OK, Finding.NOTE}
    said = f"{glyph(step.finding)} {step.reason.sentence}"
    return fact(step.stage, said, "" if plain else tone(step.finding))
