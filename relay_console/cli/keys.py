"""``relay-console keys``: the API keys of a tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backend import KeyWish, Scope
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

    from backend import ApiKey, IssuedKey


@click.group()
def keys() -> None:
    """Create, list, rotate and revoke API keys."""


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
@click.option(
    "--domain", "domains", multiple=True, metavar="NAME", help="Send from this only; repeatable."
)
@click.option(
    "--any-tenant", is_flag=True, help="May act for other tenants, named by X-Relay-Tenant."
)
@database_option
@json_option
@pass_common
def create(
    common: Common,
    *,
    name: str,
    tenant: str | None,
    scopes: tuple[str, ...],
    expires: datetime | None,
    domains: tuple[str, ...],
    any_tenant: bool,
    as_json: bool,
) -> None:
    """Create a key called NAME and write its secret, which is never shown again."""
    from datetime import UTC

    until = expires.replace(tzinfo=UTC) if expires else None

    async def work() -> None:
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            wish = KeyWish(
                tenant_id=owner.id,
                name=name,
                scopes=frozenset(map(Scope, scopes)),
                expires_at=until,
                domains=frozenset(one.lower() for one in domains),
                any_tenant=any_tenant,
            )
            _write_issued(await backend.access.issue(wish, actor=actor()), as_json)

    run(work())


@keys.command("rotate")
@click.argument("key_id", metavar="KEY")
@click.option(
    "--overlap",
    type=click.FloatRange(0, 720),
    default=24,
    show_default=True,
    metavar="HOURS",
    help="How long the old key stays good.",
)
@database_option
@json_option
@pass_common
def rotate(common: Common, key_id: str, overlap: float, as_json: bool) -> None:
    """Make a successor of KEY with the same rights and write its secret."""
    from datetime import timedelta

    async def work() -> None:
        async with opened(common) as backend:
            issued = await backend.access.rotate(
                key_id, actor=actor(), overlap=timedelta(hours=overlap)
            )
            _write_issued(issued, as_json)

    run(work())


@keys.command("revoke")
@click.argument("key_id", metavar="KEY")
@database_option
@json_option
@pass_common
def revoke(common: Common, key_id: str, as_json: bool) -> None:
    """End the life of KEY now; what it sent stays in the log."""

    async def work() -> None:
        async with opened(common) as backend:
            key = await backend.access.revoke(key_id, actor=actor())
        write_json(key) if as_json else write_line(key.id, f"{key.name} is revoked")

    run(work())


def _write_issued(issued: IssuedKey, as_json: bool) -> None:
    if as_json:
        write_json({"secret": issued.secret, "key": issued.key})
        return
    write_line(issued.secret)
    click.echo("Keep it now: it is not shown again.", err=True)


@keys.command("list")
@click.option("--tenant", metavar="ID|NAME", help="Whose keys; not needed with one tenant.")
@click.option(
    "--expiring",
    type=click.IntRange(1, 3650),
    metavar="DAYS",
    help="Only live keys that end within so many days and have no successor.",
)
@database_option
@json_option
@pass_common
def list_(common: Common, tenant: str | None, expiring: int | None, as_json: bool) -> None:
    """List the keys of a tenant; with --json one object a line."""
    from datetime import timedelta

    async def work() -> None:
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            if expiring is None:
                found = await backend.keys(owner.id)
            else:
                found = await backend.access.ending(timedelta(days=expiring), owner.id)
        if not as_json:
            write_table(
                [("ID", "ENDS IN", "UNTIL", "LAST USED", "SCOPES", "NAME"), *map(_row, found)]
            )
            return
        for key in found:
            write_json(key)

    run(work())


def _row(key: ApiKey) -> tuple[str, ...]:
    until = "revoked" if key.revoked_at else moment(key.expires_at)
    return (key.id, key.last4, until, moment(key.last_used_at), _rights(key), key.name)


def _rights(key: ApiKey) -> str:
    scopes = ",".join(sorted(key.scopes))
    where = f" from {','.join(sorted(key.domains))}" if key.domains else ""
    return f"{scopes}{where}{' any tenant' if key.any_tenant else ''}"
