"""``relay-console webhooks deliveries`` and ``replay``: what was posted, and posting it again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from backend import DeliveryQuery, DeliveryState
from relay_console.cli.opening import (
    Common,
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

if TYPE_CHECKING:
    from datetime import datetime

    from backend import Backend, WebhookDelivery, WebhookDeliveryDetail

webhook_option = click.option("--webhook", metavar="ID", help="Only those of this endpoint.")
state_option = click.option(
    "--state", type=click.Choice([state.value for state in DeliveryState]), help="Only in this one."
)
type_option = click.option("--type", "type_", default="", metavar="TYPE", help="Only this event.")
since_option = click.option(
    "--since", type=click.DateTime(), help="Only what is not older than this, in UTC."
)


@click.command("deliveries")
@click.argument("delivery", metavar="[DELIVERY]", required=False)
@webhook_option
@state_option
@type_option
@since_option
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@database_option
@json_option
@pass_common
def deliveries(
    common: Common,
    delivery: str | None,
    webhook: str | None,
    state: str | None,
    type_: str,
    since: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List what was posted, newest first, or show one DELIVERY with its payload and tries."""
    query = _query(webhook, state, type_, since)

    async def work() -> None:
        async with opened(common) as backend:
            if delivery is not None:
                _write_one(await backend.webhooks.delivery(delivery), as_json=as_json)
                return
            found = await backend.webhooks.deliveries(query, 0, limit)
        if as_json:
            for one in found:
                write_json(one)
            return
        head = ("ID", "AT", "STATE", "TRIES", "HTTP", "WEBHOOK", "TYPE", "ERROR")
        write_table([head, *map(_row, found)])

    run(work())


@click.command("replay")
@click.argument("ids", metavar="[DELIVERY]...", nargs=-1)
@click.option("--failed", is_flag=True, help="All dead letters that the other options leave.")
@click.option("--missed", is_flag=True, help="What --webhook never got since --since.")
@click.option("--bus", "to_bus", is_flag=True, help="What the bus at BUS_API_URL has not got.")
@webhook_option
@type_option
@since_option
@database_option
@json_option
@pass_common
def replay(
    common: Common,
    ids: tuple[str, ...],
    failed: bool,
    missed: bool,
    to_bus: bool,
    webhook: str | None,
    type_: str,
    since: datetime | None,
    as_json: bool,
) -> None:
    """Post again, under the same event ids: some DELIVERYs, all that failed, or what was missed."""
    ways = [bool(ids), failed, missed, to_bus]
    if sum(ways) != 1:
        raise click.UsageError("give deliveries, or one of --failed, --missed and --bus")
    if missed and not (webhook and since):
        raise click.UsageError("--missed needs --webhook and --since")
    query = _query(webhook, DeliveryState.DEAD.value, type_, since)

    async def work() -> int:
        async with opened(common) as backend:
            if to_bus:
                return await backend.webhooks.publish_waiting()
            if missed and webhook and query.since:
                return await backend.webhooks.recover(webhook, query.since)
            return await _replay(backend, ids, query)

    queued = run(work())
    write_json({"queued": queued}) if as_json else write_line(queued, "queued")


async def _replay(backend: Backend, ids: tuple[str, ...], query: DeliveryQuery) -> int:
    if not ids:
        return await backend.webhooks.replay_all(query)
    for one in ids:
        await backend.webhooks.replay(one)
    return len(ids)


def _query(
    webhook: str | None, state: str | None, type_: str, since: datetime | None
) -> DeliveryQuery:
    from datetime import UTC

    return DeliveryQuery(
        endpoint_id=webhook,
        state=DeliveryState(state) if state else None,
        type=type_,
        since=since.replace(tzinfo=UTC) if since else None,
    )


def _row(one: WebhookDelivery) -> tuple[object, ...]:
    return (
        one.id,
        moment(one.created_at),
        one.state,
        one.attempts,
        one.status or "-",
        one.endpoint_id,
        one.type,
        one.error,
    )


def _write_one(detail: WebhookDeliveryDetail, *, as_json: bool) -> None:
    one = detail.delivery
    if as_json:
        kept = {name: getattr(one, name) for name in one.__slots__ if name != "body"}
        write_json(kept | {"payload": json.loads(one.body), "tries": list(detail.tries)})
        return
    write_pairs(
        (
            ("id", one.id),
            ("webhook", one.endpoint_id),
            ("event", one.event_id),
            ("type", one.type),
            ("state", one.state),
            ("next", moment(one.next_at)),
            ("error", one.error),
        )
    )
    # JSON in ASCII, whole: it is there to be copied
    click.echo(f"payload    {one.body}")
    for made in detail.tries:
        said = f"HTTP {made.status}" if made.status else "no answer"
        write_line(made.number, moment(made.at), said, f"{made.milliseconds} ms", made.error)
        if made.response:
            write_text(made.response)
