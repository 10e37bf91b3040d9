"""``relay-console quarantine`` and ``reprocess``: inbound mail that waits for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from relay_console.cli.opening import (
    Common,
    actor,
    database_option,
    json_option,
    opened,
    pass_common,
    run,
)
from relay_console.cli.output import moment, write_json, write_line, write_table

if TYPE_CHECKING:
    from backend import InboundMessage

PAGE = 500


@click.command()
@database_option
@json_option
@pass_common
def quarantine(common: Common, as_json: bool) -> None:
    """List inbound mail that is quarantined, held, unrouted or failed, newest first.

    With --json one object a line.
    """
    from backend import WAITING, InboundQuery

    async def work() -> None:
        found: list[InboundMessage] = []
        async with opened(common) as backend:
            while page := await backend.inbound(InboundQuery(statuses=WAITING), len(found), PAGE):
                found.extend(page)
        if not as_json:
            write_table(
                [("TIME", "STATUS", "REASON", "FROM", "TO", "ID", "SUBJECT"), *map(_row, found)]
            )
            return
        for message in found:
            write_json(message)

    run(work())


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


@click.command()
@click.argument("message_ids", metavar="ID...", nargs=-1, required=True)
@database_option
@json_option
@pass_common
def reprocess(common: Common, message_ids: tuple[str, ...], as_json: bool) -> None:
    """Queue waiting messages to be processed anew; a running server or console does it.

    Exits 1 when none of them could be queued.
    """

    async def work() -> int:
        async with opened(common) as backend:
            return await backend.reprocess(message_ids, actor=actor())

    queued = run(work())
    if as_json:
        write_json({"asked": len(message_ids), "queued": queued})
    else:
        write_line(f"{queued} of {len(message_ids)} queued")
    if not queued:
        click.get_current_context().exit(1)
