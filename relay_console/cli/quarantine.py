"""``relay-console quarantine``: inbound mail that waits for a person, listed and shown."""

from __future__ import annotations

from dataclasses import fields
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
from relay_console.cli.output import moment, write_json, write_table
from relay_console.cli.quarantine_acts import ACTS
from relay_console.cli.reprocess import quoted
from relay_console.cli.show import show_message

if TYPE_CHECKING:
    from backend import Backend, InboundMessage, InboundQuery

PAGE = 500


@click.group()
def quarantine() -> None:
    """Look at mail that waits for a person, and act on it.

    Waiting is what is quarantined, held, unrouted or failed. Every act is in the audit log and in
    the explanation of the message; --dry-run tells what it would do. Of several messages each is
    answered by itself: what may not be done to one does not keep it from the others.
    """


@quarantine.command("list")
@click.argument("words", metavar="[QUERY]...", nargs=-1)
@click.option("--limit", type=click.IntRange(1), help="Only so many, the newest.")
@database_option
@json_option
@pass_common
def list_(common: Common, words: tuple[str, ...], limit: int | None, as_json: bool) -> None:
    """List the mail that waits, newest first; with --json one object a line.

    A QUERY is words such as: state:held,failed reason:spam_verdict tenant:acme since:2d invoice.
    state:discarded lists what was put away, match:unmatched every answer to nothing we know.
    """

    async def work() -> None:
        async with opened(common) as backend:
            query = await _query(backend, " ".join(map(quoted, words)))
            found = await _read(backend, query, limit)
        if as_json:
            for message in found:
                write_json(_as_json(message))
            return
        write_table(
            [("TIME", "STATUS", "REASON", "FROM", "TO", "ID", "SUBJECT"), *map(_row, found)]
        )

    run(work())


@quarantine.command("show")
@click.argument("message_id", metavar="ID")
@database_option
@json_option
@pass_common
def show(common: Common, message_id: str, as_json: bool) -> None:
    """Show the message ID with every step that led to where it is."""
    run(show_message(common, message_id, as_json=as_json))


async def _query(backend: Backend, line: str) -> InboundQuery:
    from backend import SystemClock, read_waiting_query

    return read_waiting_query(line, await backend.tenants(), SystemClock().now())


async def _read(backend: Backend, query: InboundQuery, limit: int | None) -> list[InboundMessage]:
    found: list[InboundMessage] = []
    while page := await backend.inbound(query, len(found), min(PAGE, (limit or PAGE))):
        found.extend(page)
        if limit is not None and len(found) >= limit:
            return found[:limit]
    return found


def _as_json(message: InboundMessage) -> dict[str, object]:
    plain = {field.name: getattr(message, field.name) for field in fields(message)}
    return plain | {"sentence": message.reason.sentence}


def _row(message: InboundMessage) -> tuple[str, ...]:
    sender = message.from_address or message.envelope_from
    at = moment(message.received_at)
    return (
        at,
        message.status,
        message.reason,
        sender,
        message.recipient,
        message.id,
        message.subject,
    )


for act in ACTS:
    quarantine.add_command(act)
