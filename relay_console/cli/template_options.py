"""What the template commands read from the command line: contents, variables and values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from backend import InvalidInputError, TemplateWish, Variable, VariableType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TextIO

    from backend import TemplateDetail, Value


def content_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what a template holds."""
    options = (
        click.option("--from", "sender", metavar="ADDRESS", help="The default sender."),
        click.option("--subject", metavar="TEXT", help="One line; may hold {{variables}}."),
        click.option("--html", type=click.File(encoding="utf-8"), help="File of the HTML part."),
        click.option("--text", type=click.File(encoding="utf-8"), help="File of the plain part."),
        click.option("--alias", metavar="NAME", help="A second, stable name for programs."),
        click.option(
            "--variable",
            "variables",
            multiple=True,
            metavar="NAME[:TYPE][=FALLBACK]",
            help="Type string, number or boolean, and a fallback; repeatable.",
        ),
        click.option("--note", default="", help="Why this version."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def wish_of(name: str | None, given: dict[str, Any]) -> TemplateWish:
    """Give the wish that the options of ``content_options`` make; raises InvalidInputError."""
    variables: tuple[str, ...] = given["variables"]
    return TemplateWish(
        name=name,
        alias=given["alias"],
        subject=given["subject"],
        html=_content(given["html"]),
        text=_content(given["text"]),
        sender=given["sender"],
        variables=tuple(map(_variable, variables)) or None,
        note=given["note"],
    )


def _content(file: TextIO | None) -> str | None:
    return None if file is None else file.read()


def _variable(written: str) -> Variable:
    """Read NAME[:TYPE][=FALLBACK]; raises InvalidInputError."""
    declared, equals, fallback = written.partition("=")
    key, _, type_ = declared.partition(":")
    try:
        kind = VariableType(type_ or "string")
    except ValueError:
        raise InvalidInputError(
            f"--variable {written!r}: the type is string, number or boolean", field="variables"
        ) from None
    return Variable(key=key, type=kind, fallback=_typed(kind, fallback) if equals else None)


def values_of(pairs: Iterable[str], detail: TemplateDetail) -> dict[str, Value]:
    """Read NAME=VALUE pairs, each by its variable's type; raises InvalidInputError."""
    kinds = {one.key: one.type for one in detail.version.content.variables}
    values: dict[str, Value] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InvalidInputError(f"--set {pair!r}: write NAME=VALUE", field="variables")
        values[key] = _typed(kinds.get(key, VariableType.STRING), value)
    return values


def _typed(kind: VariableType, written: str) -> Value:
    if kind is VariableType.STRING:
        return written
    try:
        value = json.loads(written)
    except ValueError:
        return written  # the backend refuses it by the variable's name
    return value if isinstance(value, int | float | bool) else written
