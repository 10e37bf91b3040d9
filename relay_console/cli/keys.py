"""``relay-console keys``: the API keys of a tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backend import Scope
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

    from backend import ApiKey


@click.group()
def keys() -> None:
    """Create and list API keys."""


@keys.command("create")
@click.argument("name")
@click.option("--tenant", metavar="ID|NAME", help="Whose key; not needed with one tenant.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=["send"],
    show_default=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What the key may do; may be repeated.",
)
@click.option("--expires", type=click.DateTime(), help="When it ends, in UTC; never without it.")
@database_option
@json_option
@pass_common
def create(
    common: Common,
    name: str,
    tenant: str | None,
    scopes: tuple[str, ...],
    expires: datetime | None,
    as_json: bool,
) -> None:
    """Create a key called NAME and write its secret, which is never shown again."""
    from datetime import UTC

    until = expires.replace(tzinfo=UTC) if expires else None

    async def work() -> None:
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            issued = await backend.issue_key(
                owner.id, name, frozenset(map(Scope, scopes)), actor=actor(), expires_at=until
            )
        if as_json:
            write_json({"secret": issued.secret, "key": issued.key})
            return
        write_line(issued.secret)
        click.echo("Keep it now: it is not shown again.", err=True)

    run(work())


@keys.command("list")
@click.option("--tenant", metavar="ID|NAME", help="Whose keys; not needed with one tenant.")
@database_option
@json_option
@pass_common
def list_(common: Common, tenant: str | None, as_json: bool) -> None:
    """List the keys of a tenant; with --json one object a line."""

    async def work() -> None:
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            found = await backend.keys(owner.id)
        if not as_json:
            write_table([("ID", "ENDS IN", "UNTIL", "SCOPES", "NAME"), *map(_row, found)])
            return
        for key in found:
            write_json(key)

    run(work())


def _row(key: ApiKey) -> tuple[str, str, str, str, str]:
    until = "revoked" if key.revoked_at else moment(key.expires_at)
    return (key.id, key.last4, until, ",".join(sorted(key.scopes)), key.name)
