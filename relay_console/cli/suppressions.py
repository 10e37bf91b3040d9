"""``relay-console suppressions``: whom no mail is sent to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backend import EVERY_TENANT, SuppressionKind, SuppressionReason, SuppressionState
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
from relay_console.cli.suppression_options import (
    filter_options,
    query_of,
    scope_options,
    tenant_of,
    until,
)
from relay_console.safe import safe

if TYPE_CHECKING:
    from datetime import datetime

    from backend import Suppression

PAGE = 500


@click.group()
def suppressions() -> None:
    """Keep mail from addresses and domains.

    An entry names name@example.com, example.com or *.example.com (its subdomains), on the list
    of one tenant or on that of every tenant. Hard bounces and complaints come by themselves.
    """


@suppressions.command("list")
@filter_options
@click.option("--limit", type=click.IntRange(0), default=100, show_default=True, help="0 for all.")
@database_option
@json_option
@pass_common
def list_(common: Common, /, limit: int, as_json: bool, **wanted: str | None) -> None:
    """List entries, newest first; with --json one object a line."""

    async def work() -> None:
        async with opened(common) as backend:
            query = await query_of(backend, wanted)
            shown, last = 0, ""
            while not limit or shown < limit:
                size = PAGE if not limit else min(PAGE, limit - shown)
                page = await backend.suppression_desk.older(query, last, size)
                if not page:
                    break
                _write_page(page, as_json, first=not shown)
                shown, last = shown + len(page), page[-1].id
            total = shown if as_json else await backend.suppression_desk.count(query)
        if total > shown:
            click.echo(f"{shown:,} of {total:,} entries; --limit 0 lists all", err=True)

    run(work())


@suppressions.command()
@click.argument("addresses", metavar="ADDRESS|DOMAIN...", nargs=-1, required=True)
@scope_options
@click.option("--note", default="", metavar="TEXT", help="Why, for those who come after you.")
@click.option(
    "--reason",
    type=click.Choice([reason.value for reason in SuppressionReason]),
    default="manual",
    show_default=True,
)
@click.option("--expires", type=click.DateTime(), help="When it ends, in UTC.")
@click.option("--days", type=click.IntRange(1, 3650), help="How many days it holds.")
@database_option
@json_option
@pass_common
def add(
    common: Common,
    addresses: tuple[str, ...],
    tenant: str | None,
    everywhere: bool,
    note: str,
    reason: str,
    expires: datetime | None,
    days: int | None,
    as_json: bool,
) -> None:
    """Suppress addresses or domains, all of them or, when one is wrong, none.

    What is on the list already stays as it is, but an entry that ends sooner gives way.
    """
    from backend import SuppressionWish

    ends = until(expires, days)

    async def work() -> list[Suppression]:
        async with opened(common) as backend:
            tenant_id = await tenant_of(backend, tenant, everywhere=everywhere)
            wishes = [
                SuppressionWish(
                    address=address,
                    tenant_id=tenant_id,
                    reason=SuppressionReason(reason),
                    note=note,
                    expires_at=ends,
                )
                for address in addresses
            ]
            return await backend.suppression_desk.add_many(wishes, actor=actor())

    _write(run(work()), as_json)


@suppressions.command()
@click.argument("names", metavar="ADDRESS|DOMAIN|ID...", nargs=-1, required=True)
@scope_options
@database_option
@json_option
@pass_common
def remove(
    common: Common, names: tuple[str, ...], tenant: str | None, everywhere: bool, as_json: bool
) -> None:
    """Take entries off the list; a running server or console then frees them at SES too.

    Tells when mail is kept back nevertheless: by another entry, or by SES for another tenant.
    Stops at the first that is not on the list; what was removed before it stays removed.
    """

    async def work() -> None:
        async with opened(common) as backend:
            for name in names:
                by_id = name.startswith("sup_")
                whose = None if by_id else await tenant_of(backend, tenant, everywhere=everywhere)
                entry = await backend.suppression_desk.find(name, whose)
                removed = await backend.suppression_desk.remove(entry.id, actor=actor())
                _write([removed], as_json)
                if left := await backend.suppression_desk.still_held(removed):
                    click.echo(safe(f"{removed.address}: {left}"), err=True)

    run(work())


@suppressions.command()
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@click.option("--tenant", metavar="ID|NAME", help="Whose mail; without it only what holds for all.")
@database_option
@json_option
@pass_common
def check(common: Common, addresses: tuple[str, ...], tenant: str | None, as_json: bool) -> None:
    """Tell whether mail to ADDRESS would be sent, and if not, which entry keeps it back."""

    async def work() -> dict[str, Suppression]:
        async with opened(common) as backend:
            tenant_id = EVERY_TENANT
            if tenant is not None:
                tenant_id = await tenant_of(backend, tenant, everywhere=False)
            return await backend.suppression_desk.check(addresses, tenant_id)

    held = run(work())
    found = {address: held.get(address) for address in addresses}
    for address, entry in found.items():
        if as_json:
            write_json({"address": address, "suppressed": entry is not None, "entry": entry})
        elif entry is None:
            write_line(address, "is free")
        else:
            write_line(address, "is suppressed:", *_why(entry))


@suppressions.group(invoke_without_command=True)
@database_option
@json_option
@pass_common
@click.pass_context
def review(context: click.Context, common: Common, as_json: bool) -> None:
    """Decide on complaints that name several recipients; without a command, list them.

    A provider hides who complained: SES then names everyone there who got the mail.
    """
    if context.invoked_subcommand is not None:
        return

    async def work() -> list[Suppression]:
        from backend import SuppressionQuery

        async with opened(common) as backend:
            query = SuppressionQuery(state=SuppressionState.REVIEW)
            return await backend.suppression_desk.older(query, "", PAGE)

    _write_page(run(work()), as_json, first=True)


@review.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@database_option
@json_option
@pass_common
def accept(common: Common, ids: tuple[str, ...], as_json: bool) -> None:
    """Suppress what waits for review."""
    _decide(common, ids, as_json, "accept")


@review.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@database_option
@json_option
@pass_common
def dismiss(common: Common, ids: tuple[str, ...], as_json: bool) -> None:
    """Drop what waits for review: it was another who complained."""
    _decide(common, ids, as_json, "dismiss")


def _decide(common: Common, ids: tuple[str, ...], as_json: bool, what: str) -> None:
    async def work() -> None:
        async with opened(common) as backend:
            desk = backend.suppression_desk
            act = desk.accept if what == "accept" else desk.dismiss
            for entry_id in ids:
                _write([await act(entry_id, actor=actor())], as_json)

    run(work())


def _write(entries: list[Suppression], as_json: bool) -> None:
    for entry in entries:
        write_json(entry) if as_json else write_line(entry.id, *_why(entry))


def _why(entry: Suppression) -> tuple[str, ...]:
    whose = f"for {entry.tenant_id}" if entry.tenant_id else "for every tenant"
    ends = f"until {moment(entry.expires_at)}" if entry.expires_at else ""
    what = "" if entry.kind is SuppressionKind.ADDRESS else "as a domain"
    said = entry.detail or entry.note
    return (
        entry.address,
        what,
        f"{entry.reason} since {moment(entry.created_at)}",
        whose,
        ends,
        said,
    )


def _write_page(page: list[Suppression], as_json: bool, *, first: bool) -> None:
    if as_json:
        for entry in page:
            write_json(entry)
        return
    head = (
        [("ID", "ADDRESS", "REASON", "TENANT", "SINCE", "UNTIL", "BY", "DETAIL")] if first else []
    )
    if head or page:
        write_table([*head, *map(_row, page)])


def _row(entry: Suppression) -> tuple[str, ...]:
    return (
        entry.id,
        entry.address,
        entry.reason,
        entry.tenant_id or "every",
        moment(entry.created_at),
        moment(entry.expires_at) or "-",
        entry.created_by or "relay",
        entry.detail or entry.note,
    )


def _join_files() -> None:
    from relay_console.cli import suppression_files as files

    for command in (files.import_, files.imports, files.undo, files.export, files.sync):
        suppressions.add_command(command)


_join_files()
