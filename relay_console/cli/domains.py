"""``relay-console domains``: the sending and receiving domains of tenants."""

from __future__ import annotations

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
from relay_console.cli.output import write_json, write_line, write_table
from relay_console.cli.tenants import find_tenant

if TYPE_CHECKING:
    from backend import DomainDetail


@click.group()
def domains() -> None:
    """Add and list domains with the DNS records they need."""


@domains.command("add")
@click.argument("name")
@click.option("--tenant", metavar="ID|NAME", help="Whose domain; not needed with one tenant.")
@click.option("--inbound", is_flag=True, help="Receive mail at this domain as well.")
@database_option
@json_option
@pass_common
def add(common: Common, name: str, tenant: str | None, inbound: bool, as_json: bool) -> None:
    """Register the domain NAME at SES and write the records to publish."""

    async def work() -> None:
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            detail = await backend.add_domain(
                owner.id, name, inbound_enabled=inbound, actor=actor()
            )
        write_json(detail) if as_json else _write_domain(detail)

    run(work())


@domains.command("list")
@database_option
@json_option
@pass_common
def list_(common: Common, as_json: bool) -> None:
    """List the domains by name; with --json one object a line."""

    async def work() -> None:
        async with opened(common) as backend:
            found = await backend.domains()
        if not as_json:
            write_table([("DOMAIN", "STATUS", "INBOUND", "TENANT"), *map(_row, found)])
            return
        for detail in found:
            write_json(detail)

    run(work())


def _row(detail: DomainDetail) -> tuple[str, str, str, str]:
    domain = detail.domain
    return (
        domain.name,
        domain.status,
        "yes" if domain.inbound_enabled else "no",
        detail.tenant_name,
    )


def _write_domain(detail: DomainDetail) -> None:
    write_line(detail.domain.name, f"is {detail.domain.status}: {detail.domain.status.sentence}")
    rows = [(r.purpose, r.type, r.name, r.priority or "", r.value) for r in detail.records]
    write_table([("PURPOSE", "TYPE", "NAME", "PRIORITY", "VALUE"), *rows], widest=80)
