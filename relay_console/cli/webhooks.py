"""``relay-console webhooks``: who is told of events, and what became of each telling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backend import (
    DeliveryState,
    EndpointChange,
    EndpointWish,
    WebhookStyle,
)
from relay_console.cli.exits import Exit
from relay_console.cli.opening import (
    Common,
    actor,
    database_option,
    json_option,
    opened,
    pass_common,
    run,
)
from relay_console.cli.output import (
    moment,
    write_json,
    write_line,
    write_pairs,
    write_table,
    write_text,
)
from relay_console.cli.tenants import find_tenant
from relay_console.cli.webhook_deliveries import deliveries, replay

if TYPE_CHECKING:
    from backend import Endpoint, NewSecret, WebhookDelivery

KEEP = "Keep it now: it is not shown again."
events_option = click.option(
    "--event",
    "events",
    multiple=True,
    metavar="TYPE",
    help="relay.email.bounced or relay.email.*; may be repeated; without it all.",
)


@click.group()
def webhooks() -> None:
    """Tell others of events over HTTP, signed; see docs/webhooks.md."""


webhooks.add_command(deliveries)
webhooks.add_command(replay)


@webhooks.command("list")
@click.option("--tenant", metavar="ID|NAME", help="Only this tenant's; without it all.")
@database_option
@json_option
@pass_common
def list_(common: Common, tenant: str | None, as_json: bool) -> None:
    """List the endpoints and how each fares; with --json one object a line."""

    async def work() -> None:
        async with opened(common) as backend:
            tenant_id = None if tenant is None else (await find_tenant(backend, tenant)).id
            found = await backend.webhooks.endpoints(tenant_id)
            backlog = await backend.webhooks.backlog(tenant_id)
        rows = []
        for one in found:
            mine = backlog.get(one.id, {})
            pending, dead = mine.get(DeliveryState.PENDING, 0), mine.get(DeliveryState.DEAD, 0)
            if as_json:
                write_json(_as_json(one) | {"pending": pending, "dead": dead})
            rows.append((one.id, one.tenant_id, pending, dead, one.url, state_of(one)))
        if not as_json:
            write_table([("ID", "TENANT", "WAITING", "DEAD", "URL", "STATE"), *rows])

    run(work())


def state_of(one: Endpoint) -> str:
    """Say in a few words how an endpoint fares, the worst first."""
    if not one.enabled:
        return f"OFF: {one.disabled_reason}"
    if one.failing_since:
        since, said = moment(one.failing_since), one.last_error
        return f"FAILING since {since}, {one.failures} in a row: {said}"
    return f"ok, last at {moment(one.last_ok_at)}" if one.last_ok_at else "nothing posted yet"


@webhooks.command("add")
@click.argument("url")
@events_option
@click.option("--tenant", metavar="ID|NAME", help="Whose events; not needed with one tenant.")
@click.option(
    "--style",
    type=click.Choice([style.value for style in WebhookStyle]),
    default=WebhookStyle.RELAY.value,
    show_default=True,
    help="Whose names for events.",
)
@click.option("--description", default="", metavar="TEXT", help="What it is for.")
@database_option
@json_option
@pass_common
def add(
    common: Common,
    url: str,
    events: tuple[str, ...],
    tenant: str | None,
    style: str,
    description: str,
    as_json: bool,
) -> None:
    """Have events posted to URL, and write the secret that signs them, which is not shown again."""

    async def work() -> NewSecret:
        async with opened(common) as backend:
            wish = EndpointWish(
                tenant_id=(await find_tenant(backend, tenant)).id,
                url=url,
                style=WebhookStyle(style),
                events=events,
                description=description,
            )
            return await backend.webhooks.create(wish, actor=actor())

    _write_secret(run(work()), as_json=as_json)


@webhooks.command("show")
@click.argument("webhook", metavar="ID")
@database_option
@json_option
@pass_common
def show(common: Common, webhook: str, as_json: bool) -> None:
    """Show the endpoint ID."""

    async def work() -> Endpoint:
        async with opened(common) as backend:
            return await backend.webhooks.endpoint(webhook)

    one = run(work())
    if as_json:
        write_json(_as_json(one))
        return
    write_pairs(
        (
            ("id", one.id),
            ("url", one.url),
            ("state", state_of(one)),
            ("events", ", ".join(one.events) or "all"),
            ("style", one.style),
            ("tenant", one.tenant_id),
            ("about", one.description),
            ("since", moment(one.created_at)),
            ("old key to", moment(one.previous_secret_until)),
        )
    )


@webhooks.command("update")
@click.argument("webhook", metavar="ID")
@click.option("--url", metavar="URL", help="Post there from now on.")
@events_option
@click.option("--all-events", is_flag=True, help="Tell it everything.")
@click.option("--description", metavar="TEXT", help="What it is for.")
@click.option("--enable/--disable", "enabled", default=None, help="Switch it on or off.")
@database_option
@json_option
@pass_common
def update(
    common: Common,
    webhook: str,
    url: str | None,
    events: tuple[str, ...],
    all_events: bool,
    description: str | None,
    enabled: bool | None,
    as_json: bool,
) -> None:
    """Change the endpoint ID; what is not named stays."""
    if events and all_events:
        raise click.UsageError("give --event or --all-events, not both")
    wanted = EndpointChange(
        url=url,
        events=() if all_events else events or None,
        description=description,
        enabled=enabled,
    )

    async def work() -> Endpoint:
        async with opened(common) as backend:
            return await backend.webhooks.update(webhook, wanted, actor=actor())

    one = run(work())
    write_json(_as_json(one)) if as_json else write_line(one.id, state_of(one))


@webhooks.command("rotate")
@click.argument("webhook", metavar="ID")
@click.option(
    "--overlap-hours",
    type=click.FloatRange(0, 720),
    default=24,
    show_default=True,
    help="How long the old secret signs beside the new one.",
)
@database_option
@json_option
@pass_common
def rotate(common: Common, webhook: str, overlap_hours: float, as_json: bool) -> None:
    """Give the endpoint ID a new secret and write it; it is not shown again."""
    from datetime import timedelta

    async def work() -> NewSecret:
        async with opened(common) as backend:
            overlap = timedelta(hours=overlap_hours)
            return await backend.webhooks.rotate(webhook, actor=actor(), overlap=overlap)

    _write_secret(run(work()), as_json=as_json)


@webhooks.command("remove")
@click.argument("webhook", metavar="ID")
@database_option
@json_option
@pass_common
def remove(common: Common, webhook: str, as_json: bool) -> None:
    """Remove the endpoint ID with all its deliveries."""

    async def work() -> Endpoint:
        async with opened(common) as backend:
            return await backend.webhooks.remove(webhook, actor=actor())

    gone = run(work())
    write_json(_as_json(gone)) if as_json else write_line(gone.id, "removed")


@webhooks.command("test")
@click.argument("webhook", metavar="ID")
@database_option
@json_option
@pass_common
def test(common: Common, webhook: str, as_json: bool) -> None:
    """Post a test event to the endpoint ID now and tell how that ended; exits 1 if not taken."""

    async def work() -> WebhookDelivery:
        async with opened(common) as backend:
            return await backend.webhooks.test(webhook)

    done = run(work())
    if as_json:
        write_json(done)
    else:
        write_line(done.id, done.state, f"HTTP {done.status}" if done.status else "", done.error)
        write_text(done.response)
    if done.state is not DeliveryState.DELIVERED:
        raise click.exceptions.Exit(Exit.FAILED)


def _as_json(one: Endpoint) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__slots__} | {"events": list(one.events)}


def _write_secret(made: NewSecret, *, as_json: bool) -> None:
    if as_json:
        write_json({"webhook": _as_json(made.endpoint), "secret": made.secret})
        return
    write_line(made.endpoint.id, made.secret)
    click.echo(KEEP, err=True)
