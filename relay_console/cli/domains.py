"""``relay-console domains``: the sending and receiving domains of tenants."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

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
from relay_console.cli.output import write_json, write_line, write_pairs, write_table
from relay_console.cli.tenants import find_tenant

if TYPE_CHECKING:
    from backend import Domain, DomainDetail


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


@domains.command("set")
@click.argument("name")
@click.option("--inbound/--no-inbound", "inbound", default=None, help="Receive mail here or not.")
@click.option("--ticket-from", metavar="WORD,...", help="Addresses that open tickets; '' for none.")
@click.option("--reply-prefix", metavar="WORD", help="WORD+{ticket_id}@ adds a note to a ticket.")
@click.option(
    "--catch-all",
    type=click.Choice(["unrouted", "ticket", "quarantine"]),
    help="What becomes of mail to any other address.",
)
@click.option("--auto-response/--no-auto-response", default=None, help="Answer new tickets or not.")
@click.option("--auto-response-subject", metavar="TEXT", help="Its subject; '' for our own.")
@click.option(
    "--auto-response-file",
    type=click.File("r", encoding="utf-8"),
    help="A file with its text; an empty one for our own.",
)
@database_option
@json_option
@pass_common
def set_(
    common: Common,
    name: str,
    inbound: bool | None,
    ticket_from: str | None,
    reply_prefix: str | None,
    catch_all: str | None,
    auto_response: bool | None,
    auto_response_subject: str | None,
    auto_response_file: IO[str] | None,
    as_json: bool,
) -> None:
    """Change what the domain NAME does with the mail it receives; see docs/routing.md."""
    from backend import CatchAll, DomainChange

    change = DomainChange(
        inbound_enabled=inbound,
        ticket_from=None if ticket_from is None else ticket_from.split(","),
        reply_prefix=reply_prefix,
        catch_all=None if catch_all is None else CatchAll(catch_all),
        auto_response=auto_response,
        auto_response_subject=auto_response_subject,
        auto_response_text=auto_response_file.read() if auto_response_file else None,
    )

    async def work() -> DomainDetail:
        async with opened(common) as backend:
            return await backend.change_domain(name, change, actor=actor())

    detail = run(work())
    write_json(detail) if as_json else _write_settings(detail)


@domains.command("remove")
@click.argument("name")
@click.confirmation_option(prompt="Take the domain from its tenant?")
@database_option
@json_option
@pass_common
def remove(common: Common, name: str, as_json: bool) -> None:
    """Take the domain NAME from its tenant; its identity at SES stays."""

    async def work() -> Domain:
        async with opened(common) as backend:
            return await backend.remove_domain(name, actor=actor())

    gone = run(work())
    write_json(gone) if as_json else write_line(gone.name, "is removed")


def _row(detail: DomainDetail) -> tuple[str, str, str, str]:
    domain = detail.domain
    return (
        domain.name,
        domain.status,
        "yes" if domain.inbound_enabled else "no",
        detail.tenant_name,
    )


def _write_settings(detail: DomainDetail) -> None:
    domain = detail.domain
    write_line(domain.name)
    write_pairs(
        [
            ("Inbound", "yes" if domain.inbound_enabled else "no"),
            ("Tickets", ", ".join(f"{word}@" for word in domain.ticket_from) or "none"),
            ("Notes", f"{domain.reply_prefix}+{{ticket_id}}@"),
            ("Catch-all", f"{domain.catch_all}: {domain.catch_all.sentence}"),
            ("Answer", "to new tickets" if domain.auto_response.enabled else "none"),
        ]
    )


def _write_domain(detail: DomainDetail) -> None:
    write_line(detail.domain.name, f"is {detail.domain.status}: {detail.domain.status.sentence}")
    rows = [(r.purpose, r.type, r.name, r.priority or "", r.value) for r in detail.records]
    write_table([("PURPOSE", "TYPE", "NAME", "PRIORITY", "VALUE"), *rows], widest=80)
