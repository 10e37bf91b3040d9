"""``relay-console templates``: texts with {{variables}}, their versions, previews and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from backend import EmailDraft, TemplateUse
from relay_console.cli.opening import actor
from relay_console.cli.output import moment, write_line, write_pairs, write_table
from relay_console.cli.template_options import content_options, values_of, wish_of
from relay_console.cli.template_verb import Shop, verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend import Accepted, Rendered, Template, TemplateDetail, TemplateVersion, Variable

PAGE = 100
_template = click.argument("template")
_version = click.option(
    "--version", "number", type=click.IntRange(1), metavar="N", help="Instead of the newest one."
)
_values = click.option(
    "--set", "pairs", multiple=True, metavar="NAME=VALUE", help="A variable's value; repeatable."
)


@click.group()
def templates() -> None:
    """Write, publish, preview and test templates of mail; see docs/templates.md."""


def _tell_list(found: list[Template]) -> None:
    write_table([("ID", "SENT", "NEWEST", "CHANGED", "ALIAS", "NAME"), *map(_row, found)])


def _row(one: Template) -> tuple[object, ...]:
    sent = "draft" if one.published is None else f"v{one.published}"
    return (one.id, sent, f"v{one.latest}", moment(one.updated_at), one.alias, one.name)


@verb(templates, tell=_tell_list)
async def list_(shop: Shop) -> list[Template]:
    """List the templates of a tenant, newest first; with --json one object a line."""
    found: list[Template] = []
    after = ""
    while page := await shop.backend.templates.page(shop.tenant_id, after=after, size=PAGE):
        found += page
        after = page[-1].id
    return found


def _tell_detail(detail: TemplateDetail) -> None:
    one, version, content = detail.template, detail.version, detail.version.content
    sent = "never published" if one.published is None else f"version {one.published} is sent"
    write_pairs(
        [
            ("id", one.id),
            ("name", one.name),
            ("alias", one.alias),
            ("version", f"{version.number} of {one.latest}; {sent}"),
            ("saved", f"{moment(version.created_at)} by {version.created_by}"),
            ("note", version.note),
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


@verb(templates, _template, _version, tell=_tell_detail)
async def show(shop: Shop, template: str, number: int | None) -> TemplateDetail:
    """Show TEMPLATE, named by id, alias or name: the newest version, or version N."""
    return await shop.backend.templates.get(shop.tenant_id, template, number)


def _tell_versions(found: Sequence[TemplateVersion]) -> None:
    rows = [(f"v{v.number}", moment(v.created_at), v.created_by, v.note) for v in found]
    write_table([("VERSION", "SAVED", "BY", "NOTE"), *rows])


@verb(templates, _template, tell=_tell_versions)
async def versions(shop: Shop, template: str) -> list[TemplateVersion]:
    """List the versions of TEMPLATE, newest first; with --json one object a line."""
    return list(await shop.backend.templates.versions(shop.tenant_id, template))


def _tell_saved(detail: TemplateDetail) -> None:
    one, sent = detail.template, detail.template.published
    told = "nothing published" if sent is None else f"version {sent} is sent"
    write_line(one.id, f"{one.name}: version {detail.version.number}; {told}")


@verb(templates, click.argument("name"), content_options, tell=_tell_saved)
async def add(shop: Shop, name: str, **given: Any) -> TemplateDetail:
    """Save a new template called NAME; it is sent only after ``templates publish``."""
    wish = wish_of(name, given)
    return await shop.backend.templates.create(shop.tenant_id, wish, actor=actor())


@verb(
    templates,
    _template,
    click.option("--name", metavar="TEXT", help="A new name."),
    content_options,
    tell=_tell_saved,
)
async def edit(shop: Shop, template: str, name: str | None, **given: Any) -> TemplateDetail:
    """Save a new version of TEMPLATE; what is not given stays, and nothing is published."""
    wish = wish_of(name, given)
    return await shop.backend.templates.change(shop.tenant_id, template, wish, actor=actor())


@verb(templates, _template, _version, tell=_tell_saved)
async def publish(shop: Shop, template: str, number: int | None) -> TemplateDetail:
    """Send the newest version of TEMPLATE from now on; --version N rolls back to an older one."""
    return await shop.backend.templates.publish(shop.tenant_id, template, number, actor=actor())


@verb(templates, _template, tell=_tell_saved)
async def clone(shop: Shop, template: str) -> TemplateDetail:
    """Copy TEMPLATE into a new one called "... (Copy)"."""
    return await shop.backend.templates.clone(shop.tenant_id, template, actor=actor())


def _tell_removed(gone: Template) -> None:
    write_line(gone.id, f"{gone.name} is deleted")


@verb(
    templates,
    _template,
    click.confirmation_option(prompt="Delete the template with all its versions?"),
    tell=_tell_removed,
)
async def remove(shop: Shop, template: str) -> Template:
    """Delete TEMPLATE with all its versions; mail sent with it stays in the log."""
    return await shop.backend.templates.remove(shop.tenant_id, template, actor=actor())


def _tell_preview(made: Rendered) -> None:
    write_pairs([("subject", made.subject), ("missing", ", ".join(made.missing))])
    write_pairs([("unused", ", ".join(made.unused))])
    for line in (made.text or made.html or "").splitlines():
        write_line(line)


@verb(templates, _template, _values, _version, tell=_tell_preview)
async def preview(
    shop: Shop, template: str, pairs: tuple[str, ...], number: int | None
) -> Rendered:
    """Fill in TEMPLATE and write it; nothing is sent. Missing variables stand as written."""
    desk, owner = shop.backend.templates, shop.tenant_id
    values = values_of(pairs, await desk.get(owner, template, number))
    return await desk.preview(owner, template, values, number)


def _tell_sent(accepted: Accepted) -> None:
    write_line(accepted.email_id, accepted.status)


@verb(
    templates,
    _template,
    click.option("--to", required=True, multiple=True, metavar="ADDRESS", help="Repeatable."),
    click.option("--from", "sender", default="", metavar="ADDRESS", help="On a verified domain."),
    _values,
    _version,
    tell=_tell_sent,
)
async def test(
    shop: Shop,
    template: str,
    *,
    to: tuple[str, ...],
    sender: str,
    pairs: tuple[str, ...],
    number: int | None,
) -> Accepted:
    """Send the newest version of TEMPLATE, published or not, to an address of your own."""
    desk, owner = shop.backend.templates, shop.tenant_id
    values = values_of(pairs, await desk.get(owner, template, number))
    use = TemplateUse(template=template, values=values, version=number)
    draft = EmailDraft(sender=sender, to=to, subject="")
    return await shop.backend.send(owner, await desk.trial(owner, use, draft))


def _tell_missing(found: dict[str, bool]) -> None:
    write_line("leave" if found["leave_missing"] else "refuse")


@verb(
    templates,
    click.argument("what", type=click.Choice(["refuse", "leave"]), required=False),
    tell=_tell_missing,
)
async def missing(shop: Shop, what: str | None) -> dict[str, bool]:
    """Show or choose what becomes of mail with missing variables: refuse it, or leave the marks."""
    desk, owner = shop.backend.templates, shop.tenant_id
    if what is not None:
        await desk.leave_missing(owner, leave=what == "leave", actor=actor())
    return {"leave_missing": await desk.leaves_missing(owner)}
