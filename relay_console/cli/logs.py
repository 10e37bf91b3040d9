"""``relay-console logs``: the mail both ways, newest first; followed, exported."""

from __future__ import annotations

import re
from dataclasses import dataclass
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
from relay_console.cli.output import moment, write_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from backend import Backend, LogEntry, LogQuery

SHOWN = 50
FOLLOWED = 10
_MINUS = re.compile(r"-[a-z]+:")
TABLE = 1_000
"""A longer list is written in columns of fixed width as it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for; ``form`` is table, json or csv, no ``limit`` means the usual one."""

    words: str
    form: str
    limit: int | None
    output: str | None
    follow: bool


class WithMinus(click.Command):
    """Takes ``-tag:test`` for a word of the query, not for options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put such words behind ``--``, where nothing is an option."""
        if "--" in args:
            return super().parse_args(ctx, args)
        minus = [arg for arg in args if _MINUS.match(arg)]
        rest = [arg for arg in args if not _MINUS.match(arg)]
        return super().parse_args(ctx, [*rest, "--", *minus] if minus else rest)


@click.command(cls=WithMinus)
@click.argument("query", nargs=-1)
@click.option("--limit", type=click.IntRange(1), help="At most so many lines.")
@click.option("--follow", is_flag=True, help="Go on with new and changed mail until Ctrl-C.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV, all of it unless --limit is given.")
@click.option("--jsonl", is_flag=True, help="Write a JSON object a line, all unless --limit.")
@click.option("--output", metavar="FILE", help="Write to a file, which appears when it is whole.")
@database_option
@json_option
@pass_common
def logs(
    common: Common,
    query: tuple[str, ...],
    limit: int | None,
    follow: bool,
    as_csv: bool,
    jsonl: bool,
    output: str | None,
    as_json: bool,
) -> None:
    """List mail, newest first; with --json one object a line.

    QUERY is the language of docs/logs.md, as in the Logs screen: status:bounced to:@x.example
    since:2h -tag:test, and words to look for in addresses, subjects and tags. Before a bare word
    with a minus write --.
    """
    if as_csv and (jsonl or as_json):
        raise click.UsageError("--csv and --json cannot be had together")
    if follow and output:
        raise click.UsageError("--follow writes to standard output; leave --output out")
    form = "csv" if as_csv else "json" if jsonl or as_json else "table"
    every = as_csv or jsonl or output is not None
    usual = None if every and not follow else FOLLOWED if follow else SHOWN
    wish = Wish(
        words=" ".join(map(_quoted, query)),
        form=form,
        limit=limit or usual,
        output=output,
        follow=follow,
    )
    run(_logs(common, wish))


def _quoted(word: str) -> str:
    """Give an argument as a query word: the shell has taken the quotes of ``"two words"`` off."""
    if '"' in word or not any(char.isspace() for char in word):
        return word
    key, colon, value = word.partition(":")
    if colon and not any(char.isspace() for char in key):
        return f'{key}:"{value}"'
    return word


async def _logs(common: Common, wish: Wish) -> None:
    from relay_console.cli.log_follow import Follower
    from relay_console.cli.log_lines import written_to

    async with opened(common) as backend:
        query = await _read(backend, wish.words)
        with written_to(wish.output) as out:
            _write_head(wish, out)
            if wish.follow:
                follower = Follower(backend, query, _writer(wish.form, out), out.flush)
                await follower.run(wish.limit or FOLLOWED)
            elif wish.form == "table" and wish.limit is not None and wish.limit <= TABLE:
                await _write_table(backend, query, wish.limit)
            else:
                await _export(backend, query, wish, out)


async def _read(backend: Backend, words: str) -> LogQuery:
    from backend import QueryError, SystemClock, read_log_query
    from relay_console.safe import safe

    try:
        return read_log_query(words, SystemClock().now(), await backend.tenants())
    except QueryError as error:
        for line in error.picture.splitlines():
            click.echo(safe(line, 1_100), err=True)
        raise


def _write_head(wish: Wish, out: TextIO) -> None:
    from relay_console.cli.log_lines import csv_head

    if wish.form == "csv":
        out.write(csv_head() + "\r\n")


def _writer(form: str, out: TextIO) -> Callable[[LogEntry], None]:
    from relay_console.cli.log_lines import csv_line, fixed_line, json_line

    line, end = {
        "csv": (csv_line, "\r\n"),
        "json": (json_line, "\n"),
        "table": (fixed_line, "\n"),
    }[form]

    def write(entry: LogEntry) -> None:
        out.write(line(entry) + end)

    return write


async def _export(backend: Backend, query: LogQuery, wish: Wish, out: TextIO) -> None:
    """Write all that is asked for, a page at a time."""
    left = wish.limit
    write = _writer(wish.form, out)
    async for entries in backend.mail_log.every(query):
        for entry in entries[:left]:
            write(entry)
        out.flush()  # a pipe must not hold it back
        if left is not None:
            left -= len(entries)
            if left <= 0:
                return


async def _write_table(backend: Backend, query: LogQuery, limit: int) -> None:
    from backend import LogSpan

    page = await backend.mail_log.page(query, LogSpan(size=limit))
    head = ("TIME", "WAY", "STATUS", "FROM", "TO", "ID", "SUBJECT")
    write_table([head, *map(_row, page.entries)])


def _row(entry: LogEntry) -> tuple[str, ...]:
    more = f" +{entry.more_recipients}" if entry.more_recipients else ""
    to = f"{entry.recipient}{more}"
    at = moment(entry.at)
    return (at, entry.direction, entry.status, entry.sender, to, entry.id, entry.subject)
