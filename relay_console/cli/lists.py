"""``relay-console lists``: senders whose mail is quarantined, and senders who are trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backend import ListKind
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
from relay_console.cli.tenants import find_tenant

if TYPE_CHECKING:
    from datetime import datetime

    from backend import Backend, ListEntry


@click.group()
def lists() -> None:
    """Block senders, or trust them.

    A sender is name@example.com, example.com or *.example.com (its subdomains). An address beats
    a domain and a longer domain a shorter one. A blocked sender's mail is quarantined, never
    dropped; a trusted sender's mail passes the spam and authentication checks, but not those for
    viruses, unsafe attachments and loops.
    """


tenant_option = click.option(
    "--tenant", metavar="ID|NAME", help="Whose list; without it the list of every tenant."
)


def _list_command(kind: ListKind, help_: str) -> click.Group:
    group = click.Group(kind.value, help=help_)
    for command in (_add(kind), _remove(kind), _show(kind)):
        group.add_command(command)
    return group


def _add(kind: ListKind) -> click.Command:
    @click.command("add", help="Put SENDER on the list; a known one gets the new note and end.")
    @click.argument("sender")
    @tenant_option
    @click.option("--note", default="", metavar="TEXT", help="Why, for those who come after you.")
    @click.option("--expires", type=click.DateTime(), help="When it ends, in UTC.")
    @click.option("--days", type=click.IntRange(1, 3650), help="How many days it holds.")
    @database_option
    @json_option
    @pass_common
    def add(
        common: Common,
        sender: str,
        tenant: str | None,
        note: str,
        expires: datetime | None,
        days: int | None,
        as_json: bool,
    ) -> None:
        from backend import ListWish

        until = _until(expires, days)

        async def work() -> ListEntry:
            async with opened(common) as backend:
                wish = ListWish(
                    kind=kind,
                    pattern=sender,
                    tenant_id=await _tenant_id(backend, tenant),
                    note=note,
                    expires_at=until,
                )
                return await backend.screening.add(wish, actor=actor())

        _write(run(work()), as_json)

    return add


def _remove(kind: ListKind) -> click.Command:
    @click.command("remove", help="Take SENDER, or the entry with that id, off the list.")
    @click.argument("sender", metavar="SENDER|ID")
    @tenant_option
    @database_option
    @json_option
    @pass_common
    def remove(common: Common, sender: str, tenant: str | None, as_json: bool) -> None:
        async def work() -> ListEntry:
            async with opened(common) as backend:
                tenant_id = await _tenant_id(backend, tenant)
                return await backend.screening.remove(
                    kind, sender, tenant_id=tenant_id, actor=actor()
                )

        _write(run(work()), as_json)

    return remove


def _show(kind: ListKind) -> click.Command:
    @click.command("list", help="Write the list by sender; with --json one object a line.")
    @click.option("--tenant", metavar="ID|NAME", help="Only this tenant's; without it all entries.")
    @database_option
    @json_option
    @pass_common
    def show(common: Common, tenant: str | None, as_json: bool) -> None:
        async def work() -> list[ListEntry]:
            async with opened(common) as backend:
                tenant_id = None if tenant is None else await _tenant_id(backend, tenant)
                return list(await backend.screening.entries(kind, tenant_id))

        found = run(work())
        if as_json:
            for entry in found:
                write_json(entry)
            return
        write_table([("ID", "SENDER", "TENANT", "UNTIL", "BY", "NOTE"), *map(_row, found)])

    return show


async def _tenant_id(backend: Backend, tenant: str | None) -> str:
    return "" if tenant is None else (await find_tenant(backend, tenant)).id


def _until(expires: datetime | None, days: int | None) -> datetime | None:
    from datetime import UTC, timedelta

    from backend import SystemClock

    if expires is not None and days is not None:
        raise click.UsageError("give --expires or --days, not both")
    if days is not None:
        return SystemClock().now() + timedelta(days=days)
    return expires.replace(tzinfo=UTC) if expires else None


def _write(entry: ListEntry, as_json: bool) -> None:
    write_json(entry) if as_json else write_line(entry.id, entry.kind, entry.pattern)


def _row(entry: ListEntry) -> tuple[str, ...]:
    whose = entry.tenant_id or "every"
    until = moment(entry.expires_at) or "-"
    return (entry.id, entry.pattern, whose, until, entry.created_by, entry.note)


lists.add_command(_list_command(ListKind.BLOCK, "Senders whose mail is quarantined."))
lists.add_command(_list_command(ListKind.ALLOW, "Senders who pass spam and authentication checks."))
