"""``relay-console rules``: which mail goes where, and what a rule would have done."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backend import InvalidInputError
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
from relay_console.cli.rules_flags import rule_flags, written_by_flags
from relay_console.cli.tenants import find_tenant

if TYPE_CHECKING:
    from backend import Rule, RuleTrial

EVERY_TENANT = ""
_tenant_option = click.option(
    "--tenant", metavar="ID|NAME", help="Whose rule; not needed with one tenant."
)
_every_option = click.option("--all-tenants", "every", is_flag=True, help="A rule of all tenants.")


@click.group()
def rules() -> None:
    """Send, keep back, drop or tag inbound mail by rules; see docs/routing.md."""


@rules.command("list")
@click.option("--tenant", metavar="ID|NAME", help="Only rules that can touch mail of this tenant.")
@database_option
@json_option
@pass_common
def list_(common: Common, tenant: str | None, as_json: bool) -> None:
    """List the rules in the order in which they are read; with --json one object a line."""

    async def work() -> None:
        async with opened(common) as backend:
            owner = (await find_tenant(backend, tenant)).id if tenant else None
            found = await backend.routing.rules(owner)
            names = {one.id: one.name for one in await backend.tenants()}
        if not as_json:
            head = ("POSITION", "ID", "ON", "OVERRIDE", "ACTION", "TENANT", "NAME")
            write_table([head, *(_row(rule, names) for rule in found)])
            return
        for rule in found:
            write_json(rule)

    run(work())


def _row(rule: Rule, names: dict[str, str]) -> tuple[object, ...]:
    return (
        rule.position,
        rule.id,
        "yes" if rule.enabled else "no",
        "yes" if rule.override else "no",
        rule.way.act,
        names.get(rule.tenant_id, rule.tenant_id) or "all",
        rule.name,
    )


@rules.command("add")
@click.argument("file", metavar="[FILE]", required=False)
@_tenant_option
@_every_option
@rule_flags
@database_option
@json_option
@pass_common
def add(
    common: Common,
    /,
    file: str | None,
    tenant: str | None,
    every: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Save a rule from a TOML or JSON FILE, from flags, or from both: flags win.

    A PATTERN is a glob, or after re2: a regular expression; see docs/routing.md for addresses.
    """
    written = written_by_flags(read_written(file) if file else {}, flags)

    async def work() -> Rule:
        async with opened(common) as backend:
            owner = EVERY_TENANT if every else (await find_tenant(backend, tenant)).id
            return await backend.routing.add_rule(owner, written, actor=actor())

    rule = run(work())
    write_json(rule) if as_json else write_line(rule.id, rule.name)


def read_written(path: str) -> dict[str, Any]:
    """Read a rule from a file, JSON when its name ends so, else TOML; raises InvalidInputError."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        read = json.loads(text) if path.endswith(".json") else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{path}: {error}", field="file") from None
    if not isinstance(read, dict):
        raise InvalidInputError(f"{path}: a rule is one JSON object", field="file")
    return read


@rules.command("remove")
@click.argument("rule", metavar="RULE")
@database_option
@json_option
@pass_common
def remove(common: Common, rule: str, as_json: bool) -> None:
    """Delete the RULE of this id or name."""

    async def work() -> Rule:
        async with opened(common) as backend:
            return await backend.routing.remove_rule(rule, actor=actor())

    gone = run(work())
    write_json(gone) if as_json else write_line(gone.id, "removed")


def _switch(common: Common, rule: str, *, enabled: bool, as_json: bool) -> None:
    async def work() -> Rule:
        async with opened(common) as backend:
            return await backend.routing.enable_rule(rule, enabled=enabled, actor=actor())

    switched = run(work())
    write_json(switched) if as_json else write_line(switched.id, "on" if enabled else "off")


@rules.command("enable")
@click.argument("rule", metavar="RULE")
@database_option
@json_option
@pass_common
def enable(common: Common, rule: str, as_json: bool) -> None:
    """Switch the RULE of this id or name on."""
    _switch(common, rule, enabled=True, as_json=as_json)


@rules.command("disable")
@click.argument("rule", metavar="RULE")
@database_option
@json_option
@pass_common
def disable(common: Common, rule: str, as_json: bool) -> None:
    """Switch the RULE of this id or name off; it stays in the list."""
    _switch(common, rule, enabled=False, as_json=as_json)


@rules.command("test")
@click.argument("rule", metavar="RULE|FILE")
@click.option("--last", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--changes", is_flag=True, help="Only messages for which the rule matters.")
@_tenant_option
@_every_option
@database_option
@json_option
@pass_common
def test(
    common: Common,
    rule: str,
    last: int,
    changes: bool,
    tenant: str | None,
    every: bool,
    as_json: bool,
) -> None:
    """Show what a saved RULE, or one in a FILE, would have done to the last messages.

    Each is decided anew on the present settings, without the rule and with it; nothing is written.
    """
    written = read_written(rule) if Path(rule).is_file() else None

    async def work() -> None:
        tried = differing = 0
        async with opened(common) as backend:
            if written is None:
                asked = await backend.routing.rule(rule)
            else:
                owner = EVERY_TENANT if every else (await find_tenant(backend, tenant)).id
                asked = await backend.routing.draft_rule(owner, written)
            async for trial in backend.routing.try_rule(asked, last=last):
                tried += 1
                differing += trial.changes
                if trial.changes or not changes:
                    write_json(_as_json(trial)) if as_json else _write_trial(trial)
        if not as_json:
            write_line(f"{differing} of {tried} messages would go another way")

    run(work())


def _as_json(trial: RuleTrial) -> dict[str, object]:
    return {
        "inbound_id": trial.inbound_id,
        "received_at": trial.received_at,
        "sender": trial.sender,
        "subject": trial.subject,
        "fits": trial.fits,
        "why": trial.why,
        "changes": trial.changes,
        "recorded": trial.recorded,
        "without": trial.without,
        "with": trial.with_rule,
        "error": trial.error or None,
    }


def _write_trial(trial: RuleTrial) -> None:
    mark = "error" if trial.error else "*" if trial.changes else "fits" if trial.fits else "-"
    write_line(f"{mark:<5}", moment(trial.received_at), trial.inbound_id, trial.sender)
    write_line("      ", trial.subject)
    write_line("      ", trial.error or trial.why)
    if trial.changes and trial.without and trial.with_rule:
        old, new = trial.without, trial.with_rule
        write_line("       without:", old.status, old.reason, old.way)
        fields = ", ".join(f"{name}={value}" for name, value in new.fields.items())
        write_line("       with:   ", new.status, new.reason, new.way, fields)
