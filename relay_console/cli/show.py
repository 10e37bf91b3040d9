"""``relay-console show``: the timeline of a mail sent, the explanation of one received."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backend import EventKind
from relay_console.cli.opening import (
    Common,
    database_option,
    json_option,
    opened,
    pass_common,
    run,
)
from relay_console.cli.output import moment, write_json, write_line, write_pairs, write_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from backend import Backend, Conversation, EmailDetail, InboundDetail, Step, TimelineEntry

_INBOUND_PREFIX = "inb_"
_ACCEPTED = "On disk; from here on it cannot be lost."


@click.command()
@click.argument("name", metavar="ID")
@database_option
@json_option
@pass_common
def show(common: Common, name: str, as_json: bool) -> None:
    """Show what happened to a mail, when and why.

    ID is our id, the id SES gave, a Message-ID, or an address: its newest mail.
    """
    run(show_message(common, name, as_json=as_json))


async def show_message(common: Common, name: str, *, as_json: bool) -> None:
    """Write what happened to a message, sent or received; raises NotFoundError."""
    async with opened(common) as backend:
        message_id = await backend.mail_log.find(name)
        conversation = await _conversation(backend, message_id)
        if message_id.startswith(_INBOUND_PREFIX):
            inbound = await backend.inbound_message(message_id)
            write_json(inbound) if as_json else write_inbound(inbound)
        else:
            detail = await backend.email(message_id)
            write_json(detail) if as_json else write_outbound(detail)
        if not as_json:
            _write_conversation(conversation, message_id)


async def _conversation(backend: Backend, message_id: str) -> Conversation | None:
    from backend import NotFoundError

    try:
        return await backend.receiving.conversation(message_id)
    except NotFoundError:
        return None


def _write_conversation(found: Conversation | None, message_id: str) -> None:
    """Write the other mail of a conversation, oldest first."""
    if found is None:
        return
    rows: list[tuple[datetime, str, str, str, str, str]] = [
        (m.created_at, "out", m.id, m.status.value, m.sender, m.subject) for m in found.sent
    ]
    rows += [
        (m.received_at, "in", m.id, m.status.value, m.from_address, m.subject)
        for m in found.received
    ]
    others = sorted(row for row in rows if row[2] != message_id)
    _section("Conversation", [(moment(at), *rest) for at, *rest in others])


def write_outbound(detail: EmailDetail) -> None:
    """Write a mail that went out: its head, recipients, timeline, attempts and replies."""
    email = detail.email
    write_line(f"{email.id}  {email.status}: {email.status.sentence}")
    write_pairs(
        [
            ("From", email.sender),
            ("Subject", email.subject),
            ("Accepted", moment(email.created_at)),
            ("Scheduled", moment(email.scheduled_at)),
            ("Sent", moment(email.sent_at)),
            ("At SES", email.ses_message_id),
            ("Error", email.error),
            ("Note", "sent again: it may have arrived twice" if email.possible_duplicate else ""),
            ("Tags", ", ".join(f"{name}={value}" for name, value in email.tags.items())),
            ("Thread", email.thread_id),
            ("Files", email.attachments or ""),
        ]
    )
    _section(
        "Recipients",
        [(r.kind, r.address, r.status, moment(r.updated_at), r.detail) for r in email.recipients],
    )
    causes = [(r.address, r.cause) for r in email.recipients]
    _section("Why, and what to do", [(a, f"{c.sentence} {c.remedy}") for a, c in causes if c])
    _section("Timeline", _timeline(detail))
    _section(
        "Attempts",
        [(a.number, moment(a.started_at), a.state, a.id, a.error) for a in detail.attempts],
    )
    _section(
        "Replies",
        [(moment(m.received_at), m.id, m.status, m.from_address) for m in detail.replies],
    )


def _timeline(detail: EmailDetail) -> list[tuple[object, ...]]:
    """Give the life of a mail in order: accepted, each call to SES, each event, each answer."""
    email = detail.email
    lines: list[tuple[datetime, str, str, str]] = [(email.created_at, "accepted", "", _ACCEPTED)]
    lines += [
        (a.started_at, f"attempt {a.number}", "", a.error or a.state.sentence)
        for a in detail.attempts
    ]
    lines += [(e.at, e.kind, e.recipient, _in_words(e)) for e in detail.timeline]
    lines += [
        (r.received_at, "reply", r.from_address, f"{r.id}: {r.status.sentence}")
        for r in detail.replies
    ]
    return [(moment(at), *rest) for at, *rest in sorted(lines, key=lambda line: line[0])]


def _in_words(entry: TimelineEntry) -> str:
    known = {kind.value: kind.sentence for kind in EventKind}
    return " ".join(part for part in (known.get(entry.kind, ""), entry.detail) if part)


def write_inbound(detail: InboundDetail) -> None:
    """Write a message that came in: its head, the explanation step by step, its files."""
    message, route = detail.message, detail.message.route
    write_line(f"{message.id}  {message.status}: {message.status.sentence}")
    write_pairs(
        [
            ("From", message.from_address or message.envelope_from),
            ("To", message.recipient),
            ("Subject", message.subject),
            ("Received", f"{moment(message.received_at)} by {message.source}"),
            ("Answers", message.reply_to_email_id),
            ("Route", f"{route.target} {route.action} {route.ref}".strip() if route else "none"),
            ("Became", message.external_id),
            ("Reason", message.reason.sentence),
        ]
    )
    _section("Explanation", map(_step_row, detail.steps))
    _section("Files", [(f.name, f.content_type, f"{f.size} bytes") for f in detail.attachments])
    _section("Text", [(line,) for line in (message.reply_text or message.text).splitlines()])


def _step_row(step: Step) -> Sequence[object]:
    evidence = ", ".join(f"{name}={value}" for name, value in step.evidence.items())
    said = f"{step.reason.sentence} ({evidence})" if evidence else step.reason.sentence
    return (step.stage, step.finding, said)


def _section(title: str, rows: Iterable[Sequence[object]]) -> None:
    lines = list(rows)
    if lines:
        write_line()
        write_line(title)
        write_table(lines, indent="  ")
