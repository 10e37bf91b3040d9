"""The flags of ``relay-console rules add``, and the rule they write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from backend import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

Command = TypeVar("Command", bound="Callable[..., Any]")

_OPTIONS = (
    click.option("--name", metavar="TEXT", help="What the rule is called."),
    click.option("--position", type=int, help="When it is read: lowest first, 100 if not said."),
    click.option("--sender", metavar="PATTERN", multiple=True, help="When the sender fits."),
    click.option("--recipient", metavar="PATTERN", multiple=True, help="When the recipient fits."),
    click.option("--subject", metavar="PATTERN", multiple=True, help="When the subject fits."),
    click.option(
        "--header", metavar="NAME=PATTERN", multiple=True, help="When a header has such a value."
    ),
    click.option("--kind", metavar="KIND", multiple=True, help="When it is mail of this class."),
    click.option(
        "--verdict", metavar="CHECK=VERDICT", multiple=True, help="When a check said this."
    ),
    click.option("--route", metavar="TARGET[:ACTION[:REF]]", help="Send it there."),
    click.option("--quarantine", metavar="REASON", help="Keep it back for this reason."),
    click.option("--drop", metavar="REASON", help="Send it nowhere for this reason."),
    click.option("--queue", metavar="TEXT", help="The queue of its ticket."),
    click.option("--priority", metavar="TEXT", help="The priority of its ticket."),
    click.option("--tag", metavar="TEXT", multiple=True, help="A tag for it."),
    click.option("--override", is_flag=True, help="Decide before the address does."),
    click.option("--stop/--go-on", default=None, help="Read no further rule when it fits, or do."),
)


def rule_flags(command: Command) -> Command:
    """Add the flags to a command; it gets them as keyword arguments."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def written_by_flags(written: dict[str, Any], flags: dict[str, Any]) -> dict[str, Any]:
    """Write what the flags say over a rule as written; raises InvalidInputError."""
    when, then = dict(written.get("when", {})), dict(written.get("then", {}))
    for name in ("sender", "recipient", "subject", "kind"):
        if flags[name]:
            when[name] = list(flags[name])
    for name in ("header", "verdict"):
        if flags[name]:
            when[name] = _pairs(name, flags[name])
    if flags["tag"]:
        then["tags"] = list(flags["tag"])
    then |= {name: flags[name] for name in ("queue", "priority") if flags[name]} | _act(flags)
    if not flags["route"]:
        then.setdefault("action", "tag")
    top = {name: flags[name] for name in ("name", "position", "stop") if flags[name] is not None}
    if flags["override"]:
        top["override"] = True
    return written | top | {"when": when, "then": then}


def _pairs(name: str, given: tuple[str, ...]) -> dict[str, list[str]]:
    """Read ``NAME=PATTERN`` flags; a name given twice has several patterns."""
    found: dict[str, list[str]] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not key.strip() or not equals or not value:
            raise InvalidInputError(
                f"--{name}: {pair[:80]!r} is not NAME=VALUE; write {_EXAMPLES[name]}", field=name
            )
        found.setdefault(key.strip(), []).append(value)
    return found


_EXAMPLES = {"header": "X-Mailer=Zabbix*", "verdict": "spam=gray"}


def _act(flags: dict[str, Any]) -> dict[str, str]:
    """Read what is to be done; raises InvalidInputError when two things are asked for."""
    asked = [name for name in ("route", "quarantine", "drop") if flags[name] is not None]
    if len(asked) > 1:
        raise InvalidInputError(f"--{asked[0]} and --{asked[1]} exclude each other", field=asked[1])
    if not asked:
        return {}
    if asked == ["route"]:
        parts = flags["route"].split(":", 2)
        names = ("target", "do", "ref")
        return {"action": "route"} | dict(zip(names, parts, strict=False))
    return {"action": asked[0], "reason": flags[asked[0]]}
