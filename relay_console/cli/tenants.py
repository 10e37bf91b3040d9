"""``relay-console tenants``: the clients of the MSP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backend import NotFoundError
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
    from backend import Backend, Tenant


@click.group()
def tenants() -> None:
    """Add and list tenants."""


@tenants.command("add")
@click.argument("name")
@database_option
@json_option
@pass_common
def add(common: Common, name: str, as_json: bool) -> None:
    """Add a tenant called NAME and write its id."""

    async def work() -> None:
        async with opened(common) as backend:
            tenant = await backend.add_tenant(name, actor=actor())
        write_json(tenant) if as_json else write_line(tenant.id, tenant.name)

    run(work())


@tenants.command("list")
@database_option
@json_option
@pass_common
def list_(common: Common, as_json: bool) -> None:
    """List the tenants by name; with --json one object a line."""

    async def work() -> None:
        async with opened(common) as backend:
            found = await backend.tenants()
        if not as_json:
            rows = [(tenant.id, moment(tenant.created_at), tenant.name) for tenant in found]
            write_table([("ID", "SINCE", "NAME"), *rows])
            return
        for tenant in found:
            write_json(tenant)

    run(work())


async def find_tenant(backend: Backend, given: str | None) -> Tenant:
    """Find a tenant by id or name; without either, the only one there is; raises NotFoundError."""
    known = await backend.tenants()
    if not known:
        raise NotFoundError("there is no tenant yet; `relay-console tenants add NAME` adds one")
    if given is None and len(known) == 1:
        return known[0]
    for tenant in known:
        if given in (tenant.id, tenant.name):
            return tenant
    if given is None:
        raise NotFoundError("say which tenant with --tenant; `relay-console tenants list` has them")
    raise NotFoundError(f"no tenant is called {given!r}; `relay-console tenants list` has them")
