"""``relay-console retention``: delete received mail that is kept no longer, or tell what is."""

from __future__ import annotations

import sys
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
    from backend import RetentionReport

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


@click.command()
@click.option("--dry-run", is_flag=True, help="Tell what would go; delete nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not show what would go and ask.")
@database_option
@json_option
@pass_common
def retention(common: Common, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Delete received mail that is kept no longer; a running server does so every hour.

    How long each state is kept, and how much raw mail may be stored, are settings (RETENTION_...
    in docs/configuration.md). Mail that is on its way is never touched. What is deleted cannot be
    brought back.
    """

    async def work() -> RetentionReport | None:
        async with opened(common) as backend:
            asks = not (dry_run or yes or as_json) and sys.stdin.isatty()
            if dry_run or asks:
                plan = await backend.retention.plan()
                if dry_run:
                    return plan
                _write(plan)
                if not plan.messages or not click.confirm("Delete this for good?", default=False):
                    return None
            return await backend.retention.delete(actor=actor())

    report = run(work())
    if report is not None:
        write_json(_as_json(report)) if as_json else _write(report)


def _as_json(report: RetentionReport) -> dict[str, object]:
    return {
        "dry_run": report.dry,
        "at": report.at,
        "messages": report.messages,
        "gone": report.gone,
        "stored_bytes": report.stored,
        "limit_bytes": report.limit,
        "too_large": report.too_large,
        "raw_deleted": report.raw_deleted,
        "raw_waiting": report.raw_waiting,
        "files_deleted": report.files_deleted,
        "answers": report.answers,
        "jobs": report.jobs,
        "work_items": report.work_items,
        "marks": report.marks,
    }


def _write(report: RetentionReport) -> None:
    rows = [
        (one.status, one.cause, f"{one.messages:,}", _size(one.size), moment(one.oldest))
        for one in report.gone
    ]
    if rows:
        write_table([("STATE", "BY", "MESSAGES", "RAW MAIL", "OLDEST"), *rows])
    verb = "would go" if report.dry else "are gone"
    limit = f" of {_size(report.limit)} allowed" if report.limit else ""
    write_line(f"{report.messages:,} messages {verb}; {_size(report.stored)}{limit} stay")
    if report.too_large:
        write_line("More stays than is allowed: the rest is held, unrouted, failed or on its way.")
    if report.files_deleted:
        write_line(f"{report.files_deleted:,} linked attachments whose time was up are gone.")
    if report.raw_waiting:
        write_line(
            f"{report.raw_waiting:,} raw messages could not be deleted yet; the next run will."
        )


def _size(count: int) -> str:
    """Write bytes with the unit that keeps them short."""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:,.1f} {_UNITS[unit]}" if unit else f"{count} bytes"
