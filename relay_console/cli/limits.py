"""``relay-console limits``: how much tenants and keys may hand in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backend import read_limits, write_limits
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
    from backend import LimitState


@click.group()
def limits() -> None:
    """Show and set the rate limits of a tenant and its keys."""


@limits.command("show")
@click.option("--tenant", metavar="ID|NAME", help="Whose limits; not needed with one tenant.")
@database_option
@json_option
@pass_common
def show(common: Common, tenant: str | None, as_json: bool) -> None:
    """Show what holds and what is used; with --json one object a line.

    The first line is the tenant's, the others are of keys that have sent or have limits of their
    own. RELAY_SEND_LIMITS holds where nothing is set.
    """

    async def work() -> None:
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            found = await backend.limits.show(owner.id)
        if not as_json:
            write_table([("OF", "SECOND", "MINUTE", "HOUR", "DAY", "SET"), *map(_row, found)])
            return
        for state in found:
            write_json(state)

    run(work())


@limits.command("set")
@click.argument("given", metavar="LIMITS")
@click.option("--tenant", metavar="ID|NAME", help="Whose limits; not needed with one tenant.")
@click.option("--key", "key_id", default="", metavar="ID", help="Of this API key alone.")
@database_option
@json_option
@pass_common
def set_(common: Common, given: str, tenant: str | None, key_id: str, as_json: bool) -> None:
    """Set LIMITS, such as "20/s 500/min 5000/h 90000/day", or "none" for none of its own.

    A window left out follows the level above: a key its tenant, a tenant RELAY_SEND_LIMITS. What
    has been used already stays counted.
    """
    own = read_limits(given)

    async def work() -> None:
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            state = await backend.limits.set(owner.id, own, actor=actor(), key_id=key_id)
        if as_json:
            write_json(state)
        else:
            write_line(state.key_id or state.tenant_id, write_limits(state.holds))

    run(work())


def _row(state: LimitState) -> tuple[str, ...]:
    cells = [f"{used}/{state.holds.of(window) or '-'}" for window, used in state.used.items()]
    return (state.key_id or "tenant", *cells, write_limits(state.own))
