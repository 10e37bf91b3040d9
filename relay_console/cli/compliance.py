"""``relay-console compliance``: the rates AWS judges by, alerts, and brakes of tenants."""

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
from relay_console.cli.output import moment, write_json, write_line, write_pairs, write_table
from relay_console.cli.tenants import find_tenant

if TYPE_CHECKING:
    from backend import Compliance, Standing


@click.group(invoke_without_command=True)
@database_option
@json_option
@pass_common
@click.pass_context
def compliance(context: click.Context, common: Common, as_json: bool) -> None:
    """Show bounce and complaint rates by AWS's rules, warnings, and who is held back."""
    if context.invoked_subcommand is not None:
        return

    async def work() -> None:
        async with opened(common) as backend:
            report = await backend.compliance.report()
            names = {one.id: one.name for one in await backend.tenants()}
        write_json(_plain(report)) if as_json else _write(report, names)

    run(work())


@compliance.command("alerts")
@click.option("--all", "past", is_flag=True, help="Also those that are over.")
@database_option
@json_option
@pass_common
def alerts(common: Common, past: bool, as_json: bool) -> None:
    """List the alerts; with --json one object a line."""

    async def work() -> None:
        async with opened(common) as backend:
            desk = backend.compliance
            found = await desk.past_alerts() if past else await desk.alerts()
        if as_json:
            for one in found:
                write_json(one)
            return
        rows = [
            (moment(one.raised_at), moment(one.cleared_at), one.level, one.kind, one.sentence)
            for one in found
        ]
        write_table([("RAISED", "CLEARED", "LEVEL", "KIND", "WHAT"), *rows])

    run(work())


@compliance.command("brake")
@click.argument("tenant", metavar="TENANT")
@click.option("--reason", required=True, metavar="TEXT", help="Shown wherever the mail waits.")
@database_option
@json_option
@pass_common
def brake(common: Common, tenant: str, reason: str, as_json: bool) -> None:
    """Hold the mail of TENANT back: it is accepted and waits until ``release``."""

    async def work() -> None:
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            held = await backend.compliance.brake(owner.id, reason=reason, actor=actor())
        write_json(held) if as_json else write_line(f"{owner.name}: mail waits, {held.reason}")

    run(work())


@compliance.command("release")
@click.argument("tenant", metavar="TENANT")
@database_option
@json_option
@pass_common
def release(common: Common, tenant: str, as_json: bool) -> None:
    """Let the mail of TENANT go on; the automatic brake leaves it alone for a day."""

    async def work() -> None:
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            woken = await backend.compliance.lift(owner.id, actor=actor())
        answer = {"tenant_id": owner.id, "woken": woken}
        write_json(answer) if as_json else write_line(f"{owner.name}: {woken} mails go on")

    run(work())


def _write(report: Compliance, names: dict[str, str]) -> None:
    account, whole = report.account, report.standing
    sending = account and ("enabled" if account.sending_enabled else "paused")
    write_pairs(
        [
            (
                "AWS says",
                f"{account.enforcement or 'nothing'}, sending {sending}" if account else "",
            ),
            ("As of", moment(account.fetched_at) if account else ""),
            ("Bounces", f"{whole.bounce_rate:.2%}, {whole.bounces_left} more until 5 %"),
            ("Complaints", f"{whole.complaint_rate:.3%} (review at 0.1 %)"),
            ("Counted", f"{whole.eligible} recipients since {whole.since}, {whole.level}"),
        ]
    )
    for alert in report.alerts:
        write_line(f"! {alert.level}: {alert.sentence}")
    held = {one.tenant_id for one in report.brakes}
    if report.tenants:
        head = ("TENANT", "LEVEL", "BOUNCES", "COMPLAINTS", "RECIPIENTS", "LEFT", "SINCE", "WAITS")
        write_table([head, *(_row(one, names, held) for one in report.tenants)])


def _row(one: Standing, names: dict[str, str], held: set[str]) -> tuple[object, ...]:
    return (
        names.get(one.tenant_id, one.tenant_id),
        one.level,
        f"{one.bounce_rate:.2%}",
        f"{one.complaint_rate:.3%}",
        one.eligible,
        one.bounces_left,
        one.since,
        "yes" if one.tenant_id in held else "",
    )


def _plain(report: Compliance) -> dict[str, object]:
    return {
        "account": report.account,
        "standing": _rates(report.standing),
        "tenants": [_rates(one) for one in report.tenants],
        "brakes": report.brakes,
        "alerts": report.alerts,
    }


def _rates(one: Standing) -> dict[str, object]:
    return {
        "tenant_id": one.tenant_id,
        "since": one.since,
        "eligible": one.eligible,
        "hard_bounces": one.hard_bounces,
        "complaints": one.complaints,
        "bounce_rate": round(one.bounce_rate, 6),
        "complaint_rate": round(one.complaint_rate, 6),
        "bounces_left": one.bounces_left,
        "level": one.level,
    }
