"""``relay-console logs``: the mail both ways, newest first."""

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
from relay_console.cli.output import moment, write_json, write_table

if TYPE_CHECKING:
    from backend import LogEntry


@click.command()
@click.argument("query", nargs=-1)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@database_option
@json_option
@pass_common
def logs(common: Common, query: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List mail, newest first; with --json one object a line.

    QUERY is what the filter line of the Logs screen takes: status:bounced dir:in tenant:NAME, and
    words to look for in addresses, subjects and ids.
    """
    from relay_console.viewmodel.filters import log_query

    async def work() -> None:
        async with opened(common) as backend:
            wanted = log_query(" ".join(query), await backend.tenants())
            found = await backend.log(wanted, 0, limit)
        if not as_json:
            write_table(
                [("TIME", "WAY", "STATUS", "FROM", "TO", "ID", "SUBJECT"), *map(_row, found)]
            )
            return
        for entry in found:
            write_json(entry)

    run(work())


def _row(entry: LogEntry) -> tuple[str, ...]:
    more = f" +{entry.more_recipients}" if entry.more_recipients else ""
    to = f"{entry.recipient}{more}"
    at = moment(entry.at)
    return (at, entry.direction, entry.status, entry.sender, to, entry.id, entry.subject)
