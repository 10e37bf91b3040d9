"""``relay-console inbound ingest``: take in mail from files, as if it had just come."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import click

from relay_console.cli.exits import Exit
from relay_console.cli.mail_files import find_files, read_mails
from relay_console.cli.opening import (
    Common,
    database_option,
    json_option,
    opened,
    pass_common,
    run,
)
from relay_console.cli.output import write_json, write_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from backend import Backend
    from relay_console.cli.mail_files import RawMail

AT_A_TIME = 16  # messages whose writes share one commit
SHOWN_ERRORS = 20


@dataclass(slots=True)
class Tally:
    """What came of the messages read; ``new`` and ``known`` count rows, one for each recipient."""

    read: int = 0
    new: int = 0
    known: int = 0
    failed: int = 0
    inbound_ids: list[str] = field(default_factory=list)
    errors: list[dict[str, str]] = field(default_factory=list)


@click.group()
def inbound() -> None:
    """Bring mail in by hand."""


@inbound.command()
@click.argument("paths", metavar="FILE|DIR|-...", nargs=-1, required=True)
@click.option(
    "--to",
    "recipients",
    multiple=True,
    metavar="ADDRESS",
    help="Who the mail is for, instead of what its headers say; repeatable.",
)
@database_option
@json_option
@pass_common
def ingest(
    common: Common, *, paths: tuple[str, ...], recipients: tuple[str, ...], as_json: bool
) -> None:
    """Take in mail from .eml files, mbox files, Maildirs, folders of these, or stdin (-).

    Each message is stored raw first and goes the usual way from there; a running server or console
    does the work. A message that is known already, from whatever source, adds nothing. Exits 1 when
    some message could not be taken in.
    """
    if wrong := [address for address in recipients if address.count("@") != 1]:
        raise click.BadParameter(f"{wrong[0]!r} is not an address", param_hint="--to")
    try:
        files = find_files(paths)
    except OSError as error:
        raise click.BadParameter(f"{error.filename}: {error.strerror}") from None
    tally = run(_take_all(common, files, recipients, quiet=as_json))
    write_json(tally) if as_json else _write(tally)
    if tally.failed:
        click.get_current_context().exit(Exit.FAILED)


async def _take_all(
    common: Common, files: Sequence[tuple[str, int]], recipients: Sequence[str], *, quiet: bool
) -> Tally:
    tally = Tally()
    mails = _mails(files, tally)
    total = sum(size for _, size in files)
    async with opened(common) as backend:
        with _progress(total, quiet=quiet) as advance:
            while batch := list(islice(mails, AT_A_TIME)):
                await asyncio.gather(*(_take(backend, mail, recipients, tally) for mail in batch))
                advance(sum(mail.size for mail in batch))
    return tally


def _mails(files: Sequence[tuple[str, int]], tally: Tally) -> Iterator[RawMail]:
    """Read message after message; a file that cannot be read is counted and passed over."""
    for name, _ in files:
        try:
            yield from read_mails(name)
        except OSError as error:
            _fail(tally, name, str(error.strerror))


async def _take(backend: Backend, mail: RawMail, recipients: Sequence[str], tally: Tally) -> None:
    from backend import PermanentError

    tally.read += 1
    try:
        taken = await backend.ingest.take_file(mail.raw, recipients)
    except PermanentError as error:
        _fail(tally, mail.place, str(error))
        return
    tally.new += len(taken.new)
    tally.known += len(taken.known)
    tally.inbound_ids += taken.new


def _fail(tally: Tally, place: str, why: str) -> None:
    tally.failed += 1
    tally.errors.append({"path": place, "error": why})


@contextlib.contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show a bar of bytes on a terminal; elsewhere show nothing."""
    if quiet or not total or not sys.stderr.isatty():
        yield lambda _size: None
        return
    with click.progressbar(length=total, label="taking in", file=sys.stderr) as bar:
        yield bar.update


def _write(tally: Tally) -> None:
    for error in tally.errors[:SHOWN_ERRORS]:
        write_line(f"{error['path']}:", error["error"])
    if len(tally.errors) > SHOWN_ERRORS:
        write_line(f"and {len(tally.errors) - SHOWN_ERRORS} more; --json names them all")
    write_line(
        f"{tally.read} read, {tally.new} taken in, {tally.known} known already,"
        f" {tally.failed} failed"
    )
