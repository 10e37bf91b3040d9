"""The options that the commands of suppression share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from backend import EVERY_TENANT, SuppressionKind, SuppressionQuery, SuppressionReason
from relay_console.cli.tenants import find_tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from backend import Backend

Command = TypeVar("Command", bound="Callable[..., Any]")


def scope_options(command: Command) -> Command:
    """Add ``--tenant`` and ``--global``: whose list."""
    options = (
        click.option("--tenant", metavar="ID|NAME", help="Whose list."),
        click.option("--global", "everywhere", is_flag=True, help="The list of every tenant."),
    )
    for option in options:
        command = option(command)
    return command


def filter_options(command: Command) -> Command:
    """Add the options that choose entries."""
    options = (
        click.option("--tenant", metavar="ID|NAME", help="Only the list of this tenant."),
        click.option("--global", "everywhere", is_flag=True, help="Only what holds for all."),
        click.option("--reason", type=click.Choice([one.value for one in SuppressionReason])),
        click.option("--kind", type=click.Choice([one.value for one in SuppressionKind])),
        click.option("--import", "import_id", metavar="ID", help="What this import has brought."),
        click.option("--live", is_flag=True, help="Without what has expired."),
        click.option("--search", default="", metavar="TEXT", help="Part of the address."),
    )
    for option in options:
        command = option(command)
    return command


async def query_of(backend: Backend, wanted: Mapping[str, Any]) -> SuppressionQuery:
    """Give the query of the options; raises NotFoundError for an unknown tenant."""
    from backend import SystemClock

    tenant_id = None
    if wanted["tenant"] is not None or wanted["everywhere"]:
        tenant_id = await tenant_of(backend, wanted["tenant"], everywhere=wanted["everywhere"])
    return SuppressionQuery(
        tenant_id=tenant_id,
        text=wanted["search"],
        reason=SuppressionReason(wanted["reason"]) if wanted["reason"] else None,
        kind=SuppressionKind(wanted["kind"]) if wanted["kind"] else None,
        import_id=wanted["import_id"] or "",
        live_at=SystemClock().now() if wanted["live"] else None,
    )


async def tenant_of(backend: Backend, tenant: str | None, *, everywhere: bool) -> str:
    """Give whose list is meant; without either option that of the only tenant there is."""
    if everywhere:
        if tenant is not None:
            raise click.UsageError("give --tenant or --global, not both")
        return EVERY_TENANT
    return (await find_tenant(backend, tenant)).id


def until(expires: datetime | None, days: int | None) -> datetime | None:
    """Give when an entry ends, None when it stays."""
    from datetime import UTC, timedelta

    from backend import SystemClock

    if expires is not None and days is not None:
        raise click.UsageError("give --expires or --days, not both")
    if days is not None:
        return SystemClock().now() + timedelta(days=days)
    return expires.replace(tzinfo=UTC) if expires else None
