"""``relay-console suppressions import|imports|undo|export|sync``: whole lists at once."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from backend import ImportWish, SuppressionReason, SyncWay
from relay_console.cli.exits import Exit
from relay_console.cli.opening import (
    Common,
    actor,
    database_option,
    json_option,
    opened,
    pass_common,
    run,
)
from relay_console.cli.output import moment, write_json, write_line, write_pairs, write_table
from relay_console.cli.suppression_options import filter_options, query_of, scope_options, tenant_of
from relay_console.safe import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend import ImportListener, ImportReport, SyncReport


@click.command("import")
@click.argument("file", metavar="FILE|-")
@scope_options
@click.option("--tenants-from-file", is_flag=True, help="Each line names its tenant by id.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl", "ses"]), help="Else guessed.")
@click.option(
    "--reason",
    type=click.Choice([reason.value for reason in SuppressionReason]),
    default="import",
    show_default=True,
    help="Of lines that give none.",
)
@click.option("--dry-run", is_flag=True, help="Only tell what would come of it.")
@database_option
@json_option
@pass_common
def import_(
    common: Common,
    file: str,
    tenant: str | None,
    everywhere: bool,
    tenants_from_file: bool,
    form: str | None,
    reason: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put a list of addresses and domains on the suppression list, whatever its length.

    FILE is CSV (a column address or email; also reason, detail, note, created_at, expires_at),
    JSON lines, or a list as SES takes or gives it; - reads standard input. A bad line is told of
    and left out, and the command then ends with 4. `undo` takes all of it off again.
    """

    async def work() -> ImportReport:
        async with opened(common) as backend:
            tenant_id = None
            if not tenants_from_file:
                tenant_id = await tenant_of(backend, tenant, everywhere=everywhere)
            wish = ImportWish(
                source="standard input" if file == "-" else Path(file).name,
                tenant_id=tenant_id,
                format=form or "",
                reason=SuppressionReason(reason),
                dry_run=dry_run,
            )
            with _opened_file(file) as stream, _progress() as heard:
                return await backend.suppression_desk.import_file(
                    stream, wish, actor=actor(), heard=heard
                )

    report = run(work())
    write_json(report) if as_json else _write_report(report)
    if report.fault_count:
        click.get_current_context().exit(int(Exit.INVALID_INPUT))


@click.command()
@database_option
@json_option
@pass_common
def imports(common: Common, as_json: bool) -> None:
    """List the latest imports, newest first; with --json one object a line."""

    async def work() -> None:
        async with opened(common) as backend:
            found = await backend.suppression_desk.imports()
        if as_json:
            for done in found:
                write_json(done)
            return
        rows = [
            (
                done.id,
                done.state,
                moment(done.started_at),
                f"{done.added:,}",
                f"{done.duplicates:,}",
                f"{done.faults:,}",
                done.actor,
                done.source,
            )
            for done in found
        ]
        write_table([("ID", "STATE", "AT", "ADDED", "TWICE", "ERRORS", "BY", "FILE"), *rows])

    run(work())


@click.command()
@click.argument("import_id", metavar="IMPORT")
@database_option
@json_option
@pass_common
def undo(common: Common, import_id: str, as_json: bool) -> None:
    """Take off the list what IMPORT has brought and nothing else has caused since."""

    async def work() -> int:
        async with opened(common) as backend:
            return await backend.suppression_desk.undo_import(import_id, actor=actor())

    removed = run(work())
    if as_json:
        write_json({"import_id": import_id, "removed": removed})
    else:
        write_line(f"{removed:,} entries taken off the list")


@click.command()
@filter_options
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), help="Else by the name.")
@click.option("-o", "--output", metavar="FILE", help="Instead of standard output.")
@database_option
@json_option
@pass_common
def export(
    common: Common,
    /,
    form: str | None,
    output: str | None,
    as_json: bool,
    **wanted: str | None,
) -> None:
    """Write the list, or exactly what the options choose, as CSV or JSON lines.

    No spreadsheet takes a cell of the CSV for a formula; import reads it back as it was. --json
    means JSON lines.
    """
    named_so = output is not None and output.endswith((".jsonl", ".json", ".ndjson"))
    form = form or ("jsonl" if as_json or named_so else "csv")

    async def work() -> None:
        async with opened(common) as backend:
            query = await query_of(backend, wanted)
            with _output(output) as stream:
                async for piece in backend.suppression_desk.export(query, form):
                    stream.write(_shown(piece) if stream.isatty() else piece)

    run(work())


@click.command()
@click.option("--pull", "way", flag_value="pull", help="Only change our list.")
@click.option("--push", "way", flag_value="push", help="Only change the list of SES.")
@click.option("--both", "way", flag_value="both", default="both", help="Both; the default.")
@click.option("--dry-run", is_flag=True, help="Only tell how the two differ.")
@click.option("--sure", is_flag=True, help="Also when most of what SES held is gone from there.")
@database_option
@json_option
@pass_common
def sync(common: Common, way: str, dry_run: bool, sure: bool, as_json: bool) -> None:
    """Bring our list and the account's own list at SES together, or tell how they differ.

    SES allows one call a second: reading takes a second for 1,000 addresses, changing one for
    each. Stop it at any time: run again, it goes on from there. SES knows bounces and complaints
    of mailboxes only, without an end; all else stays here.
    """

    async def work() -> SyncReport:
        async with opened(common) as backend:
            return await backend.suppression_desk.sync(
                SyncWay(way), dry_run=dry_run, actor=actor(), sure=sure, heard=_heard
            )

    report = run(work())
    if sys.stderr.isatty():
        click.echo(err=True)
    write_json(report) if as_json else _write_sync(report)


def _heard(what: str, done: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done:,} {what}    ", nl=False, err=True)


@contextmanager
def _progress() -> Iterator[ImportListener]:
    """Draw a bar on a terminal, and nothing elsewhere."""
    from backend import ImportListener

    if not sys.stderr.isatty():
        yield ImportListener()
        return
    bars: list[Any] = []

    def read(lines: int) -> None:
        click.echo(f"\rreading: {lines:,} lines", nl=False, err=True)

    def wrote(rows: int, total: int) -> None:
        if not bars:
            click.echo(err=True)
            bars.append(click.progressbar(length=total, label="writing", file=sys.stderr))
        bars[0].update(rows - bars[0].pos)

    yield ImportListener(read=read, wrote=wrote)
    for bar in bars:
        bar.render_finish()


@contextmanager
def _opened_file(name: str) -> Iterator[Any]:
    """Open a file of text; what is none becomes a mark that no address has."""
    from backend import suppression_text

    try:
        # standard input is left open for those who come after
        with (
            open(0 if name == "-" else name, "rb", closefd=name != "-") as file,
            suppression_text(file) as stream,
        ):
            yield stream
    except OSError as error:
        raise click.UsageError(f"{name}: {error.strerror}") from error


@contextmanager
def _output(name: str | None) -> Iterator[IO[str]]:
    """Give where to write: a file that only its owner may read and that is whole or not there."""
    if name is None:
        yield sys.stdout
        return
    import os

    partial = Path(f"{name}.partial")
    try:
        descriptor = os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            yield stream
        partial.replace(name)
    except OSError as error:
        raise click.UsageError(f"{name}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def _shown(piece: str) -> str:
    return "".join(f"{safe(line)}\n" for line in piece.splitlines())


def _write_report(report: ImportReport) -> None:
    for fault in report.faults:
        click.echo(f"line {fault.line}: {safe(fault.problem)}", err=True)
    if report.fault_count > len(report.faults):
        click.echo(f"and {report.fault_count - len(report.faults):,} bad lines more", err=True)
    write_pairs(
        (
            ("import", report.id),
            ("lines", f"{report.lines:,}"),
            ("would add" if report.dry_run else "added", f"{report.added:,}"),
            ("duplicates", f"{report.duplicates:,}"),
            ("bad lines", f"{report.fault_count:,}"),
        )
    )


def _write_sync(report: SyncReport) -> None:
    drift = report.drift
    rows = (
        ("in both", drift.in_both, ""),
        ("only at SES", drift.only_there, "only_there"),
        ("removed here, still at SES", drift.freed_here, "freed_here"),
        ("only here", drift.only_here, "only_here"),
        ("freed at SES, still here", drift.freed_there, "freed_there"),
        ("not for SES", drift.kept_here, "kept_here"),
    )
    shown = [
        (name, f"{count:,}", ", ".join(drift.examples.get(side, ())[:3]))
        for name, count, side in rows
    ]
    write_table([("DRIFT", "ADDRESSES", "SUCH AS"), *shown])
    if not report.dry_run:
        write_line(
            f"here: {report.added_here:,} added, {report.removed_here:,} removed;"
            f" at SES: {report.added_there:,} added, {report.removed_there:,} removed"
        )
