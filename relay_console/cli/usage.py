"""``relay-console usage``: what is billed, by tenant, day and kind."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import click

from backend import UsageKind
from relay_console.cli.exits import Exit
from relay_console.cli.opening import (
    Common,
    database_option,
    json_option,
    opened,
    pass_common,
    run,
)
from relay_console.cli.output import write_json, write_table
from relay_console.cli.tenants import find_tenant
from relay_console.safe import safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backend import UsageDay, UsageReport

HEAD = ("day", "tenant_id", "tenant", *(kind.value for kind in UsageKind), "revision", "posted")


@click.command()
@click.option("--month", metavar="YYYY-MM", help="Which month, in UTC; without it the present one.")
@click.option("--tenant", metavar="ID|NAME", help="Only this tenant's; without it all.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV, safe to open in a spreadsheet.")
@click.option("--post", is_flag=True, help="Tell Books first what it does not know.")
@database_option
@json_option
@pass_common
def usage(
    common: Common,
    month: str | None,
    tenant: str | None,
    as_csv: bool,
    post: bool,
    as_json: bool,
) -> None:
    """Count what is billed: each tenant's days in UTC, and what Books has of them.

    With --json one object a line. REVISION is the last statement Books took; POSTED tells whether
    it has these very numbers. With --post it exits 1 when Books took nothing, 8 when only some.
    """
    from backend import SystemClock, month_of

    query = month_of(month or SystemClock().now().strftime("%Y-%m"))

    async def work() -> tuple[Sequence[UsageDay], Mapping[str, str], UsageReport | None]:
        from dataclasses import replace

        async with opened(common) as backend:
            report = await backend.usage.post() if post else None
            owner = None if tenant is None else (await find_tenant(backend, tenant)).id
            days = await backend.usage.days(replace(query, tenant_id=owner))
            return days, {one.id: one.name for one in await backend.tenants()}, report

    days, names, report = run(work())
    if as_csv:
        _write_csv(days, names)
    elif as_json:
        for one in days:
            write_json(dict(zip(HEAD, _row(one, names), strict=True)))
    else:
        rows = [_row(one, names) for one in days]
        write_table([tuple(name.upper() for name in HEAD), *rows])
    if report is not None:
        _say(report)


def _say(report: UsageReport) -> None:
    """Tell what Books took; some refused ends with PARTLY, all with FAILED."""
    click.echo(f"Books took {report.taken}", err=True)
    for key, reason in report.refused.items():
        click.echo(safe(f"not taken: {key}: {reason}"), err=True)
    if report.refused:
        raise click.exceptions.Exit(Exit.PARTLY if report.taken else Exit.FAILED)


def _row(one: UsageDay, names: Mapping[str, str]) -> tuple[object, ...]:
    counts = (one.counts.get(kind, 0) for kind in UsageKind)
    name = names.get(one.tenant_id, "")
    return (one.day.isoformat(), one.tenant_id, name, *counts, one.revision, one.posted)


def _write_csv(days: Sequence[UsageDay], names: Mapping[str, str]) -> None:
    text = io.StringIO()
    table = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    table.writerow(HEAD)
    table.writerows([[_cell(value) for value in _row(one, names)] for one in days])
    click.echo(text.getvalue(), nl=False)


def _cell(value: object) -> str:
    """Give a cell that no spreadsheet takes for a formula (CWE-1236)."""
    text = str(value)
    return f"'{text}" if text.lstrip()[:1] in set("=+-@") and text else text
