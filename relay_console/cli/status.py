"""``relay-console status``: whether mail goes out, what waits, who does the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backend import WorkKind
from relay_console.cli.opening import (
    Common,
    actor,
    database_option,
    json_option,
    opened,
    pass_common,
    run,
)
from relay_console.cli.output import moment, write_json, write_line, write_pairs, write_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend import Endpoint, Holding, OpenBreaker, QueueCounts, SendingStatus, Trouble


@click.group(invoke_without_command=True)
@database_option
@json_option
@pass_common
@click.pass_context
def status(context: click.Context, common: Common, as_json: bool) -> None:
    """Show whether mail goes out, how much work waits, and who does it."""
    if context.invoked_subcommand is None:
        run(_show(common, as_json=as_json))


@status.command("send-again")
@click.argument("email_id", metavar="ID")
@database_option
@json_option
@pass_common
def send_again(common: Common, email_id: str, as_json: bool) -> None:
    """Send the mail ID of unknown fate once more; it may arrive twice."""
    run(_decide(common, email_id, as_json=as_json, again=True))


@status.command("give-up")
@click.argument("email_id", metavar="ID")
@database_option
@json_option
@pass_common
def give_up(common: Common, email_id: str, as_json: bool) -> None:
    """Let the mail ID of unknown fate count as failed."""
    run(_decide(common, email_id, as_json=as_json, again=False))


@status.command("retry-dead")
@click.argument("kind", type=click.Choice([kind.value for kind in WorkKind]))
@database_option
@json_option
@pass_common
def retry_dead(common: Common, kind: str, as_json: bool) -> None:
    """Try the dead work of one KIND once more, once its cause is mended."""

    async def work() -> int:
        async with opened(common) as backend:
            return await backend.sending.revive(WorkKind(kind), actor=actor())

    revived = run(work())
    write_json({"kind": kind, "revived": revived}) if as_json else write_line(
        f"{revived} of {kind} {'is' if revived == 1 else 'are'} tried again"
    )


async def _decide(common: Common, email_id: str, *, as_json: bool, again: bool) -> None:
    async with opened(common) as backend:
        decide = backend.sending.send_again if again else backend.sending.give_up
        await decide(email_id, actor=actor())
        email = (await backend.email(email_id)).email
    if as_json:
        write_json(email)
    else:
        write_line(f"{email.id}  {email.status}: {email.error or email.status.sentence}")


async def _show(common: Common, *, as_json: bool) -> None:
    async with opened(common) as backend:
        sending = await backend.sending.status()
        queue = await backend.sending.queue()
        roles = await backend.sending.roles()
        troubles = await backend.sending.troubles()
        breakers = await backend.screening.breakers()
        webhooks = [one for one in await backend.webhooks.endpoints() if _ails(one)]
    if as_json:
        write_json(
            {
                "sending": sending,
                "sandbox": sending.is_sandbox,
                "queue": queue,
                "troubles": troubles,
                "webhooks": webhooks,
                "roles": roles,
                "breakers": list(breakers),
            }
        )
        return
    _write_sending(sending)
    _write_queue(queue)
    _write_troubles(troubles)
    _write_webhooks(webhooks)
    _write_roles(roles)
    _write_breakers(breakers)


def _write_sending(sending: SendingStatus) -> None:
    write_line(f"Sending  {sending.state}: {sending.state.sentence}")
    hold, account = sending.hold, sending.account
    if hold is not None:
        write_pairs(
            [
                ("Reason", hold.reason),
                ("Since", moment(hold.since)),
                ("Next try", f"{moment(hold.probe_at)}, after {hold.probes} so far"),
            ]
        )
    if account is None:
        write_line("SES has not been asked about the account yet.")
        return
    quota = "no limit" if account.max_24_hour_send < 0 else f"{account.max_24_hour_send:,.0f}"
    write_pairs(
        [
            ("Account", account.enforcement),
            ("Access", "sandbox: verified addresses only" if sending.is_sandbox else "production"),
            ("Rate", _rate(account.max_send_rate, sending.share)),
            ("24 hours", f"{account.sent_last_24_hours:,.0f} of {quota}"),
            ("As of", moment(account.fetched_at)),
        ]
    )


def _rate(most: float, share: float) -> str:
    whole = f"{most:g} recipients a second"
    if share >= 1:
        return whole
    return f"{most * share:.3g} of {whole}; SES asked to slow down, all of it within a minute"


def _write_queue(queue: Sequence[QueueCounts]) -> None:
    rows = [
        (one.kind, one.due, one.scheduled, one.leased, one.dead, moment(one.oldest_due))
        for one in queue
        if one.due or one.scheduled or one.leased or one.dead
    ]
    write_line()
    write_line("Queue" if rows else "Queue  empty")
    if rows:
        head = ("WORK", "DUE", "LATER", "IN HAND", "DEAD", "OLDEST DUE")
        write_table([head, *rows], indent="  ")


def _write_troubles(troubles: Sequence[Trouble]) -> None:
    if not troubles:
        return
    write_line()
    write_line("Failed")
    rows = [
        (
            one.kind,
            one.count,
            "dead" if one.dead else f"again {moment(one.next_at)}",
            moment(one.since),
            one.error,
        )
        for one in troubles
    ]
    write_table([("WORK", "ITEMS", "STATE", "SINCE", "WHY"), *rows], indent="  ")
    if any(one.dead for one in troubles):
        write_line("  dead work is tried again by: relay-console status retry-dead WORK")


def _ails(one: Endpoint) -> bool:
    return bool(one.disabled_reason if not one.enabled else one.failing_since)


def _write_webhooks(webhooks: Sequence[Endpoint]) -> None:
    if webhooks:
        write_line()
        write_line("Webhooks that fail or are off")
        rows = [
            (
                one.id,
                "failing" if one.enabled else "off",
                moment(one.failing_since),
                one.url,
                one.last_error if one.enabled else one.disabled_reason,
            )
            for one in webhooks
        ]
        write_table([("ID", "STATE", "SINCE", "URL", "WHY"), *rows], indent="  ")


def _write_roles(roles: Sequence[Holding]) -> None:
    if roles:
        write_line()
        write_line("Roles")
        rows = [(one.role, one.owner, moment(one.lease_until)) for one in roles]
        write_table([("ROLE", "HELD BY", "UNTIL"), *rows], indent="  ")


def _write_breakers(breakers: Sequence[OpenBreaker]) -> None:
    if breakers:
        write_line()
        write_line("Senders and conversations kept back")
        rows = [(b.scope, b.count, moment(b.last_at), b.key) for b in breakers]
        write_table([("WHAT", "MESSAGES", "LAST", "WHO"), *rows], indent="  ")
