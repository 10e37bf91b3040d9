"""``relay-console show``: the timeline of a mail sent, the explanation of one received."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

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

    from backend import Backend, EmailDetail, InboundDetail, Step

_INBOUND_PREFIX = "inb_"


@click.command()
@click.argument("message_id", metavar="ID")
@database_option
@json_option
@pass_common
def show(common: Common, message_id: str, as_json: bool) -> None:
    """Show the message ID: what happened to it, when and why."""
    run(show_message(common, message_id, as_json=as_json))


async def show_message(common: Common, message_id: str, *, as_json: bool) -> None:
    """Write what happened to a message, sent or received; raises NotFoundError."""
    async with opened(common) as backend:
        if message_id.startswith(_INBOUND_PREFIX):
            inbound = await backend.inbound_message(message_id)
            write_json(inbound) if as_json else write_inbound(inbound)
            return
        await _show_outbound(backend, message_id, as_json=as_json)


async def _show_outbound(backend: Backend, email_id: str, *, as_json: bool) -> None:
    detail = await backend.email(email_id)
    write_json(detail) if as_json else write_outbound(detail)


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
        ]
    )
    _section(
        "Recipients",
        [(r.kind, r.address, r.status, moment(r.updated_at), r.detail) for r in email.recipients],
    )
    _section("Timeline", [(moment(e.at), e.kind, e.recipient, e.detail) for e in detail.timeline])
    _section(
        "Attempts",
        [(a.number, moment(a.started_at), a.state, a.id, a.error) for a in detail.attempts],
    )
    _section(
        "Replies",
        [(moment(m.received_at), m.id, m.status, m.from_address) for m in detail.replies],
    )


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
