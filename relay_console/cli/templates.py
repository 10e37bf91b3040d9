"""``relay-console templates``: texts with {{variables}}, their versions, previews and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backend import EmailDraft, TemplateUse
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
from relay_console.cli.template_options import content_options, values_of, wish_of
from relay_console.cli.tenants import find_tenant

if TYPE_CHECKING:
    from typing import Any

    from backend import Template, TemplateDetail, Variable

PAGE = 100
_tenant_option = click.option(
    "--tenant", metavar="ID|NAME", help="Whose template; not needed with one tenant."
)
_version_option = click.option("--version", "number", type=click.IntRange(1), metavar="N")
_values_option = click.option(
    "--set", "pairs", multiple=True, metavar="NAME=VALUE", help="A variable's value; repeatable."
)


@click.group()
def templates() -> None:
    """Write, publish, preview and test templates of mail; see docs/templates.md."""


@templates.command("list")
@_tenant_option
@database_option
@json_option
@pass_common
def list_(common: Common, tenant: str | None, as_json: bool) -> None:
    """List the templates of a tenant, newest first; with --json one object a line."""

    async def work() -> list[Template]:
        found: list[Template] = []
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            after = ""
            while page := await backend.templates.page(owner.id, after=after, size=PAGE):
                found += page
                after = page[-1].id
        return found

    found = run(work())
    if as_json:
        for one in found:
            write_json(one)
        return
    write_table([("ID", "SENT", "NEWEST", "CHANGED", "ALIAS", "NAME"), *map(_row, found)])


def _row(one: Template) -> tuple[object, ...]:
    sent = "draft" if one.published is None else f"v{one.published}"
    return (one.id, sent, f"v{one.latest}", moment(one.updated_at), one.alias, one.name)


@templates.command("show")
@click.argument("template")
@_version_option
@_tenant_option
@database_option
@json_option
@pass_common
def show(
    common: Common, template: str, number: int | None, tenant: str | None, as_json: bool
) -> None:
    """Show TEMPLATE, named by id, alias or name: the newest version, or version N."""

    async def work() -> tuple[TemplateDetail, list[tuple[object, ...]]]:
        async with opened(common) as backend:
            owner = (await find_tenant(backend, tenant)).id
            detail = await backend.templates.get(owner, template, number)
            versions = await backend.templates.versions(owner, template)
        rows = [(f"v{v.number}", moment(v.created_at), v.created_by, v.note) for v in versions]
        return detail, [("VERSION", "SAVED", "BY", "NOTE"), *rows]

    detail, versions = run(work())
    if as_json:
        write_json(detail)
        return
    _write_detail(detail)
    write_table(versions)


def _write_detail(detail: TemplateDetail) -> None:
    one, content = detail.template, detail.version.content
    sent = "never published" if one.published is None else f"version {one.published} is sent"
    write_pairs(
        [
            ("id", one.id),
            ("name", one.name),
            ("alias", one.alias),
            ("version", f"{detail.version.number} of {one.latest}; {sent}"),
            ("from", content.sender),
            ("subject", content.subject),
            ("variables", ", ".join(map(_variable_text, content.variables))),
        ]
    )
    for label, part in (("text", content.text), ("html", content.html)):
        if part:
            write_line(f"--- {label}")
            for line in part.splitlines():
                write_line(line)


def _variable_text(one: Variable) -> str:
    fallback = "" if one.fallback is None else f"={one.fallback}"
    return f"{one.key}:{one.type.value}{fallback}"


@templates.command("add")
@click.argument("name")
@content_options
@_tenant_option
@database_option
@json_option
@pass_common
def add(common: Common, /, name: str, tenant: str | None, as_json: bool, **given: Any) -> None:
    """Save a new template called NAME; it is sent only after ``templates publish``."""

    async def work() -> TemplateDetail:
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            return await backend.templates.create(owner.id, wish_of(name, given), actor=actor())

    _tell(run(work()), as_json)


@templates.command("edit")
@click.argument("template")
@click.option("--name", metavar="TEXT", help="A new name.")
@content_options
@_tenant_option
@database_option
@json_option
@pass_common
def edit(
    common: Common,
    /,
    template: str,
    name: str | None,
    tenant: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Save a new version of TEMPLATE; what is not given stays, and nothing is published."""

    async def work() -> TemplateDetail:
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            wish = wish_of(name, given)
            return await backend.templates.change(owner.id, template, wish, actor=actor())

    _tell(run(work()), as_json)


@templates.command("publish")
@click.argument("template")
@_version_option
@_tenant_option
@database_option
@json_option
@pass_common
def publish(
    common: Common, template: str, number: int | None, tenant: str | None, as_json: bool
) -> None:
    """Send the newest version of TEMPLATE from now on; --version N rolls back to an older one."""

    async def work() -> TemplateDetail:
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            return await backend.templates.publish(owner.id, template, number, actor=actor())

    _tell(run(work()), as_json)


@templates.command("clone")
@click.argument("template")
@_tenant_option
@database_option
@json_option
@pass_common
def clone(common: Common, template: str, tenant: str | None, as_json: bool) -> None:
    """Copy TEMPLATE into a new one called "... (Copy)"."""

    async def work() -> TemplateDetail:
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            return await backend.templates.clone(owner.id, template, actor=actor())

    _tell(run(work()), as_json)


@templates.command("remove")
@click.argument("template")
@_tenant_option
@click.confirmation_option(prompt="Delete the template with all its versions?")
@database_option
@json_option
@pass_common
def remove(common: Common, template: str, tenant: str | None, as_json: bool) -> None:
    """Delete TEMPLATE with all its versions; mail sent with it stays in the log."""

    async def work() -> Template:
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            return await backend.templates.remove(owner.id, template, actor=actor())

    gone = run(work())
    write_json(gone) if as_json else write_line(gone.id, f"{gone.name} is deleted")


@templates.command("preview")
@click.argument("template")
@_values_option
@_version_option
@_tenant_option
@database_option
@json_option
@pass_common
def preview(
    common: Common,
    *,
    template: str,
    pairs: tuple[str, ...],
    number: int | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Fill in TEMPLATE and write it; nothing is sent. Missing variables stand as written."""

    async def work() -> None:
        async with opened(common) as backend:
            owner = (await find_tenant(backend, tenant)).id
            detail = await backend.templates.get(owner, template, number)
            values = values_of(pairs, detail)
            made = await backend.templates.preview(owner, template, values, number)
        if as_json:
            write_json(made)
            return
        write_pairs([("subject", made.subject), ("missing", ", ".join(made.missing))])
        write_pairs([("unused", ", ".join(made.unused))])
        for line in (made.text or made.html or "").splitlines():
            write_line(line)

    run(work())


@templates.command("test")
@click.argument("template")
@click.option("--to", "to", required=True, multiple=True, metavar="ADDRESS", help="Repeatable.")
@click.option("--from", "sender", default="", metavar="ADDRESS", help="On a verified domain.")
@_values_option
@_version_option
@_tenant_option
@database_option
@json_option
@pass_common
def test(
    common: Common,
    *,
    template: str,
    to: tuple[str, ...],
    sender: str,
    pairs: tuple[str, ...],
    number: int | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Send the newest version of TEMPLATE, published or not, to an address of your own."""

    async def work() -> None:
        async with opened(common) as backend:
            owner = (await find_tenant(backend, tenant)).id
            detail = await backend.templates.get(owner, template, number)
            use = TemplateUse(template=template, values=values_of(pairs, detail), version=number)
            draft = EmailDraft(sender=sender, to=to, subject="")
            accepted = await backend.send(owner, await backend.templates.trial(owner, use, draft))
        write_json(accepted) if as_json else write_line(accepted.email_id, accepted.status)

    run(work())


@templates.command("missing")
@click.argument("what", type=click.Choice(["refuse", "leave"]), required=False)
@_tenant_option
@database_option
@json_option
@pass_common
def missing(common: Common, what: str | None, tenant: str | None, as_json: bool) -> None:
    """Show or choose what becomes of mail with missing variables: refuse it, or leave the marks."""

    async def work() -> bool:
        async with opened(common) as backend:
            owner = (await find_tenant(backend, tenant)).id
            if what is not None:
                await backend.templates.leave_missing(owner, leave=what == "leave", actor=actor())
            return await backend.templates.leaves_missing(owner)

    leave = run(work())
    write_json({"leave_missing": leave}) if as_json else write_line("leave" if leave else "refuse")


def _tell(detail: TemplateDetail, as_json: bool) -> None:
    if as_json:
        write_json(detail)
        return
    sent = detail.template.published
    told = "nothing published" if sent is None else f"version {sent} is sent"
    write_line(
        detail.template.id, f"{detail.template.name}: version {detail.version.number}; {told}"
    )
